/**
 * Unpacks one npm archive: a gzipped tar whose first path component is dropped. Runs in a worker thread, with synchronous calls.
 *
 * The archive is read once, hashed, and only then looked into. npm's tar reads the format; what is written is decided here:
 * - only files and the folders they need; links, devices and everything else are left out, as npm itself does;
 * - no path leaves the folder: an absolute one or one with `..` is an error, not a skip;
 * - modes are 0755 for what is a program (in the archive or by the package's `bin`), else 0644; no owner, no times;
 * - a path that comes twice is written once, with the last contents (real packages have `dist/x` and `./dist/x`);
 * - every file is made anew (O_EXCL), so nothing that stands there is ever written through.
 */
import { closeSync, fchmodSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { makeFolderQuickly } from './quick-files.ts';

export interface UnpackJob {
  readonly archive: string;
  /** What the archive's bytes have to hash to: `sha512-` and base64. */
  readonly integrity: string;
  readonly folder: string;
  /** Paths inside the package that are programs whatever mode the archive gives them. */
  readonly programs: readonly string[];
  /** Only paths that start with one of these are unpacked; all where it is empty. */
  readonly only: readonly string[];
  /** The archive may not unpack to more bytes. */
  readonly maxBytes: number;
}

export interface Unpacked {
  readonly files: number;
  readonly bytes: number;
  /** True where the hash was another: then nothing was written. */
  readonly mismatch?: string;
}

interface Entry {
  readonly data: Buffer;
  readonly mode: number;
}

export const unpack = (job: UnpackJob): Unpacked => {
  const archive = readFileSync(job.archive);
  const found = `sha512-${process.getBuiltinModule('node:crypto').createHash('sha512').update(archive).digest('base64')}`;
  if (found !== job.integrity) return { files: 0, bytes: 0, mismatch: found };
  const entries = readEntries(gunzipSync(archive, { maxOutputLength: job.maxBytes }), job);
  if (entries.size === 0) throw new Error('the archive holds no files');
  return writeEntries(entries, job.folder);
};

const readEntries = (tar: Buffer, job: UnpackJob): Map<string, Entry> => {
  const entries = new Map<string, Entry>();
  const programs = new Set(job.programs);
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      if (entry.type !== 'File' && entry.type !== 'OldFile') return entry.resume();
      const path = insidePath(entry.path);
      if (job.only.length > 0 && !job.only.some((start) => path.startsWith(start))) return entry.resume();
      const isProgram = programs.has(path) || ((entry.mode ?? 0) & 0o111) !== 0;
      collect(entry, (data) => entries.set(path, { data, mode: isProgram ? 0o755 : 0o644 }));
    },
  });
  let fault: unknown;
  parser.on('error', (error: unknown) => {
    fault ??= error;
  });
  parser.end(tar);
  if (fault !== undefined) throw fault;
  return entries;
};

const collect = (entry: ReadEntry, done: (data: Buffer) => void): void => {
  const pieces: Buffer[] = [];
  entry.on('data', (piece) => pieces.push(piece as Buffer));
  entry.on('end', () => done(pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)));
};

/** The path below the package's folder. Throws for one that would lead out of it. */
const insidePath = (path: string): string => {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const inside = parts.slice(1).join('/');
  if (path.startsWith('/') || parts.includes('..') || path.includes('\0') || inside === '') {
    throw new Error(`the archive holds the path ${JSON.stringify(path)}, which leads out of the package`);
  }
  return inside;
};

const writeEntries = (entries: Map<string, Entry>, folder: string): Unpacked => {
  const made = new Set<string>();
  let bytes = 0;
  for (const [path, { data, mode }] of entries) {
    const target = join(folder, path);
    const parent = dirname(target);
    if (!made.has(parent)) makeFolderQuickly(parent);
    made.add(parent);
    writeNew(target, data, mode);
    bytes += data.length;
  }
  return { files: entries.size, bytes };
};

const writeNew = (path: string, data: Buffer, mode: number): void => {
  const fd = openSync(path, 'wx', mode);
  try {
    for (let at = 0; at < data.length; ) at += writeSync(fd, data, at);
    if (mode === 0o755) fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
};
