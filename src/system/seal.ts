/**
 * Sealing: a finished tree of code is made read-only, and a digest taken of it that is the same wherever the tree lies
 * and whoever owns it. Runs in a worker thread, with synchronous calls.
 *
 * A line for each thing below the folder, sorted by path: kind, whether it is a program, sha256 of a file or target of a link, path.
 * Modes become 0555 and 0444 (folders 0555), so that what was sealed is not changed by accident; the folder itself stays writable
 * for its owner, who still has to rename it.
 */
import { chmodSync, type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface SealJob {
  readonly folder: string;
  /** Names directly in the folder that are not part of it: the seal itself. */
  readonly except: readonly string[];
  /** False: only look, for a check. */
  readonly readOnly: boolean;
}

export interface Sealed {
  /** 64 hex digits. */
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
}

/** Throws for anything that is no file, folder or link. */
export const seal = (job: SealJob): Sealed => {
  const crypto = process.getBuiltinModule('node:crypto');
  const lines: string[] = [];
  let bytes = 0;
  const visit = (relative: string): void => {
    for (const entry of readdirSync(join(job.folder, relative), { withFileTypes: true })) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (relative === '' && job.except.includes(entry.name)) continue;
      const full = join(job.folder, path);
      if (entry.isFile()) {
        const data = readFileSync(full);
        bytes += data.length;
        const program = isProgram(full);
        if (job.readOnly) chmodSync(full, program ? 0o555 : 0o444);
        lines.push(`${program ? 'program' : 'file'} ${crypto.createHash('sha256').update(data).digest('hex')} ${path}`);
      } else if (entry.isDirectory()) {
        lines.push(`folder ${path}`);
        visit(path);
        if (job.readOnly) chmodSync(full, 0o555);
      } else lines.push(`link ${targetOf(entry, full)} ${path}`);
    }
  };
  visit('');
  const digest = crypto.createHash('sha256').update(lines.sort().join('\n')).digest('hex');
  return { digest, files: lines.length, bytes };
};

const isProgram = (path: string): boolean => (lstatSync(path).mode & 0o100) !== 0;

const targetOf = (entry: Dirent, path: string): string => {
  if (!entry.isSymbolicLink()) throw new Error(`${path} is no file, folder or link`);
  return JSON.stringify(readlinkSync(path));
};
