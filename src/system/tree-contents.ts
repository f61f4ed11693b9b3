/**
 * Copying the contents of one file: cloned where the filesystem can, else by the kernel, and by parts where the file is large (so that progress is told, and
 * the end of whoever asked is seen) or has holes. Part of the tree child.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { codeOf } from './files.ts';
import { type Entry, rememberPath, type Tally, vanishing } from './tree-walk.ts';

/** False where the file vanished before it could be opened. */
export const copyContents = (entry: Entry, at: Buffer, tally: Tally): boolean => {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const fd = vanishing(() => openSync(entry.at, flags));
  if (fd === undefined) return false;
  rememberPath(fd, entry.path);
  const { size, blocks } = entry.stat;
  const hasHoles = blocks * 512n < size;
  try {
    if (hasHoles || size > BigInt(16 * chunk.length)) copyByParts(fd, at, hasHoles, tally);
    else {
      copyFileSync(`/proc/self/fd/${fd}`, at, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      tally.count(Number(size), 0);
    }
    return true;
  } finally {
    closeSync(fd);
  }
};

/**
 * Large files tell how far they are; and a database that reserved a terabyte must not take one in its copy: of a file with holes, parts
 * that are all zeros are skipped. Where the filesystem can clone, neither matters.
 */
const copyByParts = (from: number, at: Buffer, hasHoles: boolean, tally: Tally): void => {
  const { size } = fstatSync(from);
  if (isCloned(from, at)) {
    tally.count(size, 0);
    return;
  }
  const to = openSync(at, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    let position = 0;
    for (let length = readSync(from, chunk); length > 0; length = readSync(from, chunk)) {
      const bytes = chunk.subarray(0, length);
      if (!hasHoles || bytes.compare(zeros, 0, length) !== 0) writeAll(to, bytes, position);
      position += length;
      tally.count(length, 0);
    }
    ftruncateSync(to, position);
  } finally {
    closeSync(to);
  }
};

const isCloned = (from: number, at: Buffer): boolean => {
  try {
    copyFileSync(`/proc/self/fd/${from}`, at, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error;
    vanishing(() => unlinkSync(at));
    return false;
  }
};

const chunk = Buffer.allocUnsafe(256 * 1024);
const zeros = Buffer.alloc(chunk.length);

const writeAll = (fd: number, bytes: Buffer, position: number): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
};
