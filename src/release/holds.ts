/**
 * The store's lock against pruning what somebody stages.
 *
 * Whoever stores or takes up a release holds on to the store until its process ends: a lock file of its own under HOME/locks/store, taken while
 * the store's gate is shut. Pruning shuts the gate and looks for holds of others: while there is one, nothing is removed.
 * All of them are kernel locks, so a killed run holds nothing. Lock files of dead holders are removed behind the shut gate, where nobody can
 * be about to take them (and their names are never used again).
 */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { listFolder, makeFolder, removeFile } from '../system/files.ts';
import { tryLock, waitLock } from '../system/lock.ts';
import type { World } from '../system/world.ts';
import { holderOf, makeHome } from './layout.ts';

/** This process's own holds, by home. They are never given back: a change needs its releases until its end. */
const ours = new Map<string, string>();

/** Keeps every release of the home from being pruned by others while this process lives. Once more does nothing. */
export const holdStore = async (world: World, home: string): Promise<void> => {
  if (ours.has(home)) return;
  await behindGate(world, home, (folder) => {
    const name = `${world.random(8).toString('hex')}.lock`;
    const attempt = tryLock(join(folder, name), holderOf(world, 'using the store'));
    if (!('lock' in attempt)) throw new Error(`a new lock ${name} is taken`);
    ours.set(home, name);
  });
};

/** Runs `work` while nobody else holds the store and nobody can begin to; false, and nothing done, where somebody does. */
export const withoutHolders = (world: World, home: string, work: () => Promise<void>): Promise<boolean> =>
  behindGate(world, home, async (folder) => {
    const others = listFolder(folder).filter(
      (name) => name.endsWith('.lock') && name !== ours.get(home) && name !== gateName,
    );
    if (others.some((name) => isHeld(world, join(folder, name)))) return false;
    await work();
    return true;
  });

const gateName = 'gate.lock';

const behindGate = async <T>(world: World, home: string, work: (folder: string) => T | Promise<T>): Promise<T> => {
  const folder = join(makeHome(home).locks, 'store');
  makeFolder(folder, { mode: 0o755 });
  const attempt = await waitLock(join(folder, gateName), holderOf(world, 'store'), 60_000);
  if (!('lock' in attempt)) throw gateTaken(attempt.heldBy?.pid);
  try {
    return await work(folder);
  } finally {
    attempt.lock.release();
  }
};

/** A lock file that nobody holds is removed. */
const isHeld = (world: World, path: string): boolean => {
  const attempt = tryLock(path, holderOf(world, 'looking'));
  if (!('lock' in attempt)) return true;
  removeFile(path);
  attempt.lock.release();
  return false;
};

const gateTaken = (pid: number | undefined): Failure =>
  new Failure(
    'instance-busy',
    `Another run has been working on the store of releases for a minute${pid === undefined ? '' : ` (pid ${pid})`}.`,
    'Wait until it has ended, then run the command again. Nothing was changed.',
  );
