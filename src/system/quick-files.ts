/**
 * Files that are made by the hundred in a folder nobody else sees yet: nothing here is synced. The folder is written out as a whole
 * (`syncTree`) before it gets its final name.
 */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './files.ts';

/**
 * Makes the folder, and those above it that lack. Not Node's own `recursive`: that calls a disk that is read-only, broken, or used up by a quota an ENOENT.
 */
export const makeFolderQuickly = (path: string, mode = 0o755): void => {
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeFolderQuickly(dirname(path), mode);
  try {
    mkdirSync(path, mode);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || !isFolder(path)) throw error;
  }
};

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Writes a new file, and its folder where that lacks. Throws where something of that name is there already. */
export const writeQuickly = (path: string, data: string | Uint8Array, mode: number): void => {
  makeFolderQuickly(dirname(path));
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  const fd = openSync(path, 'wx', mode);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  } finally {
    closeSync(fd);
  }
};

/** Moves a file into a folder that is made where it lacks (mode 0700). */
export const moveQuickly = (from: string, to: string): void => {
  makeFolderQuickly(dirname(to), 0o700);
  renameSync(from, to);
};

/** Makes a link, and its folder where that lacks. False where something of that name is there already. */
export const linkQuickly = (target: string, path: string): boolean => {
  makeFolderQuickly(dirname(path));
  try {
    symlinkSync(target, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
};

/** A second name for a file; where the filesystem has none of that, a copy (a clone where it can do that). */
export const doubleQuickly = (from: string, to: string): void => {
  makeFolderQuickly(dirname(to));
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
};

/** Removes the folder if nothing is in it; true where it is gone, false where something is in it. */
export const removeIfEmpty = (folder: string): boolean => {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true;
    if (['ENOTEMPTY', 'EEXIST', 'EBUSY'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
};

/**
 * Lets the system begin to write out the filesystem of the path, while other work goes on. A promise of nothing: `syncTree` has to
 * follow, and has less to do then.
 */
export const beginWritingOut = (path: string): Promise<void> =>
  new Promise((resolve) => {
    const { spawn } = process.getBuiltinModule('node:child_process');
    const child = spawn('sync', ['-f', '--', path], { stdio: 'ignore' });
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });

/** Sets the permission bits of one file or folder. */
export const setMode = (path: string, mode: number): void => chmodSync(path, mode);

/** Where the path leads to, through all links; undefined where it leads nowhere. */
export const realPathIfThere = (path: string): string | undefined => {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
};

/** Whether two paths lead to one folder: as they are written, or, where both are there, through links or another mount. */
export const isSameFolder = (one: string, other: string): boolean =>
  one === other || (identityOf(one) !== undefined && identityOf(one) === identityOf(other));

const identityOf = (path: string): string | undefined => {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
};
