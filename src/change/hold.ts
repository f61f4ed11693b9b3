/**
 * Holding an instance: one change at a time. A kernel lock that dies with us, its file telling others who holds it and at which
 * step we are.
 */

import { dirname } from 'node:path';
import { Failure } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { unfinished } from '../instance/unfinished.ts';
import { makeFolder, statIfThere } from '../system/files.ts';
import type { LockHolder } from '../system/lock.ts';
import { isLocked, notedHolder, tryLock } from '../system/lock.ts';
import { sleep } from '../system/processes.ts';
import type { World } from '../system/world.ts';
import { mustBeWritable } from '../system/writable.ts';
import type { Ports } from './request.ts';

export interface Hold {
  /** The same ports, with every step noted in the lock file. */
  following(ports: Ports): Ports;
  release(): void;
}

/** Throws 'instance-busy', naming the holder, where somebody else has it, and 'refused-permission' for somebody else's instance. */
export const holdInstance = (world: World, paths: InstancePaths, command: string): Hold => {
  refuseForeign(world, paths);
  const folder = dirname(paths.lock);
  if (statIfThere(folder) === undefined) makeFolder(folder);
  const attempt = tryLock(paths.lock, {
    pid: world.pid,
    command: `assent ${command}`,
    step: 'start',
    startedAt: world.now().toISOString(),
  });
  if (!('lock' in attempt)) {
    throw busy(paths, attempt.heldBy);
  }
  const { lock } = attempt;
  return {
    following: (ports) => ({
      ...ports,
      events: {
        ...ports.events,
        stepStarted: (step) => {
          lock.note(step.id);
          ports.events.stepStarted(step);
        },
      },
    }),
    release: () => lock.release(),
  };
};

/**
 * For what is done beside changes, and must not be done while there is one: waits until nobody holds the instance, at most so many milliseconds. Undefined
 * where somebody goes on holding it, a change is open (running or interrupted), or it is not ours to hold.
 */
export const holdBetweenChanges = async (
  world: World,
  paths: InstancePaths,
  command: string,
  patienceMs: number,
): Promise<Hold | undefined> => {
  const end = performance.now() + patienceMs;
  try {
    while (unfinished(paths) === null) {
      const hold = holdIfFree(world, paths, command);
      // One that was opened before we had the lock is whole by now, or waits for a recovery.
      if (hold !== undefined && unfinished(paths) === null) return hold;
      hold?.release();
      if (performance.now() > end) break;
      await sleep(50);
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
  return undefined;
};

/** The same as holdInstance; undefined where somebody else holds it. */
export const holdIfFree = (world: World, paths: InstancePaths, command: string): Hold | undefined => {
  try {
    return holdInstance(world, paths, command);
  } catch (error) {
    if (error instanceof Failure && error.code === 'instance-busy') return undefined;
    throw error;
  }
};

/** An instance is changed by its owner alone: root's files and servers in somebody's home would be nobody's to end. Throws 'refused-permission'. */
export const refuseForeign = (world: World, paths: InstancePaths): void => {
  const owner = statIfThere(paths.folder)?.uid;
  if (owner === undefined || owner === world.user.uid) return;
  throw new Failure(
    'refused-permission',
    `${paths.name} in ${paths.home} belongs to the user with number ${owner}, and you are ${world.user.uid}.`,
    'Nothing was changed. Run the command as that user.',
  );
};

/** For whoever is about to ask questions: throws the system's error where the home may not be written. */
export const refuseUnwritable = (paths: InstancePaths): void => {
  for (const folder of [dirname(paths.lock), paths.folder]) mustBeWritable(folder);
};

/** For whoever is about to ask questions: throws 'instance-busy' where somebody has noted that he holds the instance, and does. */
export const refuseHeld = (paths: InstancePaths): void => {
  const holder = notedHolder(paths.lock);
  // A note that could not be taken away again may be our own.
  if (holder !== undefined && isLocked(paths.lock)) throw busy(paths, holder);
};

const busy = (paths: InstancePaths, holder: LockHolder | undefined): Failure =>
  new Failure(
    'instance-busy',
    `Another run holds ${paths.name}${holder ? `: pid ${holder.pid}, "${holder.command}", at step "${holder.step}", since ${holder.startedAt}` : ''}.`,
    'Wait until it has ended. Nothing was changed.',
  );
