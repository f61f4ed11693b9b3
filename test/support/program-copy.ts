/**
 * The program as a stranger would have it: bin, dist, products and a Node in a folder of their own, where any user can read them.
 * Made once for all test files of a run, below the folder that built-program.ts makes before the first test and removes after the last.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const repository = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');

export const programCopy = (): string => {
  const folder = process.env.ASSENT_TEST_PROGRAM;
  if (folder === undefined)
    throw new Error('ASSENT_TEST_PROGRAM is not set: tests are run by vitest, with its global setup');
  const copy = join(folder, 'copy');
  if (!existsSync(copy)) make(folder, copy);
  return copy;
};

/** Test files run side by side: the first copy that is whole is everybody's. */
const make = (folder: string, copy: string): void => {
  const own = mkdtempSync(join(folder, 'making-'));
  for (const part of ['bin', 'dist', 'products', 'schema', 'package.json']) {
    cpSync(join(repository, part), join(own, part), { recursive: true });
  }
  mkdirSync(join(own, 'node'));
  cpSync(process.execPath, join(own, 'node/node'));
  spawnSync('chmod', ['-R', 'a+rX', own]);
  try {
    renameSync(own, copy);
  } catch {
    rmSync(own, { recursive: true, force: true });
  }
};
