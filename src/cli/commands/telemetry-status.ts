/**
 * `assent telemetry status [NAME]`: whether anything is counted, and why. It reads only, makes nothing, and needs no network.
 * Without NAME, all instances; with --exit-code and several, the code is that of the one that is furthest from quiet.
 */

import { telemetryLines } from '../../ui/views/telemetry.ts';
import type { Run } from '../invocation.ts';
import type { Counted } from '../telemetry-view.ts';
import { telemetryOfAll, telemetryOfOne } from '../telemetry-view.ts';

export const run: Run = async ({ world, home, flags, operands, look }) => {
  const [given] = operands;
  const found =
    given === undefined ? telemetryOfAll(world, home, flags) : await telemetryOfOne(world, home, flags, given);
  const [only, ...others] = found;
  const consent = only !== undefined && others.length === 0 ? { consent: only.consent, instance: only.instance } : {};
  const instances =
    given === undefined
      ? { instances: found.map(({ instance, consent: one }) => ({ ...instance, consent: one })) }
      : {};
  return {
    result: { outcome: 'unchanged', changed: false, ...instances, ...consent },
    screen:
      only === undefined
        ? [`  Nothing is installed in ${home}, so nothing is counted.`]
        : found.flatMap((one) => [...telemetryLines(one.instance, one.consent, look), '']).slice(0, -1),
    ...(flags.exitCode ? { exit: exitOf(found) } : {}),
  };
};

/** Nothing installed has nothing that could count. */
const nothingInstalled = 24;

const exitOf = (found: readonly Counted[]): number =>
  found.length === 0 ? nothingInstalled : Math.min(...found.map(({ exit }) => exit));
