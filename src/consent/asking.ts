/**
 * Who is under way to a yes: a change that hears about telemetry holds a lock file of its own beside the instance's locks, from before its question until
 * it ends. So whoever says no where a no stands already knows whether anybody could have been given a yes meanwhile, and need not write down anew what
 * is on record: the same command typed every hour changes nothing.
 *
 * They are kernel locks with names that are used once: a killed run is under way no more. Its file is removed by whoever looks next. Telemetry makes no change fail, so where no lock can be
 * had (in a home that is yet to be made, too) there is none, and a yes of that run loses to no repeated no.
 */

import { basename, dirname, join } from 'node:path';
import type { InstancePaths } from '../instance/paths.ts';
import { holderOf } from '../release/layout.ts';
import { listFolder, removeFile } from '../system/files.ts';
import { type Lock, tryLock } from '../system/lock.ts';
import type { World } from '../system/world.ts';

/** Held until it is released, or this process ends; undefined where it can't be. */
export const holdAsking = (world: World, paths: InstancePaths): Lock | undefined => {
  sweepAsking(world, paths);
  const file = join(dirname(paths.lock), `${prefixOf(paths)}${world.random(8).toString('hex')}.lock`);
  try {
    const attempt = tryLock(file, holderOf(world, 'asking'));
    // Whoever looks may have taken it, and its name away, before we could.
    if (!('lock' in attempt)) return holdAsking(world, paths);
    const { lock } = attempt;
    return { ...lock, release: () => removed(file, lock) };
  } catch {
    return undefined;
  }
};

/** Whether somebody is under way who may have been given a yes. Where that can't be seen, somebody is. */
export const isAsking = (world: World, paths: InstancePaths): boolean => {
  const folder = dirname(paths.lock);
  try {
    const files = listFolder(folder).filter((name) => name.startsWith(prefixOf(paths)));
    // All of them: what a killed run has left goes.
    return files.map((name) => isHeld(world, join(folder, name))).includes(true);
  } catch {
    return true;
  }
};

/** Removes what killed runs have left. */
export const sweepAsking = (world: World, paths: InstancePaths): void => void isAsking(world, paths);

const isHeld = (world: World, file: string): boolean => {
  const attempt = tryLock(file, holderOf(world, 'looking'));
  if (!('lock' in attempt)) return true;
  removed(file, attempt.lock);
  return false;
};

/** While it is held, so that nobody takes a lock on a file that has no name any more. */
const removed = (file: string, lock: Lock): void => {
  try {
    removeFile(file);
  } catch {
    // Whoever looks next finds it held by nobody.
  }
  lock.release();
};

const prefixOf = (paths: InstancePaths): string => `${basename(paths.lock, '.lock')}.asking-`;
