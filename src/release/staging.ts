/**
 * Folders under HOME/staging, in which something is made that gets its final name only when it is complete.
 *
 * Each has a lock beside it, NAME.lock, which is taken before the folder is made and dies with its holder. So the sweep can tell what a dead
 * run has left from what a living one is making, whatever namespace it runs in and however long it takes. Names are random and
 * never used again: a lock file may be removed by whoever holds it.
 */
import { join } from 'node:path';
import { listFolder, makeFolder, removeFile } from '../system/files.ts';
import { tryLock } from '../system/lock.ts';
import { removeIfEmpty } from '../system/quick-files.ts';
import { removeTree } from '../system/tree.ts';
import type { World } from '../system/world.ts';
import { holderOf, homePaths, makeHome } from './layout.ts';

/** Gives `work` an empty folder of its own, mode 0700, and removes what is left of it afterwards. */
export const withStaging = async <T>(world: World, home: string, work: (folder: string) => Promise<T>): Promise<T> => {
  const { staging } = makeHome(home);
  for (;;) {
    const folder = join(staging, world.random(8).toString('hex'));
    const attempt = tryLock(`${folder}.lock`, holderOf(world, 'staging'));
    if (!('lock' in attempt)) continue;
    try {
      makeFolder(folder, { mode: 0o700, exclusive: true });
      return await work(folder);
    } finally {
      // What could not be removed (a mount in it, say) keeps its lock file, so that a later sweep tries again.
      if (removeIfEmpty(folder) || (await removeTree(folder)).left.length === 0) removeFile(`${folder}.lock`);
      attempt.lock.release();
    }
  }
};

/** Removes what dead runs have left; what living ones are making stays. Returns how many leftovers went. */
export const sweepStaging = async (world: World, home: string): Promise<number> => {
  const { staging } = homePaths(home);
  let swept = 0;
  for (const name of listFolder(staging).filter((entry) => entry.endsWith('.lock'))) {
    const lockFile = join(staging, name);
    const attempt = tryLock(lockFile, holderOf(world, 'sweeping'));
    if (!('lock' in attempt)) continue;
    const { left } = await removeTree(lockFile.slice(0, -'.lock'.length));
    if (left.length === 0) {
      removeFile(lockFile);
      swept += 1;
    }
    attempt.lock.release();
  }
  return swept;
};
