/**
 * The last step of everything that is staged: a complete folder gets its final name. It is renamed only where nothing stands; where another
 * run was quicker, its result is the one that counts, and ours goes with the staging folder.
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
