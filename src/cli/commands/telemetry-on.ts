/** `assent telemetry on`: there is no such thing. It explains why, and names the command that asks. */
import { Failure } from '../../errors.ts';
import type { Run } from '../invocation.ts';

export const run: Run = async ({ operands }) => {
  const again = ['assent reinstall', ...operands].join(' ');
  throw new Failure(
    'usage-telemetry-on',
    'Telemetry can not be switched on by itself: a yes is given in an installation, for that installation, or not at all.',
    `To be asked again, install the same release anew: ${again}. What would be counted: assent telemetry notice. Nothing was changed.`,
  );
};
