/**
 * `assent telemetry off [NAME] [--all]`: withdraws, at any time, without a question and without network; then says what was erased. What was begun is
 * brought to its end, whatever signal comes: a withdrawal that is recorded is not told as nothing, and no count is left half deleted.
 */

import { Failure } from '../../errors.ts';
import { listInstances, pickInstance } from '../../instance/find.ts';
import { toTheEnd } from '../../system/signals.ts';
import { withdrawnLines } from '../../ui/views/telemetry.ts';
import type { InstanceName } from '../../values.ts';
import type { Ended, Invocation, Run } from '../invocation.ts';
import { telemetryOf } from '../telemetry-view.ts';
import { withdrawFrom } from '../withdrawing.ts';

export const run: Run = async (invocation) => {
  const { home, flags, operands, say } = invocation;
  if (flags.all && operands[0] !== undefined) {
    throw new Failure('usage-option', 'Give a name or --all, not both.', 'Nothing was changed.');
  }
  const names = flags.all ? listInstances(home) : [await pickInstance(home, operands[0])];
  return toTheEnd(
    () => withdrawAll(invocation, names),
    (text) => flags.quiet || say([`  ${text}`]),
  );
};

const withdrawAll = async (invocation: Invocation, names: readonly InstanceName[]): Promise<Ended> => {
  const { world, home, flags, look } = invocation;
  const failures: Error[] = [];
  const done = [];
  for (const name of names) {
    try {
      const withdrawal = await withdrawFrom(invocation, name);
      done.push({ ...withdrawal, ...telemetryOf(world, home, name) });
    } catch (error) {
      failures.push(error as Error);
    }
  }
  const [first] = done;
  const [failure] = failures;
  const changed = done.some((one) => one.changed);
  return {
    result: {
      ...(changed ? {} : { outcome: 'unchanged' as const }),
      changed,
      ...(flags.all ? { instances: done.map(({ instance, consent }) => ({ ...instance, consent })) } : {}),
      ...(first === undefined || flags.all ? {} : { instance: first.instance, consent: first.consent }),
      erased: done.map(({ instance, erased }) => ({ instance: instance.name, ...erased })),
      warnings: done.flatMap(({ warnings }) =>
        warnings.map((message) => ({ id: 'withdrawal', message, remedy: 'Nothing is counted.' })),
      ),
    },
    screen: flags.quiet ? [] : done.flatMap((one) => withdrawnLines(one, look)),
    ...(failure === undefined ? {} : { failure }),
  };
};
