/**
 * `assent telemetry follow NAME`: counts from the server's access log until it is told to end, or consent ends. Supervisors run it beside the server,
 * as the server's account; where the answer is no it says so and is done, without having looked at the log.
 *
 * While a change with a yes is still running it waits for its end, as whatever counts does. So it does while the server's environment vetoes, which the
 * next start of the server may end.
 */

import { explain } from '../../consent/explain.ts';
import { mayCount } from '../../consent/gather.ts';
import type { Answer } from '../../consent/resolver.ts';
import { isVeto } from '../../consent/veto.ts';
import { pickInstance } from '../../instance/find.ts';
import { instancePaths } from '../../instance/paths.ts';
import { serverVetoOf } from '../../service/server-veto.ts';
import { onEndingSignal } from '../../system/signals.ts';
import { printable } from '../../ui/layout.ts';
import type { Ended, Run } from '../invocation.ts';

export const run: Run = async ({ world, home, flags, operands, say }) => {
  const name = await pickInstance(home, operands[0]);
  const paths = instancePaths(home, name);
  const answer = mayCount(world, paths, serverVetoOf(world, paths));
  if (!answer.collecting && !mayTurnOn(answer, isVeto(world.env.DO_NOT_TRACK)))
    return ended([`Nothing is counted for ${name}: ${explain(answer, name)}.`]);
  const { followedOf } = await import('../../telemetry/follow/followed.ts');
  const followed = followedOf(paths);
  if (followed === undefined) return ended([`Nothing is followed for ${name}: its product names no access log.`]);
  const { countFromLog } = await import('../../telemetry/follow/count-from-log.ts');
  const stop = new AbortController();
  const off = onEndingSignal(() => stop.abort());
  try {
    if (!flags.quiet) say([printable(`Following ${followed.path}.`)]);
    await countFromLog(world, paths, followed, { until: stop.signal, trouble: (why) => say([printable(why)]) });
    return ended(
      flags.quiet ? [] : [stop.signal.aborted ? 'Ended.' : `Consent for ${name} has ended, and so has counting.`],
    );
  } finally {
    off();
  }
};

/** Our own environment stays as it is as long as we run. */
const mayTurnOn = ({ state, reason, running }: Answer, ownVeto: boolean): boolean =>
  state === 'accepted' &&
  ((reason === 'change-unfinished' && running === true) || (reason === 'do-not-track' && !ownVeto));

const ended = (screen: readonly string[]): Ended => ({ result: { outcome: 'unchanged', changed: false }, screen });
