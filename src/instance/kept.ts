/**
 * Instances that were uninstalled and kept their data. They are in no list of what there is, but whoever looks for one is told where its data lie,
 * and how they come back or go.
 */

import { join } from 'node:path';
import { listFolder } from '../system/files.ts';
import { asInstanceName } from '../values.ts';
import { instancePaths } from './paths.ts';
import type { InstanceState } from './state.ts';
import { readState } from './state.ts';
import { unfinished } from './unfinished.ts';

/** A sentence or two about each; sorted by name. */
export const keptTexts = (home: string): string[] =>
  listFolder(join(home, 'instances')).flatMap((name) => keptText(home, name) ?? []);

/** What is told of one; undefined where nothing is kept under that name. */
export const keptText = (home: string, given: string): string | undefined => {
  const name = asInstanceName(given);
  const state = name === undefined ? undefined : keptState(home, name);
  if (name === undefined || state === undefined) return undefined;
  const { folder } = instancePaths(home, name);
  return `${name} is uninstalled, and what it kept lies in ${folder}. To bring it back: ${installLine(state)}. To delete that, too: ${purgeLine(state)}.`;
};

/** What is typed to install such an instance again, over what it kept: in its own version, for without one it would be the newest. */
export const installLine = ({ name, product, manifest, release }: InstanceState): string =>
  `assent install ${manifest ?? product}@${release.version}${String(name) === String(product) ? '' : ` --name ${name}`}`;

export const purgeLine = ({ name }: InstanceState): string => `assent uninstall ${name} --purge`;

const keptState = (home: string, name: InstanceState['name']): InstanceState | undefined => {
  const paths = instancePaths(home, name);
  try {
    const state = readState(paths);
    return state?.installed === false && unfinished(paths) === null ? state : undefined;
  } catch {
    return undefined;
  }
};
