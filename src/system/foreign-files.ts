/**
 * Reading in a folder that another account writes. Whoever owns it may put anything there: links, pipes, devices, files without an end,
 * a million names. Nothing is followed, nothing is waited for, and no more is read than was asked for.
 *
 * Nothing here throws for what that account can bring about: what is not as it has to be is not there.
 */

import { closeSync, constants, fstatSync, opendirSync, openSync, readSync } from 'node:fs';
import { codeOf } from './files.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** At most so many names of the folder, sorted; none where there is no folder, or a link in its place. */
export const listForeign = (path: string, most: number): string[] => {
  if (!isFolder(path)) return [];
  const names: string[] = [];
  const folder = opendirSync(path);
  try {
    for (let entry = folder.readSync(); entry !== null && names.length < most; entry = folder.readSync())
      names.push(entry.name);
  } finally {
    closeQuietly(() => folder.closeSync());
  }
  return names.sort();
};

/** The bytes of a regular file of that owner with one name and at most so many bytes; undefined for anything else. */
export const readForeign = (path: string, { uid, most }: { uid: number; most: number }): Buffer | undefined => {
  const fd = openIfPossible(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (fd === undefined) return undefined;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.uid !== uid || stat.nlink !== 1 || stat.size > most) return undefined;
    // One byte more than may be there: a file that grows meanwhile is none of ours.
    const bytes = Buffer.alloc(stat.size + 1);
    let at = 0;
    for (let got = -1; got !== 0 && at < bytes.length; at += got) got = readSync(fd, bytes, at, bytes.length - at, at);
    return at === stat.size ? bytes.subarray(0, at) : undefined;
  } finally {
    closeSync(fd);
  }
};

const isFolder = (path: string): boolean => {
  const fd = openIfPossible(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | constants.O_DIRECTORY);
  if (fd !== undefined) closeSync(fd);
  return fd !== undefined;
};

/** A file that the account may read and we may not is no error of ours to tell; what the system lacks (descriptors, memory) is. */
const openIfPossible = (path: string, flags: number): number | undefined => {
  try {
    return openSync(path, flags);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'ENXIO', 'ENODEV'].includes(codeOf(error) ?? ''))
      return undefined;
    throw error;
  }
};

const closeQuietly = (close: () => void): void => {
  try {
    close();
  } catch {
    // It was read to its end.
  }
};
