/**
 * Pruning: removes stored releases that nobody needs. It runs behind a change that is already committed, so it never fails
 * one: whatever can't be removed is a warning, and while somebody else uses the store nothing is removed at all.
 *
 * A release first loses its name (one rename into staging) and is removed then: there is never half a release under its name.
 */
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { listFolder, renameDurably, statIfThere } from '../system/files.ts';
import { setMode } from '../system/quick-files.ts';
import type { World } from '../system/world.ts';
import { withoutHolders } from './holds.ts';
import { homePaths, releaseFolder, type StoreKey } from './layout.ts';
import { withStaging } from './staging.ts';

export interface PruneWarning {
  readonly id: 'prune-failed';
  readonly message: string;
  readonly remedy: string;
}

/** Removes every release but those. A function is asked behind the store's lock, when nobody can begin to use another one. */
export const pruneReleases = async (
  world: World,
  home: string,
  keep: readonly StoreKey[] | (() => readonly StoreKey[]),
): Promise<PruneWarning[]> => {
  const warnings: PruneWarning[] = [];
  try {
    await withoutHolders(world, home, async () => {
      const kept = new Set((typeof keep === 'function' ? keep() : keep).map((ref) => releaseFolder(home, ref)));
      for (const folder of storedFolders(home).filter((each) => !kept.has(each))) {
        await remove(world, home, folder).catch((error: unknown) => warnings.push(warningOf(folder, error)));
      }
    });
  } catch (error) {
    warnings.push(warningOf(homePaths(home).releases, error));
  }
  return warnings;
};

const storedFolders = (home: string): string[] => {
  const { releases } = homePaths(home);
  return listFolder(releases)
    .map((product) => join(releases, product))
    .filter((path) => statIfThere(path)?.kind === 'folder')
    .flatMap((path) => listFolder(path).map((name) => join(path, name)))
    .filter((path) => statIfThere(path)?.kind === 'folder');
};

const remove = (world: World, home: string, folder: string): Promise<void> =>
  withStaging(world, home, async (staging) => {
    // What its owner may not write, only root could move.
    setMode(folder, 0o755);
    renameDurably(folder, join(staging, 'pruned'));
  });

const warningOf = (path: string, error: unknown): PruneWarning => ({
  id: 'prune-failed',
  message: `${path} is no longer needed and could not be removed: ${messageOf(error)}.`,
  remedy: 'Nothing is wrong with the installation. The next change tries again.',
});
