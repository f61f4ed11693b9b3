/** A check by a command, run as the service's user with the server's own environment. */

import { run } from '../../system/processes.ts';
import { environmentOfService } from '../environment.ts';
import { ownerFor } from '../owner.ts';
import type { CommandCheck } from '../spec-checks.ts';
import type { Probe } from './probe.ts';

export const probeCommand: Probe<CommandCheck> = async (check, { spec, timeoutMs }) => {
  const owner = ownerFor(spec);
  const result = await run(check.command, {
    cwd: spec.directory,
    env: environmentOfService(spec),
    timeoutMs,
    maxBytes: 1_000_000,
    ...(owner === undefined ? {} : { owner }),
  });
  if (result.timedOut) return { ok: false, detail: `no end within ${timeoutMs} ms` };
  if (result.code !== 0) {
    return { ok: false, detail: `it ends with ${result.signal ?? result.code}: ${result.stderr.trim().slice(-200)}` };
  }
  if (check.stdout !== null && !new RegExp(check.stdout, 'u').test(result.stdout)) {
    return {
      ok: false,
      detail: `its output does not match ${check.stdout}: ${JSON.stringify(result.stdout.slice(0, 120))}`,
    };
  }
  return { ok: true, detail: 'it ends with 0' };
};

export const titleOfCommand = ({ command }: CommandCheck): string => command.join(' ');
