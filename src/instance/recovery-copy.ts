/**
 * The copy of Assent that an instance keeps for its own recovery: `recover/assent`, a few lines of shell, starts `recover/VERSION-DIGEST` on the Node that lies
 * in it. `recover` and `status` work with it where nothing else of Assent is left: no global folder, no Node on the machine, no HOME/runtimes.
 *
 * It is made before a change is opened, of the Assent that makes the change. Its files are second names of the verified copy's under HOME/runtimes (copies
 * on another filesystem), each one checked by the build's list, also where the copy is there already and is kept. It is complete
 * under its name or not there; `assent` is replaced in one step once it is, so there is always one that works. As root it is root's.
 */

import { basename, dirname, join } from 'node:path';
import {
  buildOf,
  copyProgram,
  isVerified,
  isWhole,
  nameOfBuild,
  type Program,
  programIn,
} from '../release/program-build.ts';
import {
  listFolder,
  listTemporaries,
  makeFolder,
  readIfThere,
  renameDurably,
  statIfThere,
  syncTree,
  writeDurably,
} from '../system/files.ts';
import { removeAtExit } from '../system/own-process.ts';
import { removeTree } from '../system/tree.ts';
import type { World } from '../system/world.ts';
import type { InstancePaths } from './paths.ts';

/** What is typed instead of `assent` where that is gone. */
export const recoveryCommand = ({ recover }: InstancePaths): string => join(recover, 'assent');

/** Whether it is there, of the running Assent, and whole as far as sizes tell. */
export const hasRecoveryCopy = (world: World, paths: InstancePaths): boolean => {
  const build = buildOf(world);
  const name = nameOfBuild(build);
  return readIfThere(recoveryCommand(paths)) === scriptFor(name) && isWhole(join(paths.recover, name), build);
};

/** Makes it where it lacks, is another Assent's, or has changed; `program` is the verified copy. Nothing happens where it is as it should be. */
export const ensureRecoveryCopy = async (world: World, paths: InstancePaths, program: Program): Promise<void> => {
  const build = buildOf(world);
  const name = nameOfBuild(build);
  const target = join(paths.recover, name);
  makeFolder(paths.recover, { mode: 0o755 });
  if (!isVerified(target, build, program.node)) {
    const next = `${target}.next`;
    await removeTree(next);
    copyProgram(world, build, next, program.node, dirname(dirname(program.main)));
    syncTree(next);
    if (statIfThere(target) !== undefined) renameDurably(target, `${target}.damaged`);
    renameDurably(next, target);
  }
  const script = recoveryCommand(paths);
  if (readIfThere(script) !== scriptFor(name) || statIfThere(script)?.mode !== 0o755)
    writeDurably(script, scriptFor(name), { mode: 0o755 });
  for (const other of listFolder(paths.recover))
    if (other !== name && other !== basename(script)) await removeTree(join(paths.recover, other));
};

/** What a run that was killed while it made the copy has left beside the one that works, or without one. */
export const listHalfMade = (paths: InstancePaths): string[] => {
  const script = readIfThere(recoveryCommand(paths));
  if (script === undefined) return statIfThere(paths.recover) === undefined ? [] : [paths.recover];
  const others = listFolder(paths.recover).filter((name) => name !== 'assent' && !script.includes(`$here/${name}/`));
  return [...others.map((name) => join(paths.recover, name)), ...listTemporaries(paths.recover)];
};

/** Whether the running program is that copy. */
export const runsFromRecoveryCopy = ({ program }: World, { recover }: InstancePaths): boolean =>
  program.startsWith(`${recover}/`);

/** What runs from it needs it until its end, and removes it then. */
export const removeRecoveryCopy = async (world: World, paths: InstancePaths): Promise<void> => {
  if (runsFromRecoveryCopy(world, paths)) removeAtExit(paths.recover);
  else await removeTree(paths.recover);
};

/** All is found from where the script lies, so that a home can be moved as a whole. Links to it are followed. */
const scriptFor = (name: string): string => {
  const { node, main } = programIn(`$here/${name}`);
  return `#!/bin/sh
# Assent as it was when this instance was last changed, with a Node of its own. It ends an interrupted change where the installed Assent can't:
#   recover/assent status, recover/assent recover NAME
self=$0
while [ -h "$self" ]; do
  link=$(readlink -- "$self")
  case $link in
    /*) self=$link ;;
    *) self=$(dirname -- "$self")/$link ;;
  esac
done
here=$(CDPATH='' cd -- "$(dirname -- "$self")" && pwd -P) || exit 3
ASSENT_HOME=$(dirname -- "$(dirname -- "$(dirname -- "$here")")")
export ASSENT_HOME
exec "${node}" "${main}" "$@"
`;
};
