/** `assent reinstall [NAME]`: the same release anew, with other settings if given. */
import { runChange } from '../change.ts';
import type { Run } from '../invocation.ts';
import { givenBy } from '../request.ts';

export const run: Run = async (invocation) => {
  const { world, flags, operands } = invocation;
  const { answers, common } = await givenBy(world, flags);
  const instance = operands[0] ?? answers?.name;
  return runChange(invocation, {
    ...common,
    kind: 'reinstall',
    ...(instance === undefined ? {} : { instance }),
    ...(flags.rehearsal ? {} : { rehearsal: false }),
  });
};
