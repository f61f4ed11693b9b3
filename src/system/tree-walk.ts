/**
 * Walking a tree without being led out of it. A folder is opened once, never through a link, and from then on its entries are reached
 * through the descriptor (`/proc/self/fd/N/name`, Node has no openat): whoever swaps a folder for a link meanwhile changes nothing.
 *
 * Names are bytes: Linux does not promise UTF-8, and a backup must not lose a file to its name. Used by the tree child only.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
} from 'node:fs';
import { codeOf } from './files.ts';
import { listMounts } from './mounts.ts';

/** Something that was left alone: absolute path, and why. */
export interface TreeLeft {
  readonly path: string;
  readonly kind: 'mount' | 'socket' | 'pipe' | 'device';
}

/** What was done so far; `count` adds to it and tells whoever waits. */
export interface Tally {
  bytes: number;
  files: number;
  /** The latest change of what was measured, in milliseconds of the epoch. */
  changedMs: number;
  readonly left: TreeLeft[];
  count(bytes: number, files?: number): void;
}

export interface Folder {
  readonly fd: number;
  /** For people, and for comparing with mount points. */
  readonly path: string;
  readonly dev: bigint;
  /** Mount points below the top of the tree: mostly none. */
  readonly mounts: ReadonlySet<string>;
}

export interface Entry {
  readonly name: Buffer;
  /** By way of the folder's descriptor. */
  readonly at: Buffer;
  readonly path: string;
  readonly stat: BigIntStats;
  readonly kind: 'file' | 'folder' | 'link' | TreeLeft['kind'];
}

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Opens the top of a tree, runs the work, closes it. A link in the last component is ENOTDIR. */
export const withTop = <T>(path: string, work: (top: Folder) => T): T => {
  const fd = openSync(path, folderFlags);
  paths.set(fd, path);
  try {
    const real = readlinkSync(`/proc/self/fd/${fd}`);
    const mounts = new Set(
      listMounts()
        .map((mount) => mount.point)
        .filter((point) => point.startsWith(real === '/' ? '/' : `${real}/`)),
    );
    return work({ fd, path: real, dev: fstatSync(fd, { bigint: true }).dev, mounts });
  } finally {
    closeSync(fd);
  }
};

/** Opens a folder inside, runs the work, closes it. Undefined where the folder vanished before it could be opened. */
export const withFolder = <T>(parent: Folder, entry: Entry, work: (folder: Folder) => T): T | undefined => {
  const fd = vanishing(() => openSync(entry.at, folderFlags));
  if (fd === undefined) return undefined;
  paths.set(fd, entry.path);
  try {
    const { dev } = fstatSync(fd, { bigint: true });
    if (dev !== parent.dev) throw new Error(`Something was mounted on ${entry.path} while it was read`);
    return work({ fd, path: entry.path, dev, mounts: parent.mounts });
  } finally {
    closeSync(fd);
  }
};

/** The entries that are there now, in the filesystem's order. What vanishes meanwhile was never there. */
export const entriesOf = (folder: Folder): Entry[] =>
  readdirSync(`/proc/self/fd/${folder.fd}`, { encoding: 'buffer' }).flatMap((name) => entryOf(folder, name) ?? []);

export const entryOf = (folder: Folder, name: Buffer): Entry | undefined => {
  const at = Buffer.concat([Buffer.from(`/proc/self/fd/${folder.fd}/`), name]);
  const stat = vanishing(() => lstatSync(at, { bigint: true }));
  if (!stat) return undefined;
  const path = `${folder.path === '/' ? '' : folder.path}/${name.toString('utf8')}`;
  const isMount = stat.dev !== folder.dev || folder.mounts.has(path);
  return { name, at, path, stat, kind: isMount ? 'mount' : kindOf(stat) };
};

/** Runs something on an entry that may vanish meanwhile: then the result is undefined. */
export const vanishing = <T>(action: () => T): T | undefined => {
  try {
    return action();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

/** The error as people can read it: with the folder's path in place of its descriptor's. */
export const readable = (error: unknown): { message: string; code?: string; path?: string; syscall?: string } => {
  const { message, path, syscall } = error as { message?: string; path?: unknown; syscall?: string };
  const clear = (text: string) =>
    text.replace(/\/proc\/self\/fd\/(\d+)/g, (whole, fd: string) => paths.get(Number(fd)) ?? whole);
  return {
    message: clear(message ?? String(error)),
    ...(path === undefined || path === null ? {} : { path: clear(String(path)) }),
    ...(syscall === undefined ? {} : { syscall }),
  };
};

/** Which path a descriptor stood for last. By the time an error is told it is closed, but not used again. */
const paths = new Map<number, string>();

/** Makes errors about an open file readable, too. */
export const rememberPath = (fd: number, path: string): number => {
  paths.set(fd, path);
  return fd;
};

const kindOf = (stat: BigIntStats): Entry['kind'] => {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'folder';
  if (stat.isSymbolicLink()) return 'link';
  return stat.isSocket() ? 'socket' : stat.isFIFO() ? 'pipe' : 'device';
};
