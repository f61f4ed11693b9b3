/**
 * `assent trial`: looks once at a release on trial, and acts where it has failed. Supervisors call it; nobody has to.
 *
 * It goes back to the release before by the same rollback that a person would type, with no terminal and no answer about telemetry, so a yes is
 * void. Dangers that the older release declares were accepted when it was installed. Once at most: whatever keeps it from going back, or
 * undoes that, is written down, and from then on it is up to a person. So it is where going back would leave data behind: the older
 * release has another format, and the data were written to since the trial began.
 */

import { Failure, messageOf } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import type { InstanceState } from '../instance/state.ts';
import { readState } from '../instance/state.ts';
import { forgetMemory, type Trial, type TrialMemory, writeMemory } from '../instance/trial.ts';
import { unfinished } from '../instance/unfinished.ts';
import { ensureProgram } from '../release/program.ts';
import { removeTrial } from '../service/acting.ts';
import type { ServiceSpec } from '../service/spec.ts';
import { hostOf } from '../service/spec.ts';
import { supervisors } from '../service/supervisor.ts';
import { isOver, lookAtTrial } from '../service/trial.ts';
import { tryLock } from '../system/lock.ts';
import { conduct } from './conduct.ts';
import { specOf } from './context.ts';
import { formatChanged } from './data-choice.ts';
import { holdIfFree } from './hold.ts';
import { LeftBehind, leftBehind } from './left-behind.ts';
import type { ChangeRequest, ChangeResult, Events, Ports } from './request.ts';
import { resolveTarget } from './target.ts';

export type Attended =
  | { readonly became: 'none' | 'well' | 'over' | 'busy' }
  | { readonly became: 'waits'; readonly detail: string }
  | { readonly became: 'rolled-back'; readonly result: ChangeResult };

/** One at a time, whoever has started it. Failures of the rollback itself come through, once they are written down. */
export const attendTrial = async (ports: Ports, paths: InstancePaths): Promise<Attended> => {
  if (readState(paths)?.trial === undefined) return { became: 'none' };
  const attempt = tryLock(paths.trialLock, {
    pid: ports.world.pid,
    command: 'assent trial',
    step: 'look',
    startedAt: ports.world.now().toISOString(),
  });
  if (!('lock' in attempt)) return { became: 'busy' };
  try {
    return await attend(ports, paths);
  } finally {
    attempt.lock.release();
  }
};

const attend = async (ports: Ports, paths: InstancePaths): Promise<Attended> => {
  const state = readState(paths);
  if (state?.installed !== true || state.trial === undefined) return { became: 'none' };
  const spec = specOf(state, paths, hostOf(ports.world, await ensureProgram(ports.world, ports.home)));
  const onTrial: OnTrial = { ports: quietly(ports), paths, state: { ...state, trial: state.trial }, spec };
  const memory = await lookAtTrial(ports.world, paths, onTrial.state, spec, supervisors[state.supervisor]);
  if (memory === undefined) return { became: 'busy' };
  if (memory.verdict === null) {
    if (isOver(state.trial, memory, ports.world.now())) return over(onTrial);
    if (memory.bad > 0) await startAgain(onTrial, memory);
    return { became: 'well' };
  }
  if (memory.ending === 'waits') return waits(onTrial, memory.detail);
  return act(onTrial, memory);
};

interface OnTrial {
  readonly ports: Ports;
  readonly paths: InstancePaths;
  readonly state: InstanceState & { readonly trial: Trial };
  readonly spec: ServiceSpec;
}

/** Nobody is asked, whoever has typed it. */
const quietly = (ports: Ports): Ports => ({ ...ports, asker: { ...ports.asker, interactive: false } });

const over = async (trial: OnTrial): Promise<Attended> => {
  const isDone = await heldIfSame(trial, async () => {
    await removeTrial(trial.spec, trial.state.supervisor);
    forgetMemory(trial.paths);
  });
  return { became: isDone ? 'over' : 'busy' };
};

/**
 * For what takes a trial away: another change may have ended since the look, and the units are of that one's trial then. False, and nothing done, where
 * there is another installation, or somebody is at work on this one; a change that has failed and could not be undone is ours.
 */
const heldIfSame = async (trial: OnTrial, work: () => Promise<void>): Promise<boolean> => {
  const hold = holdIfFree(trial.ports.world, trial.paths, 'trial');
  if (hold === undefined) return false;
  try {
    if (!isSame(trial)) return false;
    await work();
    return true;
  } finally {
    hold.release();
  }
};

/** An open change has not said yet which installation there will be; should it be another, it takes this trial away itself. */
const isSame = ({ paths, state }: OnTrial): boolean =>
  unfinished(paths) !== null || readState(paths)?.changedAt === state.changedAt;

