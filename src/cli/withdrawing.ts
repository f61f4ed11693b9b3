/** Withdrawing for one instance, with the port that takes away what a yes had turned on beside the server and in it. */

import { readNotice } from '../consent/notice-file.ts';
import type { Withdrawal } from '../consent/withdraw.ts';
import { withdraw } from '../consent/withdraw.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { instancePaths } from '../instance/paths.ts';
import { readState } from '../instance/state.ts';
import { unfinished } from '../instance/unfinished.ts';
import { statIfThere } from '../system/files.ts';
import { forgetOldCopies } from '../telemetry/old-copies.ts';
import type { InstanceName } from '../values.ts';
import { portsOf } from './change.ts';
import type { Invocation } from './invocation.ts';

/** Throws what goes wrong before anything was done. */
export const withdrawFrom = async (invocation: Invocation, name: InstanceName): Promise<Withdrawal> => {
  const paths = instancePaths(invocation.home, name);
  forgetOldCopies(invocation.world, paths);
  if (!mayBeOn(paths)) return withdraw(invocation.world, paths);
  const { serverTelemetryOff } = await import('../change/follow-consent.ts');
  const { ports } = portsOf(invocation, true);
  return withdraw(invocation.world, paths, { serverOff: () => serverTelemetryOff(ports, paths) });
};

/** A yes makes the folder of the counts, and only a notice with a section for it turns a server's own telemetry on. A change that is running keeps all of it off by itself. */
const mayBeOn = (paths: InstancePaths): boolean => {
  try {
    const id = readState(paths)?.noticeId ?? null;
    if (id === null || unfinished(paths)?.running === true) return false;
    return statIfThere(paths.telemetry) !== undefined || readNotice(paths, id)?.ownTelemetry !== null;
  } catch {
    return false;
  }
};
