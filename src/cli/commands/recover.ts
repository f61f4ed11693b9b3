/** `assent recover [NAME]`: ends an interrupted change, forward after its commit point, else back. */
import { withPorts } from '../change.ts';
import type { Run } from '../invocation.ts';
import { refuseRoots } from '../reading.ts';

export const run: Run = async (invocation) => {
  const { recover } = await import('../../change/recover.ts');
  const { world, home, flags, operands } = invocation;
  const [instance] = operands;
  refuseRoots(world, home, flags, instance);
  const towards: 'finish' | 'undo' | undefined = flags.finish ? 'finish' : flags.undo ? 'undo' : undefined;
  const request = {
    ...(instance === undefined ? {} : { instance }),
    ...(towards === undefined ? {} : { towards }),
    yes: flags.yes,
  };
  return withPorts(invocation, true, (ports) => recover(ports, request));
};
