/**
 * `assent telemetry off [NAME] [--all]`: withdraws, at any time, without a question and without network; then says what was erased. What was begun is
 * brought to its end, whatever signal comes: a withdrawal that is recorded is not told as nothing, and no count is left half deleted.
 */

import type { Withdrawal } from '../../consent/withdraw.ts';
import { Failure } from '../../errors.ts';
import { listInstances } from '../../instance/find.ts';
import { toTheEnd } from '../../system/signals.ts';
import { printable } from '../../ui/layout.ts';
import { hintLines } from '../../ui/views/instance.ts';
import { withdrawnLines } from '../../ui/views/telemetry.ts';
import type { InstanceName } from '../../values.ts';
import type { Ended, Invocation, Run } from '../invocation.ts';
import { pickOwn, refuseRoots, systemHint } from '../reading.ts';
import { type Counted, telemetryOrUnseen, type Unseen } from '../telemetry-view.ts';
import { withdrawFrom } from '../withdrawing.ts';

export const run: Run = async (invocation) => {
  const { world, home, flags, operands, say } = invocation;
  if (flags.all && operands[0] !== undefined) {
    throw new Failure('usage-option', 'Give a name or --all, not both.', 'Nothing was changed.');
  }
  const names = flags.all ? allOwn(invocation) : [await pickOwn(world, home, flags, operands[0])];
  if (names.length === 0) return nothingThere(invocation);
  return toTheEnd(
    () => withdrawAll(invocation, names),
    (text) => flags.quiet || say([`  ${text}`]),
  );
};

/** Where only the system's home has some, silence would pass for a withdrawal. */
const allOwn = ({ world, home, flags }: Invocation): InstanceName[] => {
  refuseRoots(world, home, flags, undefined);
  return listInstances(home);
};

const nothingThere = ({ home, flags }: Invocation): Ended => ({
  result: { outcome: 'unchanged', changed: false, instances: [], erased: [] },
  screen: flags.quiet ? [] : [`  Nothing is installed in ${printable(home)}, so nothing is counted there.`],
});

/** Of each name what was done, whether or not it failed in the end: a withdrawal may be on record although the server sends on. */
const withdrawAll = async (invocation: Invocation, names: readonly InstanceName[]): Promise<Ended> => {
  const { world, home, flags, look } = invocation;
  const hint = flags.all ? systemHint(world, home, flags) : undefined;
  const tried = [];
  for (const name of names) tried.push(await withdrawOne(invocation, name));
  const changed = tried.some((one) => one.changed);
  const failure = tried.find((one) => one.failure !== null)?.failure ?? null;
  const [first] = tried;
  return {
    result: {
      ...(changed || failure !== null ? {} : { outcome: 'unchanged' as const }),
      changed,
      ...(flags.all ? { instances: tried.map((one) => ({ ...one.instance, ...consentOf(one) })) } : {}),
      ...(first === undefined || flags.all ? {} : { instance: first.instance, ...consentOf(first) }),
      erased: tried.map(({ instance, erased }) => ({ instance: instance.name, ...erased })),
      warnings: tried.flatMap(({ warnings }) =>
        warnings.map((message) => ({ id: 'withdrawal', message, remedy: 'Nothing is counted.' })),
      ),
      ...(hint === undefined ? {} : { hints: [hint] }),
    },
    screen: flags.quiet
      ? []
      : [
          ...tried.filter((one) => one.failure === null).flatMap((one) => withdrawnLines(one, look)),
          ...hintLines(hint === undefined ? [] : [hint], look),
        ],
    ...(failure === null ? {} : { failure }),
  };
};

type Tried = Omit<Withdrawal, 'failure'> & { readonly failure: Error | null } & (Counted | Unseen);

const withdrawOne = async (invocation: Invocation, name: InstanceName): Promise<Tried> => {
  const seen = () => telemetryOrUnseen(invocation.world, invocation.home, name);
  try {
    const withdrawal = await withdrawFrom(invocation, name);
    return { ...withdrawal, ...seen() };
  } catch (error) {
    const nothing = { changed: false, erased: { files: 0, bytes: 0 }, warnings: [] };
    return { ...nothing, failure: error as Error, ...seen() };
  }
};

const consentOf = ({ consent }: Tried) => (consent === undefined ? {} : { consent });
