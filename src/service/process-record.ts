/**
 * What the process supervisor leaves for whoever comes next: `run/process.json`, written durably at each turn.
 *
 * `starting` is written before the server is made and its identity right after, so a supervisor that is killed in between
 * leaves at least the word that there may be a server: then survivors.ts looks for it by what it is. The folder may belong to the server's user:
 * a record that we did not write ourselves is no record, for it names processes that root would signal. Nor is one that came with a copy of another
 * instance's folder: it names that one's processes.
 */

import { join } from 'node:path';
import type { InstancePaths } from '../instance/paths.ts';
import { readIfThere, removeFile, statIfThere, writeDurably } from '../system/files.ts';
import type { ProcessIdentity } from '../system/processes.ts';
import { isSameFolder } from '../system/quick-files.ts';

export interface ProcessRecord {
  readonly format: 1;
  readonly supervisor: ProcessIdentity;
  readonly child: ProcessIdentity | null;
  /** `waiting`: the server died and is started again after a pause. */
  readonly phase: 'starting' | 'running' | 'waiting';
  readonly generation: number;
  /** Digest of the stored release that runs. */
  readonly digest: string;
  readonly restarts: number;
  /** How the server ended the last time: `exit 1`, `SIGKILL`. */
  readonly lastExit: string | null;
}

/** As it lies on the disk: with the folder of the instance that it is about. */
interface WrittenRecord extends ProcessRecord {
  readonly folder?: string;
}

export const recordFile = (paths: InstancePaths): string => join(paths.run, 'process.json');

/** The kernel lock that whoever runs the server holds: it is proof where the record is only word. */
export const supervisorLock = ({ home, name }: InstancePaths): string => join(home, 'locks', `${name}.supervisor.lock`);

/** The record, if there is one of this very folder that the user `uid` wrote and that can be read. */
export const readRecord = (paths: InstancePaths, uid: number): ProcessRecord | undefined => {
  const file = recordFile(paths);
  if (statIfThere(file)?.uid !== uid) return undefined;
  try {
    const { folder, ...record } = parseRecord(JSON.parse(readIfThere(file) ?? ''));
    // One that was moved under a running server left nothing there.
    const isOurs = folder === undefined || isSameFolder(folder, paths.folder) || statIfThere(folder) === undefined;
    return isOurs ? record : undefined;
  } catch {
    return undefined;
  }
};

export const writeRecord = (paths: InstancePaths, record: ProcessRecord): void =>
  writeDurably(recordFile(paths), `${JSON.stringify({ ...record, folder: paths.folder })}\n`, { mode: 0o644 });

export const removeRecord = (paths: InstancePaths): void => removeFile(recordFile(paths));

const parseRecord = (value: WrittenRecord): WrittenRecord => {
  const { format, supervisor, child, restarts } = value;
  const valid =
    format === 1 && isIdentity(supervisor) && (child === null || isIdentity(child)) && typeof restarts === 'number';
  if (!valid) throw new Error('no record of a process');
  return value;
};

const isIdentity = (value: ProcessIdentity | null): boolean =>
  value !== null &&
  Number.isSafeInteger(value.pid) &&
  value.pid > 1 &&
  typeof value.startTime === 'string' &&
  typeof value.bootId === 'string';
