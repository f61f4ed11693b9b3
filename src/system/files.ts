/**
 * Durable single files: what is written here survives a power cut, or was never there.
 *
 * A file is replaced by writing a temporary beside it (a random name, O_EXCL), fsync, rename, fsync of the folder. Owner and
 * mode are set through the descriptor, before the rename. A link in the last component is never followed. After a failed
 * fsync nothing is tried again and nothing is reported as done: the kernel may have dropped the pages it could not write.
 *
 * Synchronous on purpose (these are small files) and light: `status` comes through here.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isQuota } from '../errors.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface WriteOptions {
  /** Permission bits, set exactly (no umask). Default 0o644 for files, 0o755 for folders. */
  readonly mode?: number;
  /** Given only where it may differ from ours: changing the owner needs root. */
  readonly owner?: Owner;
}

export interface FileStat {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly size: number;
  /** Permission bits only, setuid and its like included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
  /** When content, owner, mode or name were changed last; nobody can set it back. */
  readonly changedMs: number;
  readonly dev: number;
  readonly ino: number;
}

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/**
 * Replaces the file in one step. A link of that name is replaced, not followed; a device, a pipe or a folder never is (root could rename over
 * /dev/null). Throws the system's error; then the old file stands.
 */
export const writeDurably = (path: string, data: string | Uint8Array, options: WriteOptions = {}): void => {
  const there = statIfThere(path)?.kind;
  if (there === 'other' || there === 'folder') throw notRegular(path);
  const temporary = temporaryBeside(path);
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      writeAll(fd, data);
      setAttributes(fd, { mode: 0o644, ...options });
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
  syncFolder(dirname(path));
};

/** The file as text, or undefined where there is none. Throws for a link, a folder, a pipe, and whatever can't be read. */
export const readIfThere = (path: string): string | undefined => readBytesIfThere(path)?.toString('utf8');

