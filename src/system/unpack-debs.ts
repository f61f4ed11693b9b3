/**
 * Unpacks Debian packages into one folder, a private prefix, without running anything of theirs. Runs in a worker thread, with synchronous calls.
 *
 * Each archive is read once and hashed; the same bytes go through `dpkg-deb`, which gives the tar inside, on its standard input and output: what
 * was checked is what is unpacked. What is written is decided here:
 * - files, folders and links; anything else (devices, pipes) is an error;
 * - no path leaves the folder, and none leads over a link, of this package or of another;
 * - a link leads to a place inside the folder: an absolute one is taken as a path of the prefix and made relative, one that leads out is an error.
 *   Written so, with all `..` in front, it stays inside wherever other links lead;
 * - modes are 0755 for programs and folders, else 0644: no setuid, setgid or sticky bit, no owner, no times;
 * - what two packages both have is an error, unless it is a folder.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, fchmodSync, lstatSync, mkdirSync, openSync, readFileSync, symlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Parser, type ReadEntry } from 'tar';
import { codeOf } from './files.ts';
import { minimalEnvironment } from './processes.ts';
import { makeFolderQuickly } from './quick-files.ts';
import type { Unpacked } from './unpack.ts';

export interface UnpackDebsJob {
  /** In this order. */
  readonly archives: readonly DebArchive[];
  readonly folder: string;
  /** No package may unpack to more bytes. */
  readonly maxBytes: number;
}

export interface DebArchive {
  readonly path: string;
  /** What its bytes have to hash to: `sha256-` and base64. */
  readonly integrity: string;
  /** Name and version, for messages. */
  readonly label: string;
}

type Entry =
  | { readonly kind: 'folder' }
  | { readonly kind: 'file'; readonly data: Buffer; readonly mode: number }
  | { readonly kind: 'link'; readonly target: string };

/** `mismatch` is the label of the archive whose hash was another by now. */
export const unpackDebs = (job: UnpackDebsJob): Unpacked => {
  const folders = new Set(['']);
  let files = 0;
  let bytes = 0;
  makeFolderQuickly(job.folder);
  for (const archive of job.archives) {
    const packed = readFileSync(archive.path);
    const hash = process.getBuiltinModule('node:crypto').createHash('sha256').update(packed).digest('base64');
    if (`sha256-${hash}` !== archive.integrity) return { files, bytes, mismatch: archive.label };
    try {
      const entries = readEntries(tarOf(packed, job.maxBytes));
      for (const [path, entry] of entries) bytes += write(path, entry, job.folder, folders);
      files += entries.size;
    } catch (error) {
      const code = codeOf(error);
      const wrong = new Error(`${archive.label}: ${error instanceof Error ? error.message : String(error)}`);
      throw Object.assign(wrong, code === undefined ? {} : { code });
    }
  }
  return { files, bytes };
};

const tarOf = (packed: Buffer, maxBytes: number): Buffer => {
  const { status, stdout, stderr, error } = spawnSync('dpkg-deb', ['--fsys-tarfile', '-'], {
    input: packed,
    env: minimalEnvironment,
    maxBuffer: maxBytes,
  });
  if (codeOf(error) === 'ENOBUFS') throw new Error(`it unpacks to more than ${maxBytes} bytes`);
  if (status === 0) return stdout;
  throw new Error(`dpkg-deb can't read it: ${stderr?.toString('utf8').trim() || (error?.message ?? `code ${status}`)}`);
};

const readEntries = (tar: Buffer): Map<string, Entry> => {
  const entries = new Map<string, Entry>();
  let fault: unknown;
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      try {
        take(entry, entries);
      } catch (error) {
        fault ??= error;
        entry.resume();
      }
    },
  });
  parser.on('error', (error: unknown) => {
    fault ??= error;
  });
  parser.end(tar);
  if (fault !== undefined) throw fault;
  return entries;
};

