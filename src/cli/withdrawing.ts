/** Withdrawing for one instance, with the port that takes away what a yes had turned on beside the server and in it. */

import { readNotice } from '../consent/notice-file.ts';
import type { Withdrawal } from '../consent/withdraw.ts';
import { withdraw } from '../consent/withdraw.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { instancePaths } from '../instance/paths.ts';
import { readState } from '../instance/state.ts';
import { unfinished } from '../instance/unfinished.ts';
import { statIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import { forgetOldCopies } from '../telemetry/old-copies.ts';
import type { InstanceName, NoticeId } from '../values.ts';
import { portsOf } from './change.ts';
import type { Invocation } from './invocation.ts';

/** Throws what goes wrong before anything was done. */
export const withdrawFrom = async (invocation: Invocation, name: InstanceName): Promise<Withdrawal> => {
  const paths = instancePaths(invocation.home, name);
  forgetOldCopies(invocation.world, paths);
  if (!(await mayBeOn(invocation.world, paths))) return withdraw(invocation.world, paths);
  const { serverTelemetryOff } = await import('../change/follow-consent.ts');
  const { ports } = portsOf(invocation, true);
  return withdraw(invocation.world, paths, { serverOff: () => serverTelemetryOff(ports, paths) });
};

/**
 * A yes makes the folder of the counts, and only a notice with a section for it turns a server's own telemetry on; units may be left of either. A change that is
 * running keeps all of it off by itself.
 */
const mayBeOn = async (world: World, paths: InstancePaths): Promise<boolean> => {
  try {
    const state = readState(paths);
    if (state === undefined || unfinished(paths)?.running === true) return false;
    if (state.noticeId !== null && isCovered(paths, state.noticeId)) return true;
    if (state.supervisor !== 'systemd') return false;
    return (await import('../service/companions.ts')).companionsAreThere(world, paths);
  } catch {
    return false;
  }
};

const isCovered = (paths: InstancePaths, id: NoticeId): boolean =>
  statIfThere(paths.telemetry) !== undefined || readNotice(paths, id)?.ownTelemetry !== null;
