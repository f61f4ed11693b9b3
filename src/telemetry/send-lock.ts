/** One sender at a time: a kernel lock beside the instance's others, outside of what an uninstall deletes. */

import { dirname, join } from 'node:path';
import { Failure } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { makeFolder, statIfThere } from '../system/files.ts';
import { type LockHolder, tryLock } from '../system/lock.ts';
import type { World } from '../system/world.ts';

/** Runs the work under the lock. Where another has it: undefined if `quiet`, else 'instance-busy'. */
export const withSendLock = async <T>(
  world: World,
  paths: InstancePaths,
  quiet: boolean,
  work: () => Promise<T>,
): Promise<T | undefined> => {
  const path = join(paths.home, 'locks', `${paths.name}.send.lock`);
  if (statIfThere(dirname(path)) === undefined) makeFolder(dirname(path));
  const command = `assent telemetry send ${paths.name}`;
  const attempt = tryLock(path, { pid: world.pid, command, step: 'send', startedAt: world.now().toISOString() });
  if (!('lock' in attempt)) {
    if (quiet) return undefined;
    throw busy(paths, attempt.heldBy);
  }
  try {
    return await work();
  } finally {
    attempt.lock.release();
  }
};

const busy = (paths: InstancePaths, holder: LockHolder | undefined): Failure =>
  new Failure(
    'instance-busy',
    `Reports of ${paths.name} are being sent by ${holder ? `process ${holder.pid} (since ${holder.startedAt})` : 'another process'}.`,
    'Try again when it has ended: it takes 30 seconds a report at most.',
  );
