/** What a rollback goes back to, and why there may be none: refused before anything is touched, for the release of before would come up on something else than what it left. */

import { Failure } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import type { InstanceState, Previous } from '../instance/state.ts';
import { findStored, type StoredRelease } from '../release/store.ts';
import { statIfThere } from '../system/files.ts';
import { backupOf } from './steps/parts.ts';

export interface WayBack {
  readonly previous: Previous;
  readonly stored: StoredRelease;
  /** The folder of the backup. */
  readonly folder: string;
}

/** Throws 'no-previous' where there was no release before, 'refused-check' where it or its backup is gone. */
export const wayBack = (paths: InstancePaths, { previous, title, release }: InstanceState): WayBack => {
  if (previous === null)
    throw new Failure(
      'no-previous',
      `${paths.name} has no release before ${release.version}.`,
      'There is one after an upgrade. A folder that was moved or copied begins without one.',
    );
  const { product, version, digest } = previous.release;
  const stored = findStored(paths.home, product, version, digest);
  const folder = backupOf(paths, previous.backup);
  if (stored === undefined)
    throw noWay(paths, `The release before, ${title} ${version}, is missing or incomplete in the store.`);
  if (statIfThere(folder)?.kind !== 'folder') throw noWay(paths, backupGone(folder));
  return { previous, stored, folder };
};

export const backupGone = (folder: string): string => `The backup of a rollback, ${folder}, is gone.`;

/** Where a rollback is to take data of then that are not there (any more): it would begin with nothing. */
export const dataGone = (folder: string): Failure =>
  new Failure(
    'refused-check',
    `The data of then, ${folder}, are gone.`,
    'Nothing was changed. Restore them from a backup of the machine, or take those of now: --data now.',
  );

const noWay = (paths: InstancePaths, why: string): Failure =>
  new Failure('refused-check', why, `Nothing was changed. What else there is to it: assent doctor ${paths.name}`);
