/**
 * Which instances there are, and which one a command means.
 *
 * NAME may be left out while there is exactly one. An instance that was uninstalled and kept its data is not listed, but
 * `install` finds it again. A folder whose state file is damaged is listed: hiding it would call it absent.
 */

import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { listFolder } from '../system/files.ts';
import type { InstanceName } from '../values.ts';
import { asInstanceName } from '../values.ts';
import { keptText, keptTexts } from './kept.ts';
import { instancePaths } from './paths.ts';
import { readState } from './state.ts';
import { unfinished } from './unfinished.ts';

/** Names of the instances of a home that are installed, damaged, or in the middle of a change; sorted. */
export const listInstances = (home: string): InstanceName[] => namesIn(home).filter((name) => isThere(home, name));

/**
 * The instance that a command means. Throws 'usage-name' where the name is no name or none was given and there are several,
 * 'no-instance' where there is none of that name. `alsoThere` finds more than those that are listed.
 */
export const pickInstance = async (
  home: string,
  given: string | undefined,
  alsoThere: (name: InstanceName) => boolean = () => false,
): Promise<InstanceName> => {
  const names = namesIn(home).filter((name) => isThere(home, name) || alsoThere(name));
  if (given === undefined) return theOnlyOne(home, names);
  const name = asInstanceName(given);
  if (name === undefined) throw new Failure('usage-name', `"${given}" is not a name of an instance.`, nameRule);
  if (names.includes(name)) return name;
  throw new Failure(
    'no-instance',
    `There is no instance "${name}" in ${home}.`,
    keptText(home, name) ?? (await adviceFor(name, names)),
  );
};

export const nameRule =
  'A name begins with a lower-case letter and has lower-case letters, digits and hyphens, 32 at most: mail, mail-2.';

const theOnlyOne = (home: string, names: InstanceName[]): InstanceName => {
  const [first, ...others] = names;
  if (first === undefined) {
    throw new Failure(
      'no-instance',
      `Nothing is installed in ${home}.`,
      ['Install something: assent install. Products: assent products.', ...keptTexts(home)].join(' '),
    );
  }
  if (others.length === 0) return first;
  throw new Failure(
    'usage-name',
    `There are ${names.length} instances: name one.`,
    `Their names: ${names.join(', ')}.`,
  );
};

const adviceFor = async (name: string, names: InstanceName[]): Promise<string> => {
  if (names.length === 0) return 'Nothing is installed there. Another home: --home DIR.';
  const { closest } = await import('fastest-levenshtein');
  return `Did you mean "${closest(name, names)}"? There: ${names.join(', ')}.`;
};

const namesIn = (home: string): InstanceName[] =>
  listFolder(join(home, 'instances'))
    .map(asInstanceName)
    .filter((name): name is InstanceName => name !== undefined);

const isThere = (home: string, name: InstanceName): boolean => {
  const paths = instancePaths(home, name);
  try {
    return readState(paths)?.installed === true || unfinished(paths) !== null;
  } catch {
    return true;
  }
};
