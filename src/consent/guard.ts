/**
 * The consent lock: short, and an instance's own, beside the lock of changes. `telemetry off` takes it too, also while a change is
 * under way, so nobody holds it for longer than it takes to write two small files.
 */

import { dirname } from 'node:path';
import { Failure } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { makeFolder, statIfThere } from '../system/files.ts';
import { type LockHolder, waitLock } from '../system/lock.ts';
import type { World } from '../system/world.ts';

const patienceMs = 5_000;

/** Runs the work under the lock. Throws 'instance-busy' where somebody holds it for longer than five seconds. */
export const withConsentLock = async <T>(
  world: World,
  paths: InstancePaths,
  step: string,
  work: () => Promise<T>,
): Promise<T> => {
  const attempt = await takeLock(world, paths, step);
  if (!('lock' in attempt)) throw busy(paths, attempt.heldBy);
  try {
    return await work();
  } finally {
    attempt.lock.release();
  }
};

/** The same for a withdrawal, which no lock may stop: where there is none to be had, it goes on without. */
export const withConsentLockIfPossible = async <T>(
  world: World,
  paths: InstancePaths,
  step: string,
  work: () => Promise<T>,
): Promise<T> => {
  const attempt = await takeLock(world, paths, step).catch(() => ({ heldBy: undefined }));
  try {
    return await work();
  } finally {
    if ('lock' in attempt) attempt.lock.release();
  }
};

const takeLock = (world: World, paths: InstancePaths, step: string) => {
  const folder = dirname(paths.consentLock);
  if (statIfThere(folder) === undefined) makeFolder(folder);
  const startedAt = world.now().toISOString();
  return waitLock(paths.consentLock, { pid: world.pid, command: 'assent', step, startedAt }, patienceMs);
};

const busy = (paths: InstancePaths, holder: LockHolder | undefined): Failure =>
  new Failure(
    'instance-busy',
    `The consent of ${paths.name} is being written by ${holder ? `process ${holder.pid} (${holder.step}, since ${holder.startedAt})` : 'another process'}.`,
    'Try again when it has ended.',
  );
