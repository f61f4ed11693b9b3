/**
 * Configuration that the running server was not started with: somebody has changed it since. The server is healthy for all that can be
 * seen, and may not be once it is started again, whichever release that is.
 *
 * So the plan warns of it, and an undo, which puts it back as it was found, does not insist on a health that nobody has ever seen.
 */

import { dirname, join } from 'node:path';
import type { InstancePaths } from '../instance/paths.ts';
import { readBytesIfThere, statIfThere } from '../system/files.ts';
import { listFiles } from '../system/list-files.ts';
import { startedAt } from '../system/process-table.ts';
import type { ProcessIdentity } from '../system/processes.ts';
import type { World } from '../system/world.ts';

/** Files below config/ that are not what Assent wrote, and were changed or removed after the process had been started. */
export const untriedFiles = (world: World, paths: InstancePaths, main: ProcessIdentity): string[] => {
  const started = startedAt(world.now(), main);
  const files = new Set([...listFiles(paths.config), ...listFiles(paths.configBase)]);
  return [...files].filter((file) => changedAt(paths, file) > started && !isAsWritten(paths, file));
};

/** A file that was removed has left its time to its folder. */
const changedAt = ({ config }: InstancePaths, file: string): number => {
  const path = join(config, file);
  return (statIfThere(path) ?? statIfThere(dirname(path)))?.changedMs ?? 0;
};

const isAsWritten = ({ config, configBase }: InstancePaths, file: string): boolean => {
  const [there, written] = [config, configBase].map((folder) => readBytesIfThere(join(folder, file)));
  return there !== undefined && written !== undefined && there.equals(written);
};
