/**
 * Where the units of an instance lie, and whether they are this home's. Homes know nothing of one another, and systemd knows units by their names alone: two
 * instances of the same name would write, stop and remove one another's.
 *
 * A unit is this home's where its text names it, by whatever path or mount leads there; one that names a home where there is no such instance any more
 * belongs to nobody, so that a home that was moved keeps its servers. It is judged by its file, loaded or not yet: drop-ins have no say in it.
 */

import { basename, join } from 'node:path';
import { Failure } from '../errors.ts';
import { instancePaths } from '../instance/paths.ts';
import { readIfThere, statIfThere } from '../system/files.ts';
import { realPathIfThere } from '../system/quick-files.ts';
import { actingNames } from './acting-units.ts';
import { isManagerThere } from './manager.ts';
import type { ServiceSpec } from './spec.ts';
import { askSystemctl } from './systemctl.ts';
import { unitName } from './unit.ts';
import { systemUnits } from './unit-environment.ts';
import { homeNamedIn } from './unit-home.ts';

/** Whose units they are: an instance of a home, for whom it runs. */
export type Named = Pick<ServiceSpec, 'host' | 'instance' | 'paths'>;

export interface UnitFile {
  readonly name: string;
  readonly file: string;
}

/** A unit of the instance's name that is not this home's. */
export interface StrangeUnit {
  readonly file: string;
  /** Undefined where Assent did not write it. */
  readonly home: string | undefined;
  /** There is no such instance in that home. */
  readonly isLeft: boolean;
}

/** Where units are written: for a user where the manager looks, whatever XDG_CONFIG_HOME and HOME of whoever types say now. */
export const unitFolder = async (named: Named): Promise<string> =>
  named.host.uid === 0 ? systemUnits : ((await folderOfManager(named)) ?? named.host.userUnits);

/** Each of these units with its file: where the manager has it from, else where it would be written. */
export const unitFiles = async (named: Named, names: readonly string[]): Promise<UnitFile[]> => {
  const folder = await unitFolder(named);
  const own = named.host.uid === 0 ? [] : (await loadedFrom(named, names)).filter((file) => isOwn(named, file));
  return names.map((name) => ({ name, file: own.find((file) => basename(file) === name) ?? join(folder, name) }));
};

export const unitFile = async (named: Named, name: string): Promise<string> => {
  const [found] = await unitFiles(named, [name]);
  return found?.file ?? '';
};

/** What lies in the machine's folders for all users is not one user's to change. */
const isOwn = ({ host }: Named, file: string): boolean => statIfThere(file)?.uid === host.uid;

/** The manager looks first for what was set by systemctl, in the folder beside. A path that systemctl can't print is unknown. */
const folderOfManager = async (named: Named): Promise<string | undefined> => {
  if (!isManagerThere(named.host.uid)) return undefined;
  const { stdout } = await askSystemctl(named, ['show', '--property=UnitPath']);
  return /^UnitPath=(\/\S*\/systemd\/user)\.control /.exec(stdout)?.[1];
};

/** Refuses with what to do about it. `isNew`: then also a unit whose home is gone is in the way, for it may be on a disk that is not mounted now. */
export const mustBeOurs = async (named: Named, { isNew = false } = {}): Promise<void> => {
  const found = await findStrange(named, [unitName(named.instance), actingNames(named.instance).recover], { isNew });
  if (found !== undefined) throw notOurs(named, found, isNew);
};

/** The first of these units that is not this home's. */
export const findStrange = async (
  named: Named,
  names: readonly string[],
  { isNew = false } = {},
): Promise<StrangeUnit | undefined> => {
  const folder = await unitFolder(named);
  const files = new Set([...names.map((name) => join(folder, name)), ...(await loadedFrom(named, names))]);
  return [...files].map((file) => strangeUnit(named, file, isNew)).find((unit) => unit !== undefined);
};

/** That unit, where it is there and not this home's. */
export const strangeUnit = ({ instance, paths }: Named, file: string, isNew = false): StrangeUnit | undefined => {
  const text = textOf(file);
  if (text === undefined) return undefined;
  const home = homeNamedIn(text, instance);
  if (home === undefined) return { file, home, isLeft: true };
  if (home === paths.home || realPathIfThere(home) === (realPathIfThere(paths.home) ?? paths.home)) return undefined;
  const [theirs, its] = [instancePaths(home, instance).folder, paths.folder].map(statIfThere);
  // One folder at two mount points, which no path tells.
  if (theirs !== undefined && theirs.dev === its?.dev && theirs.ino === its.ino) return undefined;
  const isLeft = theirs === undefined;
  return isLeft && !isNew ? undefined : { file, home, isLeft };
};

/** A unit may be a link to a file elsewhere; one to /dev/null is a mask, and nobody's. */
const textOf = (file: string): string | undefined => {
  const real = realPathIfThere(file);
  if (real === undefined) return undefined;
  return statIfThere(real)?.kind === 'file' ? readIfThere(real) : '';
};

/** Files that the manager has these units from. Where none runs there is nothing loaded. */
const loadedFrom = async (named: Named, names: readonly string[]): Promise<string[]> => {
  if (!isManagerThere(named.host.uid)) return [];
  const { stdout } = await askSystemctl(named, ['show', ...names, '--property=FragmentPath']);
  return stdout
    .split('\n')
    .map((line) => line.slice('FragmentPath='.length))
    .filter((file) => file !== '');
};

const notOurs = ({ instance, paths }: Named, { file, home, isLeft }: StrangeUnit, isNew: boolean): Failure => {
  const whose =
    home === undefined
      ? `${file} has the name of a unit of ${instance}, and Assent did not write it.`
      : `${file} is of the instance ${instance} in another home, ${home}. systemd knows one unit of a name.`;
  const goes = isLeft
    ? 'Or if nobody needs that unit any more, disable it and delete its file.'
    : `Or remove the other: assent uninstall ${instance} --home ${home}.`;
  const stays = isNew ? `Choose another name: --name ${instance}-2, or another supervisor: --supervisor process. ` : '';
  const gives = isNew || isLeft ? '' : ` Or give up this one: assent uninstall ${instance} --home ${paths.home}.`;
  const advice = `${stays}${isNew ? goes : capital(goes.slice('Or '.length))}${gives} Nothing was changed.`;
  return new Failure('refused-check', whose, advice);
};

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
