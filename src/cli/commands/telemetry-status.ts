/**
 * `assent telemetry status [NAME]`: whether anything is counted, and why. It reads only, makes nothing, and needs no network.
 * Without NAME, all instances; with --exit-code and several, the code is that of the one that is furthest from quiet. What this user may not read may
 * be collecting: it comes right behind what is.
 */

import { exits } from '../../errors.ts';
import { wrap } from '../../ui/layout.ts';
import type { Look } from '../../ui/look.ts';
import { telemetryLines, unseenLines } from '../../ui/views/telemetry.ts';
import type { Run } from '../invocation.ts';
import { closedHint } from '../reading.ts';
import type { AllCounted } from '../telemetry-view.ts';
import { telemetryOfAll, telemetryOfOne } from '../telemetry-view.ts';

export const run: Run = async ({ world, home, flags, operands, look }) => {
  const [given] = operands;
  const all: AllCounted =
    given === undefined
      ? telemetryOfAll(world, home, flags)
      : { found: [await telemetryOfOne(world, home, flags, given)], isClosed: false };
  const [only, ...others] = all.found;
  const single = only !== undefined && others.length === 0 ? { ...consentOf(only), instance: only.instance } : {};
  const instances =
    given === undefined ? { instances: all.found.map((one) => ({ ...one.instance, ...consentOf(one) })) } : {};
  const hints = all.isClosed ? [closedHint] : [];
  return {
    result: {
      outcome: 'unchanged',
      changed: false,
      ...instances,
      ...single,
      ...(hints.length > 0 ? { hints } : {}),
    },
    screen: [
      ...(only === undefined
        ? [`  Nothing is installed in ${home}${all.isClosed ? '' : ', so nothing is counted'}.`]
        : all.found.flatMap((one) => [...linesOf(one, look), '']).slice(0, -1)),
      ...hints.flatMap((hint) => wrap(hint, look.columns - 2).map((line) => `  ${look.paint.faint(line)}`)),
    ],
    ...(flags.exitCode ? { exit: exitOf(all) } : {}),
  };
};

type One = AllCounted['found'][number];

const consentOf = ({ consent }: One) => (consent === undefined ? {} : { consent });

const linesOf = (one: One, look: Look): string[] =>
  one.consent === undefined ? unseenLines(one.instance, look) : telemetryLines(one.instance, one.consent, look);

/** Nothing installed has nothing that could count. */
const nothingInstalled = 24;

const exitOf = ({ found, isClosed }: AllCounted): number => {
  const seen = found.length === 0 ? nothingInstalled : Math.min(...found.map(({ exit }) => exit));
  return isClosed ? Math.min(seen, exits.refused) : seen;
};
