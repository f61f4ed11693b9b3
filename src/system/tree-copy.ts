/**
 * Copying a tree, and bringing a copy up to date. Part of the tree child.
 *
 * A first copy may be made while a server still writes: what vanishes meanwhile is left out, what changes is found by the update. It asks two things of
 * each file: is it the same by size, mode, owner and time, and did its inode change (ctime, which nobody can set back) well before the copy was begun (the copy's birth)?
 * Times are as coarse as the kernel's tick, so what changed within two seconds of being copied is copied again.
 */
import {
  type BigIntStats,
  chmodSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { codeOf, syncTree } from './files.ts';
import { copyContents } from './tree-contents.ts';
import { removeEntry } from './tree-remove.ts';
import {
  type Entry,
  entriesOf,
  entryOf,
  type Folder,
  type Tally,
  vanishing,
  withFolder,
  withTop,
} from './tree-walk.ts';

/** Makes `to`, or fills it where it is empty. */
export const copyInto = (from: string, to: string, tally: Tally): void =>
  withTop(from, (source) => {
    // Pages that a program has mapped and written keep their old time until they were written out once: then its next write is seen.
    syncTree(source.path);
    // That may have taken minutes: whoever asked may be gone, and a recovery be at work where the copy would be made.
    tally.count(0, 0);
    makeTop(to);
    withTop(to, (target) => {
      if (entriesOf(target).length > 0) throw notEmpty(to);
      copyFolder(newWork(source, target, tally));
    });
  });

/** Makes `to` equal to `from`. */
export const updateInto = (from: string, to: string, tally: Tally): void =>
  withTop(from, (source) => withTop(to, (target) => updateFolder(newWork(source, target, tally))));

interface Work {
  readonly source: Folder;
  readonly target: Folder;
  readonly tally: Tally;
  /** By way of the copy's top: what names of files inside it begin with. */
  readonly prefix: Buffer;
  /** For files of several names: where the copy of each inode lies. */
  readonly names: Map<bigint, Buffer>;
}

const newWork = (source: Folder, target: Folder, tally: Tally): Work => ({
  source,
  target,
  tally,
  prefix: inFolder(target, Buffer.alloc(0)),
  names: new Map(),
});

const inFolder = (folder: Folder, name: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`/proc/self/fd/${folder.fd}/`), name]);

const notEmpty = (path: string): Error => Object.assign(new Error(`Not empty: ${path}`), { code: 'ENOTEMPTY', path });

const makeTop = (path: string): void => {
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
};

const copyFolder = (work: Work): void => {
  for (const entry of entriesOf(work.source)) copyEntry(work, entry);
  giveAttributes(work);
};

const updateFolder = (work: Work): void => {
  const { source, target, tally } = work;
  fchmodSync(target.fd, Number(fstatSync(target.fd).mode & 0o7777) | 0o700);
  const wanted = entriesOf(source);
  const names = new Set(wanted.filter(isCopied).map((entry) => entry.name.toString('latin1')));
  for (const entry of entriesOf(target)) {
    if (!names.has(entry.name.toString('latin1'))) removeEntry(target, entry, tally);
  }
  for (const entry of wanted) updateEntry(work, entry);
  giveAttributes(work);
};

const isCopied = (entry: Entry): boolean => ['file', 'folder', 'link', 'mount'].includes(entry.kind);

const updateEntry = (work: Work, entry: Entry): void => {
  const { target, tally } = work;
  const there = isCopied(entry) ? entryOf(target, entry.name) : undefined;
  if (!there) copyEntry(work, entry);
  else if (entry.kind === 'folder' && there.kind === 'folder') intoFolder(work, entry, there, updateFolder);
  else if (entry.kind === 'mount' && there.kind === 'folder') reportLeft(work, entry);
  else if (!isUnchanged(work, entry, there) && removeEntry(target, there, tally)) copyEntry(work, entry);
};

