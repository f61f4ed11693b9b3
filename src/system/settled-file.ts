/**
 * For files that a library wrote: owner, mode and durability, as writeDurably gives them to ours.
 */
import { closeSync, constants, fchmodSync, fchownSync, fstatSync, fsyncSync, openSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Owner, syncFolder } from './files.ts';

/** Sets mode and owner where they differ, and writes file and folder out. A link is never followed. Throws the system's error. */
export const settleFile = (path: string, mode: number, owner?: Owner): void => {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (owner && (stat.uid !== owner.uid || stat.gid !== owner.gid)) fchownSync(fd, owner.uid, owner.gid);
    if ((stat.mode & 0o7777) !== mode) fchmodSync(fd, mode);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  syncFolder(dirname(path));
};

/** The path without links in it. Throws where nothing is there. */
export const realPath = (path: string): string => realpathSync(path);

/** Stands still for some milliseconds, for readers that can't await. */
export const pause = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
};
