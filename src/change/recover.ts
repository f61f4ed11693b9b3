/**
 * `recover`: ends an interrupted change, by itself forward behind the commit point and backward before it. Where nothing is open there
 * is nothing to end, however often it is typed; but what a run that was killed has left beside it goes then, too.
 *
 * The machine may have lost its power meanwhile. So a server that ran when the change began, or shall run behind it, is started here where it is
 * down and no step of the recovery has had to start it: under systemd, where a boot types this and starts no server whose change is open, and where nobody else would start it.
 */

import { Failure, messageOf } from '../errors.ts';
import { pickInstance } from '../instance/find.ts';
import { type InstancePaths, instancePaths } from '../instance/paths.ts';
import { readState } from '../instance/state.ts';
import { unfinished } from '../instance/unfinished.ts';
import { findProgram } from '../release/program.ts';
import { gate } from '../service/health.ts';
import { hostOf } from '../service/spec.ts';
import { type Observation, type SupervisorKind, supervisors } from '../service/supervisor.ts';
import type { InstanceName } from '../values.ts';
import { resultOf } from './conduct.ts';
import { specOf } from './context.ts';
import { followConsent } from './follow-consent.ts';
import { holdInstance } from './hold.ts';
import { discardUnopened, readJournal } from './journal.ts';
import { hasLeftovers, removeLeftovers } from './leftovers.ts';
import type { ChangeResult, Ports } from './request.ts';
import { recoverChange } from './resume.ts';

export interface RecoverRequest {
  readonly instance?: string;
  readonly towards?: 'finish' | 'undo';
  readonly yes: boolean;
}

export const recover = async (ports: Ports, request: RecoverRequest): Promise<ChangeResult> => {
  // A first install that was killed while it prepared itself is in no list, and has leftovers all the same.
  const isLeft = (name: InstanceName): boolean => hasLeftovers(instancePaths(ports.home, name));
  const paths = instancePaths(ports.home, await pickInstance(ports.home, request.instance, isLeft));
  const plain = { plan: null, setAside: [], downtimeSeconds: null };
  const hold = holdInstance(ports.world, paths, 'recover');
  try {
    const open = unfinished(paths);
    if (open === null && readJournal(paths) === undefined) {
      const left = await sweepKilled(ports, paths);
      ports.events.note(`No change of ${paths.name} was interrupted.${left ? ` ${sweptText}` : ''}`);
      return resultOf(ports, paths, { ...plain, ...(left ? recovered : unchanged) });
    }
    if (open?.running)
      throw new Failure(
        'instance-busy',
        `The ${open.kind} of ${paths.name} is still running, pid ${open.process?.pid}.`,
        'Wait until it has ended.',
      );
    const before = readJournal(paths)?.opening;
    const towards = await recoverChange(hold.following(ports), paths, request.towards);
    if (towards === 'finish' || before?.found.running === true) await startMeant(ports, paths);
    await removeLeftovers(ports, paths);
  } finally {
    hold.release();
  }
  await followConsent(ports, paths);
  return resultOf(ports, paths, { ...plain, ...recovered });
};

const recovered = { outcome: 'recovered', changed: true } as const;
const unchanged = { outcome: 'unchanged', changed: false } as const;
const sweptText = 'A run was killed before it had begun one, and what it had prepared is removed.';

/** Where no change is open. True if there was anything to be removed. */
const sweepKilled = async (ports: Ports, paths: InstancePaths): Promise<boolean> => {
  const unopened = discardUnopened(paths);
  if (unopened) await startMeant(ports, paths);
  return (await removeLeftovers(ports, paths)) || unopened;
};

/** systemd goes on with what has failed; of a run of our own that has, nothing but its record is left. */
const isDown = (kind: SupervisorKind, { state }: Observation): boolean =>
  state === 'stopped' || (kind === 'process' && state === 'failed');

/** The change is ended, whatever comes of this: a server that can't be started, or does not answer, is a warning. */
const startMeant = async ({ world, home, events }: Ports, paths: InstancePaths): Promise<void> => {
  const state = readState(paths);
  if (state?.installed !== true || !state.running || state.supervisor === 'none') return;
  try {
    const spec = specOf(state, paths, hostOf(world, findProgram(world, home)));
    const supervisor = supervisors[state.supervisor];
    if (!isDown(state.supervisor, await supervisor.observe(spec))) return;
    await supervisor.start(spec);
    // A boot waits for nobody's health.
    if (state.supervisor === 'systemd') return;
    const { healthy, reason } = await gate(supervisor, spec);
    if (!healthy) throw new Error(reason ?? 'it is not healthy');
  } catch (error) {
    events.warn({
      id: 'not-started',
      message: `The change is ended, and the server is not up: ${messageOf(error)}`,
      remedy: `See its log: assent logs ${paths.name}. Then: assent start ${paths.name}`,
    });
  }
};
