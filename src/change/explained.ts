/**
 * Why a step failed, as people are told: a full disk behind it is named.
 *
 * It never throws, for an undo follows it.
 */

import type { InstancePaths } from '../instance/paths.ts';
import { freeSpace } from '../system/space.ts';
import { LeftBehind } from './left-behind.ts';
import { reasonOf, Unhealthy } from './unhealthy.ts';

/** A server that finds its disk full mostly says so nowhere, for its log lies on it, too. */
export const explained = ({ paths }: { readonly paths: Pick<InstancePaths, 'folder'> }, error: unknown): unknown => {
  // Its words are for whoever waits, and a full disk is no part of them.
  if (error instanceof LeftBehind) return error;
  const mount = fullDisk(paths.folder);
  if (mount === undefined) return error;
  const full = `${reasonOf(error)} (The disk is full: ${mount}.)`;
  return error instanceof Unhealthy ? new Unhealthy(full, error.log) : new Error(full, { cause: error });
};

/** What kept a step from being done may keep us from looking, too: that is no reason not to undo it. */
const fullDisk = (folder: string): string | undefined => {
  try {
    const { bytes, mount } = freeSpace(folder);
    return bytes > 1024 ** 2 ? undefined : mount;
  } catch {
    return undefined;
  }
};
