/**
 * All regular files below a small folder that is ours alone (configuration), by path below it. A link or a special file is
 * refused by name: what it points to is not ours to carry along.
 */

import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { listFolder } from './files.ts';

/** Sorted; empty where there is no such folder. Throws 'refused-check' for links and special files. */
export const listFiles = (folder: string, below = ''): string[] =>
  listFolder(join(folder, below)).flatMap((name) => {
    const file = below === '' ? name : `${below}/${name}`;
    const stat = lstatSync(join(folder, file));
    if (stat.isDirectory()) return listFiles(folder, file);
    if (stat.isFile()) return [file];
    throw new Failure(
      'refused-check',
      `${join(folder, file)} is neither a file nor a folder (a link, perhaps).`,
      'Put the file itself there, or move it out of the configuration folder.',
    );
  });