const copyEntry = (work: Work, entry: Entry): void => {
  const at = inFolder(work.target, entry.name);
  if (entry.kind === 'link') copyLink(work, entry, at);
  else if (entry.kind === 'file') copyFile(work, entry, at);
  else if (entry.kind === 'folder') {
    mkdirSync(at, 0o700);
    const made = entryOf(work.target, entry.name);
    if (made) intoFolder(work, entry, made, copyFolder);
  } else {
    // What is mounted there is not copied, but the folder to mount it on is.
    if (entry.kind === 'mount' && entry.stat.isDirectory()) mkdirSync(at, 0o700);
    reportLeft(work, entry);
  }
};

const reportLeft = ({ tally }: Work, { path, kind }: Entry): void => {
  if (kind !== 'file' && kind !== 'folder' && kind !== 'link') tally.left.push({ path, kind });
};

const intoFolder = (work: Work, from: Entry, to: Entry, next: (work: Work) => void): void => {
  const prefix = Buffer.concat([work.prefix, from.name, Buffer.from('/')]);
  withFolder(work.source, from, (source) =>
    withFolder(work.target, to, (target) => next({ ...work, source, target, prefix })),
  );
  work.tally.count(0);
};

const copyLink = ({ tally }: Work, entry: Entry, at: Buffer): void => {
  const points = vanishing(() => readlinkSync(entry.at, { encoding: 'buffer' }));
  if (!points) return;
  symlinkSync(points, at);
  if (changesOwner(entry.stat)) lchownSync(at, Number(entry.stat.uid), Number(entry.stat.gid));
  lutimesSync(at, seconds(entry.stat.atimeNs), seconds(entry.stat.mtimeNs));
  tally.count(0);
};

const copyFile = (work: Work, entry: Entry, at: Buffer): void => {
  const { names, tally, prefix } = work;
  const { stat } = entry;
  const known = names.get(stat.ino);
  if (known) linkSync(known, at);
  else if (copyContents(entry, at, tally)) {
    if (changesOwner(stat)) lchownSync(at, Number(stat.uid), Number(stat.gid));
    chmodSync(at, Number(stat.mode & 0o7777n));
    utimesSync(at, seconds(stat.atimeNs), seconds(stat.mtimeNs));
    if (stat.nlink > 1n) names.set(stat.ino, Buffer.concat([prefix, entry.name]));
  } else return;
  tally.count(0);
};

/** The folder's own, at last: a folder that may not be written could not be filled. */
const giveAttributes = ({ source, target }: Work): void => {
  const stat = fstatSync(source.fd, { bigint: true });
  if (changesOwner(stat)) fchownSync(target.fd, Number(stat.uid), Number(stat.gid));
  fchmodSync(target.fd, Number(stat.mode & 0o7777n));
  futimesSync(target.fd, seconds(stat.atimeNs), seconds(stat.mtimeNs));
};

const isUnchanged = ({ names, prefix }: Work, entry: Entry, there: Entry): boolean => {
  const [now, then] = [entry.stat, there.stat];
  if (entry.kind !== there.kind || !hasSameOwner(now, then)) return false;
  if (entry.kind === 'link') return readlinkSync(entry.at, 'latin1') === readlinkSync(there.at, 'latin1');
  const known = names.get(now.ino);
  if (known) return lstatSync(known, { bigint: true }).ino === then.ino;
  const isSame = now.size === then.size && now.mode === then.mode && isSameTime(now.mtimeNs, then.mtimeNs);
  const isOld = now.ctimeNs + settlingNs < then.birthtimeNs;
  if (isSame && isOld && now.nlink > 1n) names.set(now.ino, Buffer.concat([prefix, entry.name]));
  return isSame && isOld;
};

const settlingNs = 2_000_000_000n;

/** Node sets times as floating point seconds, which are off by some hundred nanoseconds. */
const isSameTime = (a: bigint, b: bigint): boolean => a - b < 2000n && b - a < 2000n;

const seconds = (ns: bigint): number => Number(ns) / 1e9;

/** Only root gives files away; everybody else's copy is his own. */
const changesOwner = (stat: BigIntStats): boolean =>
  process.geteuid?.() === 0 && (stat.uid !== 0n || stat.gid !== BigInt(process.getegid?.() ?? 0));

const hasSameOwner = (a: BigIntStats, b: BigIntStats): boolean =>
  process.geteuid?.() !== 0 || (a.uid === b.uid && a.gid === b.gid);
