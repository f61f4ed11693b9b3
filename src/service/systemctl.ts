/** systemctl, asked of the manager of the system or of a user. */

import { Failure } from '../errors.ts';
import { run } from '../system/processes.ts';
import { managerEnvironment } from './manager.ts';
import type { ServiceSpec } from './spec.ts';

type Asking = Pick<ServiceSpec, 'host' | 'instance'>;

/** Runs systemctl to its end; its output, or a Failure with what it said. */
export const systemctl = async (spec: Asking, args: readonly string[], timeoutMs = 60_000): Promise<string> => {
  const { code, stdout, stderr } = await askSystemctl(spec, args, timeoutMs);
  if (code === 0) return stdout;
  throw new Failure(
    'refused-check',
    `systemctl ${args.join(' ')} failed: ${stderr.trim().slice(-1000)}`,
    `More is in its journal: assent logs ${spec.instance}`,
  );
};

/** The same, whatever comes of it. */
export const askSystemctl = ({ host }: Pick<Asking, 'host'>, args: readonly string[], timeoutMs = 60_000) =>
  run(['systemctl', ...(host.uid === 0 ? [] : ['--user']), '--no-ask-password', '--no-pager', ...args], {
    env: managerEnvironment(host.uid),
    timeoutMs,
  });
