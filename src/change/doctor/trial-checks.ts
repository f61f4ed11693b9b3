/** Checks of what acts by itself: the recovery at boot; a trial: that somebody watches it, what it waits for, and what it has done. */

import { readMemory } from '../../instance/trial.ts';
import { hasBootRecovery, isTrialWatched } from '../../service/acting.ts';
import type { Found, Patient } from './finding.ts';
import { note, problem, warning } from './finding.ts';

const onTrial = async ({ world, paths, state, spec }: Patient): Promise<Found[]> => {
  const { trial } = state;
  if (trial === undefined) return [];
  const { verdict, ending, detail } = readMemory(paths, state);
  if (verdict !== null) {
    const failed = `${state.release.version} has failed its trial (${verdict.at}): ${verdict.reason}.`;
    if (ending !== 'waits') return [note('trial-failed', failed, 'It is being rolled back: assent status')];
    return [
      problem(
        'trial-failed',
        `${failed} ${detail}`,
        `assent rollback ${paths.name}, or keep it: mend it, assent restart`,
      ),
    ];
  }
  if (world.now().getTime() >= Date.parse(trial.until)) return [];
  if (state.supervisor === 'systemd' && !(await isTrialWatched(spec)))
    return [
      warning(
        'trial-not-watched',
        `${state.release.version} is on trial until ${trial.until}, and its timer is missing.`,
        `Look by hand: assent trial ${paths.name}`,
      ),
    ];
  return [
    note(
      'on-trial',
      `${state.release.version} is on trial until ${trial.until}.`,
      `If it fails, ${state.previous?.release.version ?? 'the release before'} comes back by itself.`,
    ),
  ];
};

const failedTrial = ({ paths, state: { failedTrial: failed } }: Patient): Found[] =>
  failed === undefined
    ? []
    : [
        note(
          'undone-by-trial',
          `${failed.version} failed its trial and was rolled back by itself, ${failed.at}: ${failed.reason}.`,
          `Its log: assent logs ${paths.name}. To try it again: assent upgrade ${paths.name}`,
        ),
      ];

const bootRecovery = async ({ paths, state, spec }: Patient): Promise<Found[]> =>
  state.supervisor !== 'systemd' || (await hasBootRecovery(spec))
    ? []
    : [
        note(
          'no-boot-recovery',
          'A change that is interrupted by a reboot is not ended at boot: its unit is missing.',
          `The next change writes it: assent reinstall ${paths.name}`,
        ),
      ];

export const trialChecks = [onTrial, failedTrial, bootRecovery] as const;
