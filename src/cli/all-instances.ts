/** All instances that a reading command is about, each looked at now. */

import { messageOf } from '../errors.ts';
import { listInstances } from '../instance/find.ts';
import { keptTexts } from '../instance/kept.ts';
import type { World } from '../system/world.ts';
import type { InstanceView } from '../ui/result.ts';
import type { InstanceName } from '../values.ts';
import type { Flags } from './flags.ts';
import { systemHome } from './home.ts';
import { viewOf } from './instance-view.ts';
import { systemHint, systemInstances } from './reading.ts';

export interface All {
  readonly instances: readonly InstanceView[];
  /** What people should know beside it: where uninstalled ones have left their data, that root is needed to see more. */
  readonly hints: readonly string[];
}

export const viewAll = async (world: World, home: string, flags: Flags): Promise<All> => {
  const own = await viewsOf(world, home, listInstances(home));
  const kept = keptTexts(home);
  const hint = systemHint(world, home, flags);
  if (hint === undefined) return { instances: own, hints: kept };
  const names = systemInstances();
  const shared = names === 'closed' ? [] : await viewsOf(world, systemHome, names);
  return { instances: [...own, ...shared.map((view) => ({ ...view, home: systemHome }))], hints: [...kept, hint] };
};

const viewsOf = (world: World, home: string, names: readonly InstanceName[]): Promise<InstanceView[]> =>
  Promise.all(names.map((name) => viewOrDamage(world, home, name)));

/** One damaged instance must not hide the others. */
const viewOrDamage = async (world: World, home: string, name: InstanceName): Promise<InstanceView> => {
  try {
    return await viewOf(world, home, name);
  } catch (error) {
    const nothing = { version: null, previous: null, generation: null, supervisor: null, urls: {}, paths: {} };
    return {
      name,
      product: 'unknown',
      title: name,
      ...nothing,
      state: 'unknown',
      health: 'unknown',
      detail: messageOf(error),
    };
  }
};
