/** `assent upgrade [NAME]`: guided upgrade to a newer release. */
import { runChange } from '../change.ts';
import type { Run } from '../invocation.ts';
import { givenBy } from '../request.ts';

export const run: Run = async (invocation) => {
  const { world, flags, operands } = invocation;
  const { answers, common } = await givenBy(world, flags);
  const instance = operands[0] ?? answers?.name;
  return runChange(invocation, {
    ...common,
    kind: 'upgrade',
    ...(instance === undefined ? {} : { instance }),
    ...(flags.rehearsal ? {} : { rehearsal: false }),
    ...(flags.to === undefined ? {} : { to: flags.to }),
  });
};
