/** What a tree takes on disk (blocks, not lengths, so that sparse files count for what they hold), and when it was last changed. Part of the tree child. */
import { type BigIntStats, fstatSync } from 'node:fs';
import { entriesOf, type Folder, type Tally, withFolder, withTop } from './tree-walk.ts';

/** Counts the folder itself, too. */
export const measure = (path: string, tally: Tally): void =>
  withTop(path, (top) => {
    note(tally, fstatSync(top.fd, { bigint: true }));
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
    note(tally, entry.stat);
    if (entry.kind === 'folder') withFolder(folder, entry, (inner) => measureFolder(inner, tally, seen));
  }
};

/** The inode's own time of change, which no program can set back. */
const note = (tally: Tally, { blocks, ctimeNs }: BigIntStats): void => {
  tally.count(Number(blocks) * 512);
  tally.changedMs = Math.max(tally.changedMs, Number(ctimeNs / 1_000_000n));
};
