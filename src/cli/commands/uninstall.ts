/** `assent uninstall [NAME]`: removes the server, and with --purge its data, too. */
import { runChange } from '../change.ts';
import type { Run } from '../invocation.ts';
import { givenBy } from '../request.ts';

export const run: Run = async (invocation) => {
  const { world, flags, operands } = invocation;
  const { common } = await givenBy(world, flags);
  const [instance] = operands;
  return runChange(invocation, {
    ...common,
    kind: 'uninstall',
    ...(instance === undefined ? {} : { instance }),
    purge: flags.purge,
  });
};
