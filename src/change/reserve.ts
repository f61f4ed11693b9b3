/**
 * What a change holds back of its disk until its undo begins, so that an undo needs no new space: bytes for its entries in the journal and for what it writes anew, and
 * files (a filesystem can run out of inodes with bytes to spare), for the server of before makes some when it starts again.
 */

import { join } from 'node:path';
import type { InstancePaths } from '../instance/paths.ts';
import { listFolder, makeFolder, removeFiles, writeDurably } from '../system/files.ts';
import { writeQuickly } from '../system/quick-files.ts';

const bytes = 256 * 1024;
const files = 8;

const reserveOf = ({ journal }: InstancePaths): string => join(journal, 'reserve');

/** Lies on the disk when this returns. Throws the system's error; what was made then is for `removeReserve`. */
export const makeReserve = (paths: InstancePaths): void => {
  // Others can't list it, but the server's account has to see whether a change is open.
  makeFolder(paths.journal, { mode: 0o711 });
  removeReserve(paths);
  // The last one brings its folder to the disk, and with it the names of all.
  for (let n = 1; n < files; n++) writeQuickly(`${reserveOf(paths)}-${n}`, '', 0o600);
  writeDurably(reserveOf(paths), Buffer.alloc(bytes, 'reserve\n'), { mode: 0o600 });
};

/** Gives it back; nothing happens where there is none. */
export const removeReserve = (paths: InstancePaths): void => removeFiles(listReserve(paths));

/** The paths of what is there of it. */
export const listReserve = ({ journal }: InstancePaths): string[] =>
  listFolder(journal)
    .filter((name) => /^reserve(-\d+)?$/.test(name))
    .map((name) => join(journal, name));