/** systemd has given it up for the number of its starts, and it has not died so often: somebody has restarted it. From here on both are counted anew. */
const startAgain = async (trial: OnTrial, memory: TrialMemory): Promise<void> => {
  const { ports, paths, state, spec } = trial;
  const supervisor = supervisors[state.supervisor];
  try {
    if ((await supervisor.observe(spec)).gaveUp === undefined) return;
    await heldIfSame(trial, async () => {
      if (unfinished(paths) !== null || readState(paths)?.running !== true) return;
      await supervisor.start(spec);
      writeMemory(paths, { ...memory, restarts: 0 });
    });
  } catch (error) {
    ports.events.warn({
      id: 'not-started',
      message: `The server had been started too often for systemd, and does not start now: ${messageOf(error)}`,
      remedy: `See its log: assent logs ${paths.name}. Then: assent start ${paths.name}`,
    });
  }
};

const act = async (trial: OnTrial, memory: TrialMemory): Promise<Attended> => {
  const { ports, paths, state } = trial;
  // A change may have begun since the look; and one that was interrupted belongs to `recover`.
  if (unfinished(paths) !== null) return { became: 'busy' };
  if (memory.ending === 'acting') return wait(trial, memory, 'The rollback that had begun was interrupted.');
  const reason = memory.verdict?.reason ?? '';
  ports.events.note(`${state.title} ${state.release.version} has failed its trial: ${reason}.`);
  const request: ChangeRequest = {
    kind: 'rollback',
    judged: state.changedAt,
    instance: paths.name,
    given: {},
    yes: true,
    dryRun: false,
    ack: [],
  };
  try {
    const lost = await whatWouldBeLost(trial, request);
    if (lost !== undefined) return await wait(trial, memory, lost);
    const { plan } = await conduct({ ...ports, events: unheard }, { ...request, dryRun: true });
    writeMemory(paths, { ...memory, ending: 'acting' });
    const failedTrial = { version: state.release.version, at: memory.verdict?.at ?? state.trial.since, reason };
    const ack = (plan?.dangers ?? []).map(({ id }) => id);
    return { became: 'rolled-back', result: await conduct(ports, { ...request, ack, failedTrial }) };
  } catch (error) {
    return await failed(trial, memory, error);
  }
};

/** What passes by itself is tried again at the next look; all else is up to a person, and the failure tells it now. */
const failed = async (trial: OnTrial, memory: TrialMemory, error: unknown): Promise<Attended> => {
  const passes =
    error instanceof Failure && ['instance-busy', 'refused-changed-meanwhile', 'cancelled'].includes(error.code);
  if (passes) {
    if (isSame(trial)) writeMemory(trial.paths, { ...memory, ending: null });
    return { became: 'busy' };
  }
  // Found before, it had not even begun.
  if (error instanceof Failure && error.cause instanceof LeftBehind) return wait(trial, memory, error.cause.message);
  await wait(trial, memory, `The rollback did not succeed: ${messageOf(error)}`);
  throw error;
};

/** From here on nobody looks any more, and the server is started again and again as it is without a trial. */
const wait = async (trial: OnTrial, memory: TrialMemory, why: string): Promise<Attended> => {
  const { paths } = trial;
  if (!isSame(trial)) return { became: 'busy' };
  const detail = `${why} It stays as it is until you decide. Back to the release before: assent rollback ${paths.name}`;
  writeMemory(paths, { ...memory, ending: 'waits', detail });
  return waits(trial, detail);
};

/** May be repeated: where somebody holds the instance, or it was interrupted, the next look takes the trial away. */
const waits = async (trial: OnTrial, detail: string): Promise<Attended> => {
  const { ports, paths, state, spec } = trial;
  try {
    await heldIfSame(trial, async () => {
      await removeTrial(spec, state.supervisor);
      const supervisor = supervisors[state.supervisor];
      const isOpen = unfinished(paths) !== null;
      if (!isOpen && (await supervisor.observe(spec)).gaveUp) await supervisor.start(spec);
    });
  } catch (error) {
    ports.events.warn({
      id: 'trial-left',
      message: `The server is not started again by itself: ${messageOf(error)}.`,
      remedy: `assent start ${paths.name}`,
    });
  }
  return { became: 'waits', detail };
};

/** Undefined where a rollback leaves nothing behind that was written since the trial began. */
const whatWouldBeLost = async (
  { ports, paths, state }: OnTrial,
  request: ChangeRequest,
): Promise<string | undefined> => {
  const target = await resolveTarget(ports, request, paths.name);
  if (!formatChanged(ports, target)) return undefined;
  return leftBehind(paths, state.account, state.trial.since, target.to.version);
};

/** For the plan that nobody is shown. */
const unheard: Events = {
  ...{ title: () => {}, plan: () => {}, stepStarted: () => {}, stepProgress: () => {}, stepDone: () => {} },
  ...{ stepFailed: () => {}, stepUndone: () => {}, warn: () => {}, note: () => {} },
};
