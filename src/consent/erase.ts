/**
 * Erasing what was counted: the folder `telemetry/` is renamed away, so that nobody writes into it any more, and then deleted. Writers
 * never make that folder themselves. What a killed erasing left behind goes with the next one.
 *
 * As root, what the server's account may write is emptied by a process of that account.
 */

import { join } from 'node:path';
import type { InstancePaths } from '../instance/paths.ts';
import { listFolder, removeFile, renameDurably, statIfThere } from '../system/files.ts';
import { measureTree, removeTree } from '../system/tree.ts';
import type { World } from '../system/world.ts';

export interface Erased {
  /** Files and folders. */
  readonly files: number;
  /** What they took on the disk, in whole blocks. */
  readonly bytes: number;
}

/** Erases all there is, and says how much it was. Throws the system's error; then some of it may be left. */
export const eraseTelemetry = async (world: World, paths: InstancePaths): Promise<Erased> => {
  const stat = statIfThere(paths.telemetry);
  if (stat?.kind === 'folder') {
    renameDurably(paths.telemetry, join(paths.folder, `${gonePrefix}${world.random(8).toString('hex')}`));
  } else if (stat !== undefined) {
    removeFile(paths.telemetry);
  }
  let erased: Erased = { files: 0, bytes: 0 };
  for (const folder of listErasing(paths)) {
    const { files, bytes } = await eraseFolder(folder);
    erased = { files: erased.files + files, bytes: erased.bytes + bytes };
  }
  return erased;
};

/** The folders of an erasing that is under way, or was killed. */
export const listErasing = (paths: InstancePaths): string[] =>
  listFolder(paths.folder)
    .filter((entry) => entry.startsWith(gonePrefix))
    .map((name) => join(paths.folder, name));

const gonePrefix = 'telemetry.gone-';

const eraseFolder = async (folder: string): Promise<Erased> => {
  const { files, bytes } = await measureTree(folder);
  await removeTree(folder);
  return { files, bytes };
};
