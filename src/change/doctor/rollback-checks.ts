/**
 * Could I roll back right now? The release before has to be as it was sealed and its Node has to run, the backup has to be what was left, and there has to be
 * space for a copy of the data. What a rollback would take and leave is a note; so is that there is nothing to go back to. Only looked at: `--drill` tries it.
 */

import { join } from 'node:path';
import type { Previous } from '../../instance/state.ts';
import { findRuntime } from '../../release/runtime.ts';
import { findStored, type StoredRelease, verifyStored } from '../../release/store.ts';
import { statIfThere } from '../../system/files.ts';
import { measureTree } from '../../system/tree.ts';
import { treeOptions } from '../as-account.ts';
import { backupDifferences } from '../backup-digests.ts';
import { wrongAnswerIn } from '../node-answer.ts';
import { lackingForCopy } from '../space.ts';
import { backupOf } from '../steps/parts.ts';
import { backupGone, dataGone } from '../way-back.ts';
import { type Found, note, type Patient, problem } from './finding.ts';

const goesBack = (patient: Patient): Found[] => {
  const { previous } = patient.state;
  if (previous === null)
    return [note('rollback-none', 'There is no release to roll back to.', 'There is one after an upgrade.')];
  const { version } = previous.release;
  const data =
    dataTaken(patient, previous) === 'then'
      ? `the data of then, as ${version} left it ${previous.at}: what came since would be in a backup only`
      : 'the data of now';
  return [
    note(
      'rollback',
      `A rollback goes to ${patient.state.title} ${version} with ${data}.`,
      `To try it on a copy: assent doctor ${patient.paths.name} --drill`,
    ),
  ];
};

const releaseThere = async ({ paths, state }: Patient): Promise<Found[]> => {
  const { previous } = state;
  if (previous === null) return [];
  const { product, version } = previous.release;
  const stored = previousStored(paths.home, previous);
  if (stored === undefined)
    return [
      problem(
        'rollback-release',
        `There is no rollback: the release before, ${product} ${version}, is missing or incomplete in the store.`,
        noWayBack,
      ),
    ];
  const [first, ...more] = await verifyStored(stored);
  if (first === undefined) return [];
  const others = more.length === 0 ? '' : `; and ${more.length} more`;
  return [
    problem(
      'rollback-release',
      `A rollback would go to a release that is not as it was sealed, ${stored.folder}: ${first}${others}.`,
      noWayBack,
    ),
  ];
};

const noWayBack = 'Nothing can be gone back to until the next upgrade. Keep what you need of the backup by hand.';

const runtimeThere = async (patient: Patient): Promise<Found[]> => {
  const { paths, state } = patient;
  const runtime = state.previous === null ? undefined : previousStored(paths.home, state.previous)?.release.runtime;
  if (runtime === undefined) return [];
  const node = findRuntime(paths.home, runtime);
  if (node === undefined)
    return [problem('rollback-runtime', `A rollback would lack the private Node ${runtime}: it is gone.`, renewed)];
  const said = await wrongAnswerIn(patient, node, runtime);
  if (said === null) return [];
  return [problem('rollback-runtime', `A rollback would run on ${node}, which does not answer: ${said}.`, renewed)];
};

const renewed = 'A rollback fetches it again where that needs a network. Nothing is wrong with what runs.';

const backupIntact = async (patient: Patient): Promise<Found[]> => {
  const { paths, state } = patient;
  if (state.previous === null) return [];
  const { backup } = state.previous;
  const folder = backupOf(paths, backup);
  if (statIfThere(folder)?.kind !== 'folder')
    return [problem('rollback-backup', backupGone(folder), `Restore it from a backup of the machine. ${noWayBack}`)];
  const then = join(folder, 'data');
  if (dataTaken(patient, state.previous) === 'then' && statIfThere(then) === undefined)
    return [problem('rollback-backup', dataGone(then).message, besideBackup)];
  const differences = await backupDifferences(paths, backup, state.account);
  if (differences === 'unknown')
    return [
      note(
        'rollback-unchecked',
        `Whether the backup ${folder} is as it was left can't be told: nothing was written down when it was made.`,
        'The next upgrade or rollback writes it down.',
      ),
    ];
  if (differences.length === 0) return [];
  const told = differences.join('; ');
  return [problem('rollback-backup', `The backup of a rollback is not as it was left: ${told}.`, besideBackup)];
};

const besideBackup =
  'Restore it from a backup of the machine, or go back with the data of now where its format is the same.';

const spaceThere = async (patient: Patient): Promise<Found[]> => {
  const { paths, state } = patient;
  if (state.previous === null) return [];
  const then = join(backupOf(paths, state.previous.backup), 'data');
  const folder = dataTaken(patient, state.previous) === 'then' ? then : paths.data;
  if (statIfThere(folder)?.kind !== 'folder') return [];
  const lacking = lackingForCopy(paths.folder, await measureTree(folder, treeOptions(state)));
  if (lacking === undefined) return [];
  return [problem('rollback-space', `There is not enough space for a rollback: ${lacking}.`, 'Make room there.')];
};

/** As a rollback would choose: of then where the format has changed since. */
const dataTaken = ({ paths, stored }: Patient, previous: Previous): 'then' | 'now' =>
  previousStored(paths.home, previous)?.release.data.format === stored.release.data.format ? 'now' : 'then';

const previousStored = (home: string, { release }: Previous): StoredRelease | undefined =>
  findStored(home, release.product, release.version, release.digest);

export const rollbackChecks = [goesBack, releaseThere, runtimeThere, backupIntact, spaceThere] as const;
