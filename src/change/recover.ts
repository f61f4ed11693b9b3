/**
 * `recover`: ends an interrupted change, by itself forward behind the commit point and backward before it. Where nothing is open there
 * is nothing to do, however often it is typed.
 *
 * Under systemd a boot types it, and starts no server whose change is open. So a server that ran when the change began, or shall run behind it,
 * is started here where it is down and no step of the recovery has had to start it.
 */

import { Failure, messageOf } from '../errors.ts';
import { pickInstance } from '../instance/find.ts';
import { type InstancePaths, instancePaths } from '../instance/paths.ts';
import { readState } from '../instance/state.ts';
import { unfinished } from '../instance/unfinished.ts';
import { findProgram } from '../release/program.ts';
import { hostOf } from '../service/spec.ts';
import { supervisors } from '../service/supervisor.ts';
import { resultOf } from './conduct.ts';
import { specOf } from './context.ts';
import { followConsent } from './follow-consent.ts';
import { holdInstance } from './hold.ts';
import { discardUnopened, readJournal } from './journal.ts';
import type { ChangeResult, Ports } from './request.ts';
import { recoverChange } from './transaction.ts';

export interface RecoverRequest {
  readonly instance?: string;
  readonly towards?: 'finish' | 'undo';
  readonly yes: boolean;
}

export const recover = async (ports: Ports, request: RecoverRequest): Promise<ChangeResult> => {
  const paths = instancePaths(ports.home, await pickInstance(ports.home, request.instance));
  const plain = { plan: null, setAside: [], downtimeSeconds: null };
  const hold = holdInstance(ports.world, paths, 'recover');
  try {
    const open = unfinished(paths);
    if (open === null && readJournal(paths) === undefined) {
      if (discardUnopened(paths)) await startMeant(ports, paths);
      ports.events.note(`No change of ${paths.name} was interrupted.`);
      return resultOf(ports, paths, { ...plain, outcome: 'unchanged', changed: false });
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
  } finally {
    hold.release();
  }
  await followConsent(ports, paths);
  return resultOf(ports, paths, { ...plain, outcome: 'recovered', changed: true });
};

/** As the boot would have done it. How it is then is for `status` to tell: the change is ended, whatever comes of this. */
const startMeant = async ({ world, home, events }: Ports, paths: InstancePaths): Promise<void> => {
  const state = readState(paths);
  if (state?.installed !== true || !state.running || state.supervisor !== 'systemd') return;
  try {
    const spec = specOf(state, paths, hostOf(world, findProgram(world, home)));
    const supervisor = supervisors[state.supervisor];
    if ((await supervisor.observe(spec)).state === 'stopped') await supervisor.start(spec);
  } catch (error) {
    events.warn({
      id: 'not-started',
      message: `The change is ended, and the server does not start: ${messageOf(error)}`,
      remedy: `See its log: assent logs ${paths.name}. Then: assent start ${paths.name}`,
    });
  }
};
