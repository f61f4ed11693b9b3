/** What a Node of a home says when it is asked for its version. As root it is asked as whoever owns the home that it lies in. */

import type { InstancePaths } from '../instance/paths.ts';
import { wrongAnswer } from '../release/node-answer.ts';
import { ownerOfShared } from '../service/owner.ts';
import type { World } from '../system/world.ts';

interface Asking {
  readonly world: World;
  readonly paths: InstancePaths;
}

/** Null where it answers as that version; else the beginning of what it says, or that it does not run. */
export const wrongAnswerIn = ({ world, paths }: Asking, node: string, version: string): Promise<string | null> => {
  const owner = ownerOfShared(paths, world.user.uid);
  return wrongAnswer(node, version, owner === undefined ? {} : { owner, cwd: '/' });
};
