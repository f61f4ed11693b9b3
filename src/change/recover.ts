/**
 * `recover`: ends an interrupted change, by itself forward behind the commit point and backward before it. Where nothing is open there
 * is nothing to do, however often it is typed.
 */

import { Failure } from '../errors.ts';
import { pickInstance } from '../instance/find.ts';
import { instancePaths } from '../instance/paths.ts';
import { unfinished } from '../instance/unfinished.ts';
import { resultOf } from './conduct.ts';
import { followConsent } from './follow-consent.ts';
import { holdInstance } from './hold.ts';
import { readJournal } from './journal.ts';
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
      ports.events.note(`No change of ${paths.name} was interrupted.`);
      return resultOf(ports, paths, { ...plain, outcome: 'unchanged', changed: false });
    }
    if (open?.running)
      throw new Failure(
        'instance-busy',
        `The ${open.kind} of ${paths.name} is still running, pid ${open.process?.pid}.`,
        'Wait until it has ended.',
      );
    await recoverChange(hold.following(ports), paths, request.towards);
  } finally {
    hold.release();
  }
  await followConsent(ports, paths);
  return resultOf(ports, paths, { ...plain, outcome: 'recovered', changed: true });
};
