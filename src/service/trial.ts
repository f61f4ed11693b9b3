/**
 * Looking at a server on trial, and judging what was seen. The same look for all supervisors; who makes it, and how often, is theirs
 * (acting-units.ts, watch-trial.ts).
 *
 * One blip fails nothing. A release fails its trial when its server has died three times, or once where nobody starts it again, or when every
 * look in a row has found it unwell for longer than it may take to start. A server that somebody has stopped, in whatever way it ended then, and one
 * that a change is working on, are not looked at. While it is unwell the trial does not run out.
 */

import type { InstancePaths } from '../instance/paths.ts';
import type { InstanceState } from '../instance/state.ts';
import { readState } from '../instance/state.ts';
import { readMemory, secondsBetweenLooks, type Trial, type TrialMemory, writeMemory } from '../instance/trial.ts';
import { unfinished } from '../instance/unfinished.ts';
import { notedHolder } from '../system/lock.ts';
import type { World } from '../system/world.ts';
import { checkOnce } from './health/checks.ts';
import type { ServiceSpec } from './spec.ts';
import type { Observation, Supervisor } from './supervisor.ts';

/** Deaths that fail a trial; also how often systemd may start the server in it, by itself and for whoever types. */
export const deathsAllowed = 3;

export interface Seen {
  readonly observed: Observation;
  /** Why it is not well; null where it is, and where nobody asked it. */
  readonly unwell: string | null;
}

/** What is known after one more look. Pure. */
export const judge = (before: TrialMemory, seen: Seen, patienceMs: number, now: Date): TrialMemory => {
  const { state, restarts, gaveUp } = seen.observed;
  if (before.verdict !== null) return before;
  if (state === 'stopped') return { ...before, bad: 0, badSince: null, restarts: 0 };
  const more = restarts >= before.restarts ? restarts - before.restarts : restarts;
  const badSince = seen.unwell === null ? null : (before.badSince ?? now.toISOString());
  const bad = seen.unwell === null ? 0 : before.bad + 1;
  const known = { ...before, restarts, deaths: before.deaths + more, bad, badSince };
  const reason = reasonOf(known, gaveUp, seen.unwell, patienceMs, now);
  return reason === undefined ? known : { ...known, verdict: { at: now.toISOString(), reason } };
};

const reasonOf = (
  { deaths, bad, badSince }: TrialMemory,
  gaveUp: Observation['gaveUp'],
  unwell: string | null,
  patienceMs: number,
  now: Date,
): string | undefined => {
  if (deaths >= deathsAllowed) return `it died ${deaths} times`;
  // For the number of its starts alone, some of which somebody has typed, it is started again: attend-trial.ts.
  if (gaveUp === 'death') return 'it died, and its supervisor gave it up';
  const forMs = badSince === null ? 0 : now.getTime() - Date.parse(badSince);
  if (bad < 3 || forMs < patienceMs) return undefined;
  return `it was unwell at ${bad} looks in a row, for ${Math.round(forMs / 1000)} s: ${unwell}`;
};

/** Whether there is nothing more to look at. */
export const isOver = (trial: Trial, { bad, verdict }: TrialMemory, now: Date): boolean =>
  verdict === null && bad === 0 && now.getTime() >= Date.parse(trial.until);

/** How long it may be unwell: as long as it may take to start, and two looks at least. */
export const patienceOf = (trial: Trial, { startSeconds }: Pick<ServiceSpec, 'startSeconds'>): number =>
  1000 * Math.max(startSeconds, 2 * secondsBetweenLooks(trial));

/** Looks once, and writes down what has changed. Undefined where a change or somebody else is at work on the instance. */
export const lookAtTrial = async (
  world: Pick<World, 'now'>,
  paths: InstancePaths,
  state: InstanceState & { readonly trial: Trial },
  spec: ServiceSpec,
  supervisor: Pick<Supervisor, 'observe'>,
): Promise<TrialMemory | undefined> => {
  const before = readMemory(paths, state);
  if (before.verdict !== null) return before;
  if (isBusy(paths)) return undefined;
  const observed = asMeant(state, await supervisor.observe(spec));
  const unwell = await unwellNow(spec, observed);
  // Whoever began something meanwhile has made what was seen of it worthless.
  if (isBusy(paths) || readState(paths)?.changedAt !== state.changedAt) return undefined;
  const after = judge(before, { observed, unwell }, patienceOf(state.trial, spec), world.now());
  if (JSON.stringify(after) !== JSON.stringify(before)) writeMemory(paths, after);
  return after;
};

/** What does not run, and is not meant to, has failed nothing. */
const asMeant = ({ running }: InstanceState, observed: Observation): Observation =>
  running || observed.state === 'running' ? observed : { state: 'stopped', restarts: observed.restarts };

const unwellNow = async (spec: ServiceSpec, { state }: Observation): Promise<string | null> => {
  if (state === 'stopped') return null;
  if (state === 'failed') return 'it does not run';
  const report = await checkOnce(spec, 5_000);
  return report.healthy ? null : (report.reason ?? 'it does not answer');
};

const isBusy = (paths: InstancePaths): boolean => unfinished(paths) !== null || notedHolder(paths.lock) !== undefined;
