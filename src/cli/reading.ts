/**
 * Which instance a command means that changes no release. Reading looks into the system's home beside the chosen one, where root's instances are;
 * whatever else is asked for an instance of that home is refused, and says that root is needed.
 */

import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { listInstances, pickInstance } from '../instance/find.ts';
import { keptTexts } from '../instance/kept.ts';
import { type InstancePaths, instancePaths } from '../instance/paths.ts';
import { codeOf, listFolder, readBytesIfThere, statIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import { asInstanceName, type InstanceName } from '../values.ts';
import type { Flags } from './flags.ts';
import { systemHome } from './home.ts';

export interface Readable {
  readonly home: string;
  readonly name: InstanceName;
}

/** Whether the system's home is to be looked into, too: not where a home was named, and not where it is that one anyway. */
export const looksFurther = (world: World, home: string, flags: Flags): boolean =>
  flags.home === undefined && !world.env['ASSENT_HOME'] && home !== systemHome;

/** The instances of the system's home; 'closed' where only root may see them. */
export const systemInstances = (): readonly InstanceName[] | 'closed' => {
  try {
    if (statIfThere(systemHome) === undefined) return [];
    listFolder(join(systemHome, 'instances'));
    return listInstances(systemHome);
  } catch {
    return 'closed';
  }
};

/** As `pickToRead`, and also one that was uninstalled and whose record of consent was kept: what was agreed to can be asked for ever after. */
export const pickRecord = async (
  world: World,
  home: string,
  flags: Flags,
  given: string | undefined,
): Promise<Readable> => {
  const name = given === undefined ? undefined : asInstanceName(given);
  const isKept = name !== undefined && statIfThere(instancePaths(home, name).consentLog) !== undefined;
  return isKept ? { home, name } : pickToRead(world, home, flags, given);
};

/** Throws as `pickInstance` does, and 'refused-permission' where the system's home may have it and can't be seen. */
export const pickToRead = async (
  world: World,
  home: string,
  flags: Flags,
  given: string | undefined,
): Promise<Readable> => {
  if (!looksFurther(world, home, flags)) return { home, name: await pickInstance(home, given) };
  const own = listInstances(home);
  const shared = systemInstances();
  const wanted = given === undefined ? undefined : asInstanceName(given);
  if (wanted !== undefined && own.includes(wanted)) return { home, name: wanted };
  if (shared === 'closed' && own.length === 0) throw rootNeeded(given);
  if (shared === 'closed') return { home, name: await pickInstance(home, given) };
  if (wanted !== undefined && shared.includes(wanted)) return { home: systemHome, name: wanted };
  const [only, ...others] = shared;
  const single = given === undefined && own.length === 0 && only !== undefined && others.length === 0;
  return single ? { home: systemHome, name: only } : { home, name: await pickInstance(home, given) };
};

/** As `pickInstance`, and as `refuseRoots`. */
export const pickOwn = async (
  world: World,
  home: string,
  flags: Flags,
  given: string | undefined,
): Promise<InstanceName> => {
  refuseRoots(world, home, flags, given);
  return pickInstance(home, given);
};

/** Throws 'refused-permission' where it is the system's home that has, or may have, the instance that is meant: "not installed" would be an untruth. */
export const refuseRoots = (world: World, home: string, flags: Flags, given: string | undefined): void => {
  if (!looksFurther(world, home, flags)) return;
  const name = given === undefined ? undefined : asInstanceName(given);
  const isNone = listInstances(home).length === 0;
  // Also what an uninstall has kept is his who looks for it; and what can't be a name is nobody's.
  const isOwn =
    name === undefined
      ? given !== undefined || !isNone || keptTexts(home).length > 0
      : statIfThere(instancePaths(home, name).folder) !== undefined;
  if (isOwn) return;
  const shared = systemInstances();
  if (shared === 'closed' && isNone) throw rootNeeded(given);
  if (shared === 'closed') return;
  if (name === undefined ? shared.length > 0 : shared.includes(name)) throw rootsOwn(name ?? shared.join(', '));
};

/** What a look at the own home leaves out, for people; undefined where that is nothing. */
export const systemHint = (world: World, home: string, flags: Flags): string | undefined => {
  const names = looksFurther(world, home, flags) ? systemInstances() : [];
  if (names === 'closed') return closedHint;
  if (names.length === 0) return undefined;
  return `${names.join(', ')}: in ${systemHome}; to change ${names.length === 1 ? 'it' : 'them'}, root is needed.`;
};

/** For people, where `systemInstances` is 'closed'. */
export const closedHint = `There is a home of the system, ${systemHome}: to see into it, root is needed.`;

/**
 * Throws 'refused-permission' where this process may not read what the answer about telemetry stands on. The resolver calls that a no, which is right for whoever
 * counts or sends; told to people it would be an untruth about a server that goes on counting.
 */
export const refuseUnreadable = (paths: InstancePaths): void => {
  const closed = [paths.state, paths.consent, paths.consentLog, paths.consentMark].find(isForbidden);
  if (closed === undefined) return;
  throw new Failure(
    'refused-permission',
    `What is on record for ${paths.name} can't be told here: ${closed} may not be read by this user.`,
    'Run the command as the user who installed it, or as root. Nothing was changed.',
  );
};

/** What else is wrong with the file the resolver tells. */
const isForbidden = (path: string): boolean => {
  try {
    readBytesIfThere(path);
    return false;
  } catch (error) {
    return ['EACCES', 'EPERM'].includes(codeOf(error) ?? '');
  }
};

const rootsOwn = (names: string): Failure =>
  new Failure(
    'refused-permission',
    `${names} ${names.includes(', ') ? 'are instances' : 'is an instance'} of the system's home ${systemHome}: root is needed for that.`,
    'Type the same command as root. Nothing was changed.',
  );

const rootNeeded = (given: string | undefined): Failure =>
  new Failure(
    'refused-permission',
    `${given === undefined ? 'Nothing is installed here' : `"${given}" is not installed here`}; what the system's home ${systemHome} has, only root can see.`,
    `As root: sudo assent status${given === undefined ? '' : ` ${given}`}. Nothing was changed.`,
  );
