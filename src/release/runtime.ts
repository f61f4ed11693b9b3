/**
 * Private runtimes under HOME/runtimes: `node-VERSION` with bin/node; and only where something is compiled `headers-VERSION` (what a Node is
 * compiled against) and `npm-VERSION`. Each release names its Node, so that a distribution's upgrade can't break it.
 *
 * A runtime is unpacked in staging, tried (`node --version`), made read-only, written out, and then renamed: its folder is complete
 * or not there. Two that make the same one get in nobody's way: the second takes what the first has made. One that no longer runs is made anew.
 *
 * Light, for `status` comes through here; making a runtime (make-runtime.ts) is loaded when one is made.
 */
import { join } from 'node:path';
import { statIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import { runtimeFolder } from './layout.ts';
import type { WantedRuntime } from './make-runtime.ts';
import { askedIn, wrongAnswer } from './node-answer.ts';
import { npmVersion } from './runtimes.ts';
import type { StoreEvents } from './store-events.ts';

/** Where the private Node of that version is, or would be. Pure. */
export const nodePath = (home: string, version: string): string =>
  join(runtimeFolder(home, 'node', version), 'bin', 'node');

/** The path of the Node, if it is there. */
export const findRuntime = (home: string, version: string): string | undefined => {
  const path = nodePath(home, version);
  const stat = statIfThere(path);
  return stat?.kind === 'file' && (stat.mode & 0o111) !== 0 && stat.size > 0 ? path : undefined;
};

/** Path of the Node, which has answered. Failure 'no-release' where none is pinned for this machine, 'refused-platform' where it does not run here; else as fetchArtifacts. */
export const ensureNode = async (
  world: World,
  home: string,
  version: string,
  events?: StoreEvents,
): Promise<string> => {
  const found = findRuntime(home, version);
  if (found !== undefined && (await wrongAnswer(found, version, askedIn(home, world.user.uid))) === null) return found;
  const folder = runtimeFolder(home, 'node', version);
  const only = ['bin/node', 'LICENSE', 'package.json'];
  await ensure(world, home, { name: nodePackage(world), version, folder, only, runs: 'bin/node' }, events);
  return nodePath(home, version);
};

/** Folder that holds the Node's include/: what npm calls nodedir. From the same archive as the Node itself. */
export const ensureHeaders = async (
  world: World,
  home: string,
  version: string,
  events?: StoreEvents,
): Promise<string> => {
  const folder = runtimeFolder(home, 'headers', version);
  if (statIfThere(folder) === undefined) {
    await ensure(world, home, { name: nodePackage(world), version, folder, only: ['include/', 'LICENSE'] }, events);
  }
  return folder;
};

/** Folder of npm, for native modules alone. */
export const ensureNpm = async (world: World, home: string, events?: StoreEvents): Promise<string> => {
  const folder = runtimeFolder(home, 'npm', npmVersion);
  if (statIfThere(folder) === undefined) {
    await ensure(world, home, { name: 'npm', version: npmVersion, folder, only: [] }, events);
  }
  return folder;
};

const nodePackage = (world: World): string => `node-linux-${world.arch}`;

const ensure = async (world: World, home: string, wanted: WantedRuntime, events?: StoreEvents): Promise<void> => {
  const { makeRuntime } = await import('./make-runtime.ts');
  await makeRuntime(world, home, wanted, events);
};
