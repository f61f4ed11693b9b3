/**
 * The trial of a release where `assent run` is the supervisor: it looks by itself, and starts the command that acts when the release has failed.
 *
 * That command (`assent trial NAME`) is a process of its own, for the rollback that it makes stops this supervisor and all that is below it. It is
 * started again, at leisure, for as long as it has not said what becomes of the release, and is not at it: somebody else may have held the instance.
 */

import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { readState } from '../instance/state.ts';
import { secondsBetweenLooks } from '../instance/trial.ts';
import { codeOf } from '../system/files.ts';
import { notedHolder } from '../system/lock.ts';
import { ownCommand } from '../system/own-process.ts';
import { sleep, startDetached } from '../system/processes.ts';
import type { World } from '../system/world.ts';
import { observeRun } from './process.ts';
import type { ServiceSpec } from './spec.ts';
import { isOver, lookAtTrial } from './trial.ts';

export interface TrialWatch {
  /** A look that is under way comes to nothing: nobody waits for it, for the server is being stopped. */
  end(): void;
}

/** Where the command that acts says what it does. */
export const trialLog = ({ run }: InstancePaths): string => join(run, 'trial.log');

/** Begins to watch, where there is a trial: one that begins later comes with another start. `say` writes into the server's log. */
export const watchTrial = (
  world: World,
  paths: InstancePaths,
  specNow: () => ServiceSpec,
  say: (text: string) => void,
): TrialWatch => {
  let ended = false;
  const watched: Watched = { world, paths, specNow, say, isEnded: () => ended, isTold: false };
  void watchAll(watched);
  return {
    end: () => {
      ended = true;
    },
  };
};

interface Watched {
  readonly world: World;
  readonly paths: InstancePaths;
  readonly specNow: () => ServiceSpec;
  readonly say: (text: string) => void;
  readonly isEnded: () => boolean;
  /** That it has failed. */
  isTold: boolean;
}

/** What goes wrong with one look (a disk that is full, say) is told once, and the next look is made. */
const watchAll = async (watched: Watched): Promise<void> => {
  for (let trouble = ''; !watched.isEnded(); ) {
    let seconds: number | undefined = 10;
    try {
      seconds = await look(watched);
    } catch (error) {
      const kind = codeOf(error) ?? messageOf(error);
      if (kind !== trouble && !watched.isEnded())
        watched.say(`a look at the release on trial failed: ${messageOf(error)}`);
      trouble = kind;
    }
    if (seconds === undefined) return;
    await nap(seconds, watched.isEnded);
  }
};

/** Seconds until the next look; undefined where none is due any more. */
const look = async (watched: Watched): Promise<number | undefined> => {
  const { world, paths, specNow, say, isEnded } = watched;
  const state = readState(paths);
  if (state?.trial === undefined || state.supervisor !== 'process') return undefined;
  const { trial } = state;
  const supervisor = { observe: async (spec: ServiceSpec) => observeRun(spec) };
  const memory = await lookAtTrial(world, paths, { ...state, trial }, specNow(), supervisor);
  if (memory !== undefined && (memory.ending !== null || isOver(trial, memory, world.now()))) return undefined;
  if (!memory?.verdict) return secondsBetweenLooks(trial);
  if (isEnded()) return undefined;
  if (!watched.isTold)
    say(`${state.release.version} has failed its trial: ${memory.verdict.reason}. See ${trialLog(paths)}`);
  watched.isTold = true;
  if (notedHolder(paths.trialLock) === undefined) startHook(paths, specNow());
  return 10;
};

/** The veto that the server runs under goes on with the release before. */
const startHook = (paths: InstancePaths, { host, environment }: ServiceSpec): void => {
  const veto = environment['DO_NOT_TRACK'];
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };
  startDetached([...ownCommand(), 'trial', paths.name, '--home', paths.home], {
    cwd: paths.folder,
    env: { ...env, HOME: host.home, ...(veto === undefined ? {} : { DO_NOT_TRACK: veto }) },
    stdout: trialLog(paths),
    stderr: trialLog(paths),
  });
};

const nap = async (seconds: number, isEnded: () => boolean): Promise<void> => {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end && !isEnded()) await sleep(50);
};
