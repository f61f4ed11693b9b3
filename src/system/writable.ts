/** Whether something can be made at a path, asked of the system before anything is made: for whoever is about to be asked questions. */

import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { statIfThere } from './files.ts';

const { W_OK, X_OK } = constants;

/** Throws the system's error (EACCES, EROFS, ENOTDIR), at the first path that could not be made, where the folder neither is writable nor could be made. */
export const mustBeWritable = (folder: string): void => {
  const parent = dirname(folder);
  if (statIfThere(folder) !== undefined) mayMake(folder, folder);
  else if (statIfThere(parent) !== undefined) mayMake(folder, parent);
  else mustBeWritable(parent);
};

/** The dot asks for a folder: a file in its place is told as such. */
const mayMake = (path: string, folder: string): void => {
  try {
    accessSync(`${folder}/.`, W_OK | X_OK);
  } catch (error) {
    throw Object.assign(error as Error, { path });
  }
};
