/**
 * The last step of everything that is staged: a complete folder gets its final name. It is renamed only where nothing stands; where another
 * run was quicker, its result is the one that counts, and ours goes with the staging folder. What stands there and is broken is put aside first.
 */
import { dirname } from 'node:path';
import { codeOf, makeFolder, renameDurably, statIfThere } from '../system/files.ts';
import { setMode } from '../system/quick-files.ts';

/** True where ours got the name, false where one stood there already. The folder ends up read-only. */
export const settle = (folder: string, target: string): boolean => {
  makeFolder(dirname(target));
  if (statIfThere(target) !== undefined) return false;
  try {
    // A folder that its owner may not write can't be moved elsewhere by others than root: it becomes read-only behind the rename.
    setMode(folder, 0o755);
    renameDurably(folder, target);
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
  setMode(target, 0o555);
  return true;
};

/** Into the staging folder, with which it goes. A program of it that still runs is not disturbed: its file lives on without a name. */
export const putAside = (target: string, to: string): void => {
  if (statIfThere(target)?.kind === 'folder') setMode(target, 0o755);
  renameDurably(target, to);
};
