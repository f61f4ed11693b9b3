/**
 * `assent telemetry off [NAME] [--all]`: withdraws, at any time, without a question and without network; then says what was erased.
 */

import { Failure } from '../../errors.ts';
import { listInstances, pickInstance } from '../../instance/find.ts';
import { withdrawnLines } from '../../ui/views/telemetry.ts';
import type { Run } from '../invocation.ts';
import { telemetryOf } from '../telemetry-view.ts';
import { withdrawFrom } from '../withdrawing.ts';

export const run: Run = async (invocation) => {
  const { world, home, flags, operands, look } = invocation;
  if (flags.all && operands[0] !== undefined) {
    throw new Failure('usage-option', 'Give a name or --all, not both.', 'Nothing was changed.');
  }
  const names = flags.all ? listInstances(home) : [await pickInstance(home, operands[0])];
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
