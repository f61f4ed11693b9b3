/**
 * Whose the files of consent are: they belong to the owner of the instance's folder, and the server's account, where there is
 * one, may read what the resolver needs and write none of it.
 */

import type { InstancePaths } from '../instance/paths.ts';
import type { Account } from '../instance/state.ts';
import { type Owner, statIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';

export interface Sharing {
  /** Owner of the instance's folder, and so of everything that can be trusted in it. */
  readonly uid: number;
  readonly mode: number;
  /** Absent where the files are ours anyhow and we could not give them away. */
  readonly owner?: Owner;
}

/** For consent.json, consent.log and the notices. Throws where the instance has no folder. */
export const sharingOf = (world: World, paths: InstancePaths, account: Account | null): Sharing => {
  const folder = statIfThere(paths.folder);
  if (folder?.kind !== 'folder') throw new Error(`${paths.folder} is not a folder`);
  const { uid } = folder;
  const owner = { uid, gid: account?.gid ?? folder.gid };
  return { uid, mode: account === null ? 0o600 : 0o640, ...(world.user.uid === 0 ? { owner } : {}) };
};