const take = (entry: ReadEntry, entries: Map<string, Entry>): void => {
  const path = insidePath(entry.path);
  if (entry.type === 'File' || entry.type === 'OldFile') takeFile(entry, path, entries);
  else {
    const other = describe(entry, path, entries);
    if (other !== undefined) entries.set(path, other);
    entry.resume();
  }
};

const takeFile = (entry: ReadEntry, path: string, entries: Map<string, Entry>): void => {
  const mode = ((entry.mode ?? 0) & 0o111) === 0 ? 0o644 : 0o755;
  const pieces: Buffer[] = [];
  entry.on('data', (piece) => pieces.push(piece as Buffer));
  entry.on('end', () => entries.set(path, { kind: 'file', data: Buffer.concat(pieces), mode }));
};

/** What has no contents of its own. Undefined for the prefix itself. */
const describe = (entry: ReadEntry, path: string, entries: ReadonlyMap<string, Entry>): Entry | undefined => {
  if (entry.type === 'Directory') return path === '' ? undefined : { kind: 'folder' };
  if (entry.type === 'SymbolicLink') return { kind: 'link', target: targetInside(path, entry.linkpath ?? '') };
  if (entry.type !== 'Link') throw new Error(`${path} is no file, folder or link`);
  const other = entries.get(insidePath(entry.linkpath ?? ''));
  if (other?.kind !== 'file') throw new Error(`${path} is a second name for something that is no file of it`);
  return other;
};

/** The path below the prefix; empty for the prefix itself. Throws for one that would lead out of it. */
const insidePath = (path: string): string => {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || parts.includes('..') || path.includes('\0'))
    throw new Error(`it holds the path ${JSON.stringify(path)}, which leads out of the package`);
  return parts.join('/');
};

/** The target as a relative one: first every `..`, then names. Throws where it would leave the prefix. */
const targetInside = (path: string, target: string): string => {
  const from = path.split('/').slice(0, -1);
  const at = target.startsWith('/') ? [] : [...from];
  for (const part of target.split('/').filter((each) => each !== '' && each !== '.')) {
    if (part !== '..') at.push(part);
    else if (at.pop() === undefined) throw new Error(`the link ${path} leads out of the package, to ${target}`);
  }
  const shared = from.findIndex((part, index) => part !== at[index]);
  const common = shared < 0 ? from.length : shared;
  return [...from.slice(common).map(() => '..'), ...at.slice(common)].join('/') || '.';
};

/** Bytes that were written. `folders`: what is known to be a folder of our own. */
const write = (path: string, entry: Entry, top: string, folders: Set<string>): number => {
  ensureFolder(dirname(path) === '.' ? '' : dirname(path), top, folders);
  if (entry.kind === 'folder') {
    ensureFolder(path, top, folders);
    return 0;
  }
  const full = join(top, path);
  try {
    if (entry.kind === 'link') symlinkSync(entry.target, full);
    else writeNew(full, entry.data, entry.mode);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw new Error(`${path} is there already, from another package`);
    throw error;
  }
  return entry.kind === 'file' ? entry.data.length : 0;
};

const ensureFolder = (path: string, top: string, folders: Set<string>): void => {
  if (folders.has(path)) return;
  ensureFolder(dirname(path) === '.' ? '' : dirname(path), top, folders);
  try {
    mkdirSync(join(top, path), { mode: 0o755 });
  } catch (error) {
    const isFolder = codeOf(error) === 'EEXIST' && lstatSync(join(top, path)).isDirectory();
    if (!isFolder)
      throw codeOf(error) === 'EEXIST' ? new Error(`${path} is a folder here and something else there`) : error;
  }
  folders.add(path);
};

const writeNew = (path: string, data: Buffer, mode: number): void => {
  const fd = openSync(path, 'wx', mode);
  try {
    for (let at = 0; at < data.length; ) at += writeSync(fd, data, at);
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
};
