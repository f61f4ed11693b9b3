/** Folders that may be made only inside of one that is there. */
import { lstatSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, syncFolder } from './files.ts';

/**
 * Makes the folder, with mode 0700, and never one above it. False where that lacks, or where something else than a folder of our own
 * stands there: then nothing was made, and nothing is to be written there.
 */
export const makeInnerFolder = (path: string): boolean => {
  try {
    mkdirSync(path, 0o700);
    syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return false;
    if (codeOf(error) !== 'EEXIST') throw error;
    const stat = lstatSync(path);
    return stat.isDirectory() && stat.uid === process.geteuid?.();
  }
};
