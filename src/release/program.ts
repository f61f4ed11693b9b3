/**
 * The verified copy of Assent itself, with the Node that it runs on: HOME/runtimes/assent/VERSION-DIGEST. Whatever outlives the command
 * (units, timers, a detached run) executes this copy, never the clone, the npx cache or a global folder that may change or vanish.
 *
 * The copy is made of exactly the files that the build has listed, each one checked (program-build.ts). DIGEST is the list's own, so another build is
 * another folder. A copy that is there is looked at each time (the list's bytes, every file's size, whether its Node runs), and made anew where it is
 * not whole.
 */
import { join } from 'node:path';
import { statIfThere, syncTree } from '../system/files.ts';
import type { World } from '../system/world.ts';
import { homePaths } from './layout.ts';
import { askedIn, wrongAnswer } from './node-answer.ts';
import { type Build, buildOf, copyProgram, isWhole, nameOfBuild, type Program, programIn } from './program-build.ts';
import { ownNodeVersion } from './runtimes.ts';

export type { Program } from './program-build.ts';

/** Where the copy is, or would be; nothing is made. Failure 'refused-check' where the running program was not built. */
export const findProgram = (world: World, home: string): Program => programIn(folderOf(home, buildOf(world)));

/** Whether the copy is there and whole, as far as sizes tell. */
export const hasProgram = (world: World, home: string): boolean => {
  const build = buildOf(world);
  return isWhole(folderOf(home, build), build);
};

/** The copy; made now unless it is there. Failures as of ensureNode, and 'refused-check' where the running program is not the one that was built. */
export const ensureProgram = async (world: World, home: string): Promise<Program> => {
  const build = buildOf(world);
  const target = folderOf(home, build);
  if (await isSound(world, home, target, build)) return programIn(target);
  const [{ ensureNode }, { withStaging }, { putAside, settle }] = await Promise.all([
    import('./runtime.ts'),
    import('./staging.ts'),
    import('./settle.ts'),
  ]);
  const node = await ensureNode(world, home, ownNodeVersion);
  await withStaging(world, home, async (staging) => {
    const folder = join(staging, 'program');
    copyProgram(world, build, folder, node);
    syncTree(folder);
    if (statIfThere(target) !== undefined && !(await isSound(world, home, target, build)))
      putAside(target, join(staging, 'damaged'));
    settle(folder, target);
  });
  return programIn(target);
};

const folderOf = (home: string, build: Build): string => join(homePaths(home).runtimes, 'assent', nameOfBuild(build));

/** Whole, with a Node that runs; the copy that is running itself has one. */
const isSound = async (world: World, home: string, folder: string, build: Build): Promise<boolean> =>
  isWhole(folder, build) &&
  (folder === world.program ||
    (await wrongAnswer(programIn(folder).node, ownNodeVersion, askedIn(home, world.user.uid))) === null);
