/** `assent rollback [NAME]`: back to the release before, with the data of then or of now. */
import { runChange } from '../change.ts';
import type { Run } from '../invocation.ts';
import { givenBy } from '../request.ts';

export const run: Run = async (invocation) => {
  const { world, flags, operands } = invocation;
  const { common } = await givenBy(world, flags);
  const [instance] = operands;
  return runChange(invocation, {
    ...common,
    kind: 'rollback',
    ...(instance === undefined ? {} : { instance }),
    ...(flags.data === undefined ? {} : { data: flags.data }),
  });
};
