/** `assent install [PRODUCT[@VERSION]]`: guided installation. */
import { runChange } from '../change.ts';
import type { Run } from '../invocation.ts';
import { givenBy } from '../request.ts';

export const run: Run = async (invocation) => {
  const { world, flags, operands } = invocation;
  const { answers, common } = await givenBy(world, flags);
  const product = operands[0] ?? answers?.product;
  const name = flags.name ?? answers?.name;
  return runChange(invocation, {
    ...common,
    kind: 'install',
    ...(product === undefined ? {} : { product }),
    ...(name === undefined ? {} : { name }),
    ...(flags.supervisor === undefined ? {} : { supervisor: flags.supervisor }),
  });
};
