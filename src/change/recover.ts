/**
 * `recover`: ends an interrupted change, by itself forward behind the commit point and backward before it. Where nothing is open there
 * is nothing to end, however often it is typed; but what a run that was killed has left beside it goes then, too.
 */

import { Failure } from '../errors.ts';
import { pickInstance } from '../instance/find.ts';
import { type InstancePaths, instancePaths } from '../instance/paths.ts';
import { unfinished } from '../instance/unfinished.ts';
import { toTheEnd } from '../system/signals.ts';
import type { InstanceName } from '../values.ts';
import { resultOf } from './conduct.ts';
import { followConsent } from './follow-consent.ts';
import { holdInstance } from './hold.ts';
import { discardUnopened, readJournal } from './journal.ts';
import { hasLeftovers, removeLeftovers } from './leftovers.ts';
import type { ChangeResult, Ports } from './request.ts';
import { recoverChange } from './resume.ts';
import { startMeant } from './start-meant.ts';

export interface RecoverRequest {
  readonly instance?: string;
  readonly towards?: 'finish' | 'undo';
  readonly yes: boolean;
}

export const recover = async (ports: Ports, request: RecoverRequest): Promise<ChangeResult> => {
  // A first install that was killed while it prepared itself is in no list, nor is what was uninstalled; both may have leftovers all the same.
  const isLeft = (name: InstanceName): boolean => hasLeftovers(ports.world, instancePaths(ports.home, name));
  const paths = instancePaths(ports.home, await pickInstance(ports.home, request.instance, isLeft));
  const plain = { plan: null, setAside: [], downtimeSeconds: null };
  const hold = holdInstance(ports.world, paths, 'recover');
  try {
    const open = unfinished(paths);
    if (open === null && readJournal(paths) === undefined) {
      const left = await toTheEnd(() => sweepKilled(ports, paths), ports.events.note);
      ports.events.note(`No change of ${paths.name} was interrupted.${left ? ` ${sweptText}` : ''}`);
      return resultOf(ports, paths, { ...plain, ...(left ? recovered : unchanged) });
    }
    if (open?.running)
      throw new Failure(
        'instance-busy',
        `The ${open.kind} of ${paths.name} is still running, pid ${open.process?.pid}.`,
        'Wait until it has ended.',
      );
    // Servers are stopped and started outside of its steps, too.
    await toTheEnd(async () => {
      await recoverChange(hold.following(ports), paths, request.towards);
      await removeLeftovers(ports, paths);
    }, ports.events.note);
  } finally {
    hold.release();
  }
  await toTheEnd(() => followConsent(ports, paths), ports.events.note);
  return resultOf(ports, paths, { ...plain, ...recovered });
};

const recovered = { outcome: 'recovered', changed: true } as const;
const unchanged = { outcome: 'unchanged', changed: false } as const;
const sweptText = 'What an earlier run had left beside it is removed.';

/** Where no change is open. True if there was anything to be removed. */
const sweepKilled = async (ports: Ports, paths: InstancePaths): Promise<boolean> => {
  const unopened = discardUnopened(paths);
  if (unopened) await startMeant(ports, paths);
  return (await removeLeftovers(ports, paths)) || unopened;
};
