/**
 * Which home a command works in: `--home`, ASSENT_HOME, or the default of who runs it.
 */

import { isAbsolute, join, resolve } from 'node:path';
import { Failure } from '../errors.ts';
import { statIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';

/** Home of whatever root installs; reading commands look there, too. */
export const systemHome = '/var/lib/assent';

/** The absolute path of the home. Failure 'usage-option' or 'usage-environment' where what was given can't be a folder. */
export const homeOf = (world: World, flag: string | undefined): string => {
  if (flag !== undefined) return parsed(world, flag, 'usage-option', '--home');
  const given = world.env['ASSENT_HOME'];
  if (given !== undefined && given !== '') return parsed(world, given, 'usage-environment', 'ASSENT_HOME');
  return world.user.uid === 0 ? systemHome : join(dataHome(world), 'assent');
};

const parsed = (world: World, path: string, code: 'usage-option' | 'usage-environment', place: string): string => {
  const wrong = faultOf(world, path);
  if (wrong === undefined) return resolve(world.cwd, path);
  throw new Failure(code, `${place} ${wrong}.`, 'Give a folder, for example: --home /srv/assent. Nothing was changed.');
};

const faultOf = (world: World, path: string): string | undefined => {
  if (path === '') return 'is empty';
  if (/\p{Cc}/u.test(path)) return 'has a control character in it';
  return isFile(resolve(world.cwd, path)) ? 'is a file, and no folder' : undefined;
};

/** What can't be looked at is told by whoever needs it. */
const isFile = (path: string): boolean => {
  try {
    return statIfThere(path)?.kind === 'file';
  } catch {
    return false;
  }
};

/** By the XDG specification a relative path there is to be ignored. */
const dataHome = (world: World): string => {
  const { XDG_DATA_HOME: data, HOME: home } = world.env;
  if (data !== undefined && isAbsolute(data)) return data;
  if (home !== undefined && isAbsolute(home)) return join(home, '.local', 'share');
  throw new Failure(
    'usage-environment',
    'HOME is not set to a folder, so there is no place for an installation.',
    'Set HOME, or give --home DIR. Nothing was changed.',
  );
};
