/**
 * The folder `telemetry/`: made here, by a change with a yes, before the new server starts, and nowhere else. Whoever counts never makes it, so what an
 * erasing took away stays away. Behind the commit the window begins: from then on whole days may be reported.
 *
 * The folder is ours; only `counts` in it may be written by the server's account, who may pass through and see nothing else.
 */

import type { InstancePaths } from '../instance/paths.ts';
import type { Account } from '../instance/state.ts';
import { makeFolder, statIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import { readWindow, writeWindow } from './window.ts';

/** Throws the system's error where it can't be made; then nothing is counted. */
export const openTelemetry = (paths: InstancePaths, account: Account | null): void => {
  makeFolder(paths.telemetry, { mode: account === null ? 0o700 : 0o711 });
  const owner = account === null ? {} : { owner: { uid: account.uid, gid: account.gid } };
  if (statIfThere(paths.counts) === undefined) makeFolder(paths.counts, { mode: 0o700, ...owner });
};

/** Behind a finished change. Nothing where the folder has gone (a no was said meanwhile), or where the window is open already. */
export const openWindow = (world: Pick<World, 'now'>, paths: InstancePaths, generation: number): void => {
  if (statIfThere(paths.telemetry) === undefined || readWindow(paths)?.generation === generation) return;
  writeWindow(paths, { generation, since: world.now().toISOString() });
};
