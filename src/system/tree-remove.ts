/**
 * Removing a tree: every name is taken out of its folder by way of the folder's descriptor, so that no link leads elsewhere. What is mounted
 * inside stays, and so do the folders above it. A folder that its owner may not write is made writable first. Part of the tree child.
 */
import { chmodSync, lstatSync, readlinkSync, rmdirSync, unlinkSync } from 'node:fs';
import { codeOf } from './files.ts';
import { listMounts } from './mounts.ts';
import { type Entry, entriesOf, type Folder, type Tally, vanishing, withFolder, withTop } from './tree-walk.ts';

/** With `keepTop` the folder itself stays, empty: its parent is somebody else's to write. A top that is a mount point is left alone altogether. */
export const removeTop = (path: string, keepTop: boolean, tally: Tally): void => {
  const stat = vanishing(() => lstatSync(path));
  if (!stat) return;
  makeWritable(path, stat.mode, stat.uid);
  const isEmpty = withTop(path, (top) => {
    const real = readlinkSync(`/proc/self/fd/${top.fd}`);
    if (listMounts().some((mount) => mount.point === real)) {
      tally.left.push({ path, kind: 'mount' });
      return false;
    }
    return emptyFolder(top, tally);
  });
  if (isEmpty && !keepTop) vanishing(() => rmdirSync(path));
};

/** Removes one entry with all below it. False where something had to stay. */
export const removeEntry = (folder: Folder, entry: Entry, tally: Tally): boolean => {
  if (entry.kind === 'mount') {
    tally.left.push({ path: entry.path, kind: 'mount' });
    return false;
  }
  if (entry.kind === 'folder') return removeFolder(folder, entry, tally);
  vanishing(() => unlinkSync(entry.at));
  tally.count(0);
  return true;
};

const removeFolder = (parent: Folder, entry: Entry, tally: Tally): boolean => {
  makeWritable(entry.at, Number(entry.stat.mode), Number(entry.stat.uid));
  // Somebody may still be writing there: after a few rounds it is an error, not a race to win.
  for (let round = 0; ; round++) {
    if (withFolder(parent, entry, (folder) => emptyFolder(folder, tally)) === false) return false;
    try {
      vanishing(() => rmdirSync(entry.at));
      tally.count(0);
      return true;
    } catch (error) {
      if (codeOf(error) !== 'ENOTEMPTY' || round >= 3) throw error;
    }
  }
};

const emptyFolder = (folder: Folder, tally: Tally): boolean =>
  entriesOf(folder).reduce((isEmpty, entry) => removeEntry(folder, entry, tally) && isEmpty, true);

/** Root needs no such leave, and must not change modes by a path that others could turn into a link. */
const makeWritable = (path: string | Buffer, mode: number, uid: number): void => {
  const us = process.geteuid?.();
  if (us !== 0 && us === uid && (mode & 0o700) !== 0o700) chmodSync(path, (mode & 0o7777) | 0o700);
};
