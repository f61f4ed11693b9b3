/** What a tree takes on disk: blocks, not lengths, so that sparse files count for what they hold. Part of the tree child. */
import { fstatSync } from 'node:fs';
import { entriesOf, type Folder, type Tally, withFolder, withTop } from './tree-walk.ts';

/** Counts the folder itself, too. */
export const measure = (path: string, tally: Tally): void =>
  withTop(path, (top) => {
    tally.count(Number(fstatSync(top.fd, { bigint: true }).blocks) * 512);
    measureFolder(top, tally, new Set());
  });

const measureFolder = (folder: Folder, tally: Tally, seen: Set<bigint>): void => {
  for (const entry of entriesOf(folder)) {
    if (entry.kind === 'mount') {
      tally.left.push({ path: entry.path, kind: 'mount' });
      continue;
    }
    // The tree is on one filesystem, so the inode's number is enough to know a file of several names again.
    if (entry.kind !== 'folder' && entry.stat.nlink > 1n) {
      if (seen.has(entry.stat.ino)) continue;
      seen.add(entry.stat.ino);
    }
    tally.count(Number(entry.stat.blocks) * 512);
    if (entry.kind === 'folder') withFolder(folder, entry, (inner) => measureFolder(inner, tally, seen));
  }
};
