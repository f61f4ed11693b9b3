/**
 * `assent telemetry send [NAME]`: hands what may be reported to the recipient that the notice names, and says what went where; or why nothing did.
 * Units and `assent run` call it with --scheduled: then only what is due is sent.
 *
 * INT and TERM let the report that is on its way come to its end, for the recipient may have it, and begin no other; HUP changes nothing.
 */

import { Failure } from '../../errors.ts';
import { instancePaths } from '../../instance/paths.ts';
import { type EndingSignal, onEndingSignal } from '../../system/signals.ts';
import type { Sending, Trouble } from '../../telemetry/sending.ts';
import { several } from '../../ui/layout.ts';
import { sendingLines } from '../../ui/views/sending.ts';
import type { Run } from '../invocation.ts';
import { pickOwn } from '../reading.ts';
import { telemetryOf } from '../telemetry-view.ts';

export const run: Run = async ({ world, home, flags, operands, look, say }) => {
  const [{ sendReports }, { deliver }] = await Promise.all([
    import('../../telemetry/send.ts'),
    import('../../system/deliver.ts'),
  ]);
  const name = await pickOwn(world, home, flags, operands[0]);
  const stop = stoppedBySignal((signal) => {
    if (!flags.quiet) say([`${signal}: what is on its way to the recipient is brought to its end first.`]);
  });
  const options = { scheduled: flags.scheduled, until: stop.signal };
  const sending = await sendReports(world, instancePaths(home, name), { deliver }, options).finally(stop.off);
  const { instance, consent } = telemetryOf(world, home, name);
  const { sent, dropped, waiting, idle, recipient, trouble } = sending;
  const changed = sent.length > 0 || dropped.length > 0 || Boolean(trouble?.refused);
  return {
    result: {
      ...(changed ? {} : { outcome: 'unchanged' as const }),
      changed,
      instance,
      consent,
      sent,
      dropped,
      waiting,
      idle,
      recipient,
      retryAt: trouble?.retryAt ?? null,
      refused: trouble?.refused ?? null,
    },
    screen: flags.quiet ? [] : sendingLines(name, sending, consent.meaning, look),
    ...(trouble === null ? {} : { failure: notDelivered(name, sending, trouble) }),
    ...(idle?.why === 'stopped' ? { failure: stoppedEarly(name, sending) } : {}),
  };
};

const stoppedBySignal = (tell: (signal: EndingSignal) => void): { signal: AbortSignal; off: () => void } => {
  const stop = new AbortController();
  const off = onEndingSignal((signal) => {
    if (signal === 'SIGHUP') return;
    if (!stop.signal.aborted) tell(signal);
    stop.abort();
  });
  return { signal: stop.signal, off };
};

const stoppedEarly = (name: string, { sent, waiting }: Sending): Failure =>
  new Failure(
    'cancelled',
    `Stopped by a signal, ${sent.length === 0 ? 'and nothing was sent' : `with ${several(sent.length, 'report')} sent`}.`,
    `${several(waiting, 'report')} ${waiting === 1 ? 'waits' : 'wait'}. To send now: assent telemetry send ${name}`,
  );

const notDelivered = (
  name: string,
  { recipient, waiting }: Sending,
  { message, retryAt, refused }: Trouble,
): Failure => {
  const to = `${recipient?.name ?? 'the recipient'} (${recipient?.endpoint ?? ''})`;
  const again = `${waiting} ${waiting === 1 ? 'report waits' : 'reports wait'} and will be tried again, at ${retryAt} at the earliest; or now: assent telemetry send ${name}`;
  if (refused === null) return new Failure('report-not-delivered', `Nothing was taken by ${to}: ${message}.`, again);
  return new Failure(
    'report-not-delivered',
    `${refused.bytes} bytes were sent to ${to}, and nothing of them was taken: ${message}.`,
    `A copy of them is kept: reports/${refused.name}.json. The server is unchanged. ${again}`,
  );
};
