/**
 * What a run that was killed has left of an instance while no change of it is open: it was preparing one (`P.next`), writing a file (a
 * temporary), about to open the journal (its reserve, a first line that is torn), or erasing what was counted.
 *
 * Nothing of it is in use, and the installation is as it was. `recover` removes it all, holding the instance, so that nothing temporary is left
 * behind it; the next change removes what stands in its way.
 */

import { join } from 'node:path';
import { sweepAsking } from '../consent/asking.ts';
import { eraseTelemetry, listErasing } from '../consent/erase.ts';
import { consentOf } from '../consent/gather.ts';
import { withConsentLockIfPossible } from '../consent/guard.ts';
import { markTemporaries } from '../consent/mark.ts';
import { messageOf } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { listHalfMade } from '../instance/recovery-copy.ts';
import { readState } from '../instance/state.ts';
import { listFolder, listTemporaries, removeFile, statIfThere } from '../system/files.ts';
import { removeTree } from '../system/tree.ts';
import type { World } from '../system/world.ts';
import { isUnopened } from './journal.ts';
import type { Ports } from './request.ts';
import { listReserve } from './reserve.ts';
import { sweep } from './stage.ts';
import { allParts, nextOf, removePrepared } from './steps/parts.ts';

/** Whether there is anything to be removed. Only for an instance of which no change is open. */
export const hasLeftovers = (world: World, paths: InstancePaths): boolean =>
  isSkeleton(paths) || [...leftFiles(paths), ...leftFolders(paths)].some(isThere) || hasOldCounts(world, paths);

/** What was counted under a yes that is over, and could not be erased when it ended. */
const hasOldCounts = (world: World, paths: InstancePaths): boolean =>
  isThere(paths.telemetry) && consentOf(world, paths).state !== 'accepted';

/** Removes them, and what dead runs have left in staging. True if there was anything; what can't be removed is a warning. */
export const removeLeftovers = async (ports: Ports, paths: InstancePaths): Promise<boolean> => {
  const { world, events } = ports;
  try {
    sweepAsking(world, paths);
    const swept = await sweep(ports, paths);
    if (!hasLeftovers(world, paths)) return swept > 0;
    await removePrepared({ world, paths, account: readState(paths)?.account ?? null });
    if (hasOldCounts(world, paths) || listErasing(paths).length > 0) await eraseTelemetry(world, paths);
    for (const path of listHalfMade(paths)) await removeTree(path);
    await removeFiles(world, paths);
    if (isSkeleton(paths)) await removeTree(paths.folder);
    return true;
  } catch (error) {
    const message = `Leftovers in ${paths.folder} could not be removed: ${messageOf(error)}.`;
    events.warn({ id: 'sweep-failed', message, remedy: 'They only take space. The next change tries again.' });
    return false;
  }
};

/** Under the lock of consent, too: a withdrawal writes files of its own beside a change. */
const removeFiles = (world: World, paths: InstancePaths): Promise<void> =>
  withConsentLockIfPossible(world, paths, 'sweep', async () => {
    for (const file of leftFiles(paths)) removeFile(file);
  });

const leftFolders = (paths: InstancePaths): string[] => [
  ...listErasing(paths),
  ...listHalfMade(paths),
  ...allParts.map((part) => nextOf(paths, part)),
];

const leftFiles = (paths: InstancePaths): string[] => [
  ...[paths.folder, paths.journal, paths.notices].flatMap(listTemporaries),
  ...markTemporaries(paths),
  ...listFolder(paths.folder)
    .filter((name) => recordTemporary.test(name))
    .map((name) => join(paths.folder, name)),
  ...(isUnopened(paths) ? [paths.openJournal] : []),
  ...listReserve(paths),
];

/** The library that writes the record has temporaries of its own. */
const recordTemporary = /^consent\.json\.tmp-[0-9a-f]+$/;

/** Of a first install that never opened, or a purge that had come to its last folder: nothing is kept in it. */
const isSkeleton = (paths: InstancePaths): boolean => {
  if (!isThere(paths.folder)) return false;
  const made = ['backups', 'journal', 'logs', 'notices', 'recover'];
  const isEmpty = (folder: string): boolean => listFolder(folder).length === 0;
  return (
    listFolder(paths.folder).every((name) => made.includes(name)) &&
    [paths.backups, paths.journal, paths.logs].every(isEmpty)
  );
};

const isThere = (path: string): boolean => statIfThere(path) !== undefined;