/** The same as bytes. */
export const readBytesIfThere = (path: string): Buffer | undefined => {
  const fd = ifThere(() => openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  if (fd === undefined) return undefined;
  try {
    regularFile(fd, path);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
};

/** What stands at the path itself (a link is not followed); undefined where nothing does. */
export const statIfThere = (path: string): FileStat | undefined => {
  const stat = ifThere(() => lstatSync(path));
  if (stat === undefined) return undefined;
  const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'other';
  const { size, uid, gid, mtimeMs, ctimeMs: changedMs, dev, ino } = stat;
  return { kind, size, mode: stat.mode & 0o7777, uid, gid, mtimeMs, changedMs, dev, ino };
};

/**
 * Makes the folder, and the missing ones above it (those with 0755 and our own owner). Where it is there already, it gets the mode and owner that were asked
 * for, so that a run that was killed in between can be repeated; with `exclusive` that is EEXIST. A link in its place is an error.
 */
export const makeFolder = (path: string, options: WriteOptions & { readonly exclusive?: boolean } = {}): void => {
  const parent = dirname(path);
  if (parent !== path && !isThere(parent)) makeFolder(parent);
  const { exclusive = false, ...attributes } = options;
  const isNew = makeOne(path, exclusive);
  const fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    setAttributes(fd, isNew ? { mode: 0o755, ...attributes } : attributes);
    syncDescriptor(fd);
  } finally {
    closeSync(fd);
  }
  if (isNew) syncFolder(parent);
};

/** Renames, and makes both folders durable. */
export const renameDurably = (from: string, to: string): void => {
  renameSync(from, to);
  syncFolder(dirname(to));
  if (dirname(from) !== dirname(to)) syncFolder(dirname(from));
};

/** Makes `path` a link to `target`: a new link beside it is renamed over it, so there is always one of the two. */
export const replaceLink = (target: string, path: string): void => {
  const temporary = temporaryBeside(path);
  symlinkSync(target, temporary);
  try {
    renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
  syncFolder(dirname(path));
};

/** What the link at the path says; undefined where nothing stands there. Throws EINVAL where it is no link. */
export const readLinkIfThere = (path: string): string | undefined => ifThere(() => readlinkSync(path));

/** Removes a file or link; nothing happens where it is gone already. */
export const removeFile = (path: string): void => {
  const removed = ifThere(() => {
    unlinkSync(path);
    return true;
  });
  if (removed) syncFolder(dirname(path));
};

/** The same for files of one folder, which is synced once. */
export const removeFiles = (paths: readonly string[]): void => {
  for (const path of paths) ifThere(() => unlinkSync(path));
  for (const folder of new Set(paths.map(dirname))) syncFolder(folder);
};

/** The names in the folder, sorted by code unit; none where there is no folder. Temporaries of a write that was killed are left out. */
export const listFolder = (path: string): string[] =>
  (ifThere(() => readdirSync(path)) ?? []).filter((name) => !isTemporary(name)).sort();

/** Makes the folder's entries durable. */
export const syncFolder = (path: string): void => {
  const fd = openSync(path, O_RDONLY | O_DIRECTORY);
  try {
    syncDescriptor(fd);
  } finally {
    closeSync(fd);
  }
};

/** Writes out everything of the filesystem that holds the path. Throws when the system reports an error. */
export const syncTree = (path: string): void => {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { status, stderr, error } = spawnSync('sync', ['-f', '--', path], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`Could not write out the filesystem of ${path}: ${stderr.trim()}`);
};

/** Paths of the temporaries in the folder that writes which were killed have left there, and of those that are under way. */
export const listTemporaries = (path: string): string[] =>
  (ifThere(() => readdirSync(path)) ?? []).filter(isTemporary).map((name) => join(path, name));

/** Whether the name is one of our temporaries: left by a write that was killed, and free to be removed. */
export const isTemporary = (name: string): boolean => /^\..+\.[0-9a-f]{16}\.part$/.test(name);

const temporaryBeside = (path: string): string => {
  const random = process.getBuiltinModule('node:crypto').randomBytes(8).toString('hex');
  return join(dirname(path), `.${basename(path).slice(0, 50)}.${random}.part`);
};

export const writeAll = (fd: number, data: string | Uint8Array): void => {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
};

/** Through the descriptor. The owner first: changing it drops the setuid bits. */
export const setAttributes = (fd: number, { mode, owner }: WriteOptions): void => {
  if (owner) fchownSync(fd, owner.uid, owner.gid);
  if (mode !== undefined) fchmodSync(fd, mode);
};

/** What the descriptor leads to. Throws EINVAL for anything but a regular file. */
export const regularFile = (fd: number, path: string): { size: number } => {
  const stat = fstatSync(fd);
  if (!stat.isFile()) throw notRegular(path);
  return stat;
};

const notRegular = (path: string): Error =>
  Object.assign(new Error(`Not a regular file: ${path}`), { code: 'EINVAL', path });

const makeOne = (path: string, exclusive: boolean): boolean => {
  try {
    mkdirSync(path, 0o700);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || exclusive) throw error;
    return false;
  }
};

const isThere = (path: string): boolean => ifThere(() => lstatSync(path)) !== undefined;

/** Some network filesystems have no fsync for folders; everything else that goes wrong is an error. */
const syncDescriptor = (fd: number): void => {
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP'].includes(codeOf(error) ?? '')) throw error;
  }
};

const removeQuietly = (path: string): void => {
  try {
    unlinkSync(path);
  } catch {
    // The error that brought us here is the one to tell; a temporary that stays is known by its name.
  }
};

/** What the action returns, or undefined where there is no such path. */
export const ifThere = <T>(action: () => T): T | undefined => {
  try {
    return action();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
};

/** The system's name of an error (`ENOENT`), where it has one. Node has none for a quota that is used up. */
export const codeOf = (error: unknown): string | undefined => {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return undefined;
  return isQuota(error) ? 'EDQUOT' : error.code;
};
