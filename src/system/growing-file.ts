/**
 * A file that grows by appending, for logs: opened so that nobody who may write its folder can lead us astray
 * (no link is followed, only a plain file with one name is accepted, a pipe does not make us wait). Not synced: a log is no promise.
 */

import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  writeSync,
} from 'node:fs';

export interface GrowingFile {
  readonly append: (bytes: Uint8Array) => void;
  /** Bytes in the file. */
  readonly size: () => number;
  readonly close: () => void;
}

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Opens or makes the file, mode 0640, with the owner's group where one is given. Throws for anything but a plain file. */
export const openGrowing = (path: string, group?: number): GrowingFile => {
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o640);
  const stat = fstatSync(fd);
  if (!stat.isFile() || stat.nlink !== 1) {
    closeSync(fd);
    throw new Error(`${path} is not a plain file of its own`);
  }
  if (group !== undefined && stat.gid !== group) fchownSync(fd, -1, group);
  let size = stat.size;
  return {
    append: (bytes) => {
      size += writeSync(fd, bytes);
    },
    size: () => size,
    close: () => closeSync(fd),
  };
};

/** Renames a log; no error where it is not there. Not synced. */
export const renameLog = (from: string, to: string): void => {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
};

/** Bytes of the file from an offset, 1 MiB at most; undefined where it is not there. `inode` tells a rotated file from its successor. */
export const readGrowing = (
  path: string,
  offset: number,
): { bytes: Buffer; size: number; inode: number } | undefined => {
  let fd: number;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size, ino } = fstatSync(fd);
    const bytes = Buffer.alloc(Math.max(0, Math.min(size - offset, 1 << 20)));
    return { bytes: bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, offset)), size, inode: ino };
  } finally {
    closeSync(fd);
  }
};

/** A file that others append to, held open: it stays the same file when it is renamed, and also when it is deleted. */
export interface HeldFile {
  /** Tells the file from another that has its name later. */
  readonly identity: string;
  /** Bytes in the file now. */
  readonly size: () => number;
  /** Reads bytes from a position of the file into the buffer; how many there were. */
  readonly read: (into: Uint8Array, at: number, length: number, position: number) => number;
  readonly close: () => void;
}

/**
 * Opens for reading what others append to, if it really lies in the folder: neither the file nor a folder on the way may be a link that leads out
 * (the system is asked where the opened file is, so there is no gap between looking and opening). A text says why it can't be had.
 */
export const holdGrowing = (path: string, folder: string): HeldFile | string => {
  let fd: number | undefined;
  try {
    const inside = `${realpathSync(folder)}/`;
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const held = fd;
    const stat = fstatSync(held, { bigint: true });
    const problem = !stat.isFile()
      ? 'is no plain file'
      : readlinkSync(`/proc/self/fd/${held}`).startsWith(inside)
        ? undefined
        : `does not lie in ${folder}`;
    if (problem !== undefined) {
      closeSync(held);
      return problem;
    }
    return {
      identity: identityOf(stat),
      size: () => fstatSync(held).size,
      read: (into, at, length, position) => readSync(held, into, at, length, position),
      close: () => closeSync(held),
    };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' ? 'is not there' : code === 'ELOOP' ? 'is a link' : `can't be read (${code})`;
  }
};

/** The identity of the file that has this name now; undefined where there is none or none may be seen. A link is a file of its own. */
export const identityAt = (path: string): string | undefined => {
  try {
    return identityOf(lstatSync(path, { bigint: true }));
  } catch {
    return undefined;
  }
};

const identityOf = ({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string => `${dev}:${ino}`;
