/**
 * A change that came to nothing behind a no: the no had taken effect before, and stands. So the document says that something was changed, and has the
 * consent of now; and no sentence says that nothing was. The code and its exit stay.
 */

import type { Warning } from '../change/plan.ts';
import { exits, Failure } from '../errors.ts';
import type { InstanceName } from '../values.ts';
import type { Ended, Invocation } from './invocation.ts';
import { refusedBySystem } from './refused.ts';
import { telemetryOrUnseen } from './telemetry-view.ts';

export const failedBehindNo = (
  { world, home }: Invocation,
  name: InstanceName,
  error: unknown,
  warnings: readonly Warning[],
): Ended => {
  const { instance, consent } = telemetryOrUnseen(world, home, name);
  return {
    result: { changed: true, instance, ...(consent === undefined ? {} : { consent }), warnings },
    screen: [],
    failure: toldBehindNo(refusedBySystem(error) ?? error),
  };
};

/** A bug is told as it is. */
const toldBehindNo = (error: unknown): Error => {
  if (!(error instanceof Failure)) return error instanceof Error ? error : new Error(String(error));
  const [message, advice] = [exceptConsent(error.message), exceptConsent(error.advice)];
  const isTold = message !== error.message || advice !== error.advice || leavesMore.includes(error.exit);
  return new Failure(
    error.code,
    message,
    `${advice} ${isTold ? '' : 'Nothing but consent was changed. '}The withdrawal is recorded: nothing is counted from now on.`,
    error.cause,
    error.isOpen,
  );
};

/** What these leave behind they tell by themselves. */
const leavesMore: readonly number[] = [exits.undone, exits.stuck, exits.interrupted];

const exceptConsent = (text: string): string =>
  text.replace(/\b([Nn]othing|anything) (was|has been) changed\b/g, '$1 but consent $2 changed');
