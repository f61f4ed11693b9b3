/**
 * Where the units of an instance lie, and whether they are this home's. Homes know nothing of one another, and systemd knows units by their names alone: two
 * instances of the same name would write, stop and remove one another's.
 *
 * A unit is this home's where its text names it, by whatever path or mount leads there; one that names a home where there is no such instance any more
 * belongs to nobody, so that a home that was moved keeps its servers. It is judged by its file, loaded or not yet: drop-ins have no say in it.
 */

import { basename, dirname, join } from 'node:path';
import { Failure } from '../errors.ts';
import { instancePaths } from '../instance/paths.ts';
import { makeFolder, readIfThere, statIfThere, writeDurably } from '../system/files.ts';
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

/** A unit of the instance's name that is not this home's. */
export interface StrangeUnit {
  readonly file: string;
  /** Undefined where Assent did not write it. */
  readonly home: string | undefined;
  /** There is no such instance in that home. */
  readonly isLeft: boolean;
}

/** What was found of one name: a unit, or a drop-in of one. */
export interface FoundUnit {
  readonly name: string;
  /** Where the manager has it from if that is the user's own, else where it would be written. */
  readonly file: string;
  readonly isThere: boolean;
  readonly isLoaded: boolean;
  /** Where it is not this home's. A timer and a drop-in name no home: they go with what they belong to. */
  readonly strange: StrangeUnit | undefined;
}

interface UnitText {
  readonly name: string;
  readonly text: string;
}

/** The units that every other one of the instance belongs to. */
export const mainNames = (instance: string): string[] => [unitName(instance), actingNames(instance).recover];

/** All that is asked about these names, of the manager and of the files, at once. */
export const findUnits = async (
  named: Named,
  names: readonly string[],
  { isNew = false } = {},
): Promise<FoundUnit[]> => {
  const asked = await ask(named, names);
  return names.map((name) => foundUnit(named, asked, name, isNew));
};

export const findUnit = async (named: Named, name: string): Promise<FoundUnit> =>
  foundUnit(named, await ask(named, [name]), name, false);

/**
 * The same of what is to be taken away, if any of it is there. Nothing where one of these, or of those that they belong to, is another home's. Root's lie in
 * one folder: where none is there, nobody has to be asked.
 */
export const findOurs = async (
  named: Named,
  names: readonly string[],
  owners: readonly string[] = [],
): Promise<FoundUnit[]> => {
  if (named.host.uid === 0 && names.every((name) => statIfThere(join(systemUnits, name)) === undefined)) return [];
  const all = await findUnits(named, [...owners, ...names]);
  const found = all.slice(owners.length);
  return all.some(({ strange }) => strange) || !found.some(({ isThere }) => isThere) ? [] : found;
};

/** Refuses with what to do about it. `isNew`: then also a unit whose home is gone is in the way, for it may be on a disk that is not mounted now. */
export const mustBeOurs = async (named: Named, { isNew = false } = {}): Promise<void> =>
  refuseStrange(named, await findUnits(named, mainNames(named.instance), { isNew }), isNew);

/** Writes those that are not there like that already, and gives their names. Failure 'refused-check' where one of the name is another home's. */
export const writeUnits = async (named: Named, units: readonly UnitText[]): Promise<string[]> => {
  const found = await findUnits(named, [...mainNames(named.instance), ...units.map(({ name }) => name)]);
  refuseStrange(named, found);
  return writeFound(found, units);
};

/** The same among units that were found, and are ours. */
export const writeFound = (found: readonly FoundUnit[], units: readonly UnitText[]): string[] => {
  const texts = new Map(units.map(({ name, text }) => [name, text]));
  const changed = new Set<string>();
  for (const { name, file } of found) {
    const text = texts.get(name);
    if (text === undefined || textOf(file) === text) continue;
    makeFolder(dirname(file));
    writeDurably(file, text, { mode: 0o644 });
    changed.add(name);
  }
  return [...changed];
};

export const refuseStrange = (named: Named, found: readonly FoundUnit[], isNew = false): void => {
  for (const { strange } of found) if (strange !== undefined) throw notOurs(named, strange, isNew);
};

/** What the manager says: where units are written, and the files that it has some from. */
interface Asked {
  readonly folder: string;
  readonly loaded: ReadonlyMap<string, string>;
}

const ask = async (named: Named, names: readonly string[]): Promise<Asked> => {
  const [folder, loaded] = await Promise.all([unitFolder(named), loadedFrom(named, names)]);
  return { folder, loaded };
};

const foundUnit = (named: Named, { folder, loaded }: Asked, name: string, isNew: boolean): FoundUnit => {
  const from = loaded.get(name);
  const written = join(folder, name);
  const file = from !== undefined && basename(from) === name && isOwn(named, from) ? from : written;
  const files = name.endsWith('.service') ? [written, ...(from === undefined ? [] : [from])] : [];
  const strange = files.map((each) => strangeUnit(named, each, isNew)).find((unit) => unit !== undefined);
  return { name, file, isThere: statIfThere(file) !== undefined, isLoaded: from !== undefined, strange };
};

/** What lies in the machine's folders for all users is not one user's to change, and root's are where they are written. */
const isOwn = ({ host }: Named, file: string): boolean => host.uid !== 0 && statIfThere(file)?.uid === host.uid;

/** For a user where the manager looks, whatever XDG_CONFIG_HOME and HOME of whoever types say now. */
const unitFolder = async (named: Named): Promise<string> =>
  named.host.uid === 0 ? systemUnits : ((await folderOfManager(named)) ?? named.host.userUnits);

/** The manager looks first for what was set by systemctl, in the folder beside. A path that systemctl can't print is unknown. */
const folderOfManager = async (named: Named): Promise<string | undefined> => {
  if (!isManagerThere(named.host.uid)) return undefined;
  const { stdout } = await askSystemctl(named, ['show', '--property=UnitPath']);
  return /^UnitPath=(\/\S*\/systemd\/user)\.control /.exec(stdout)?.[1];
};

/** Files that the manager has these units from, by their names. Where none runs there is nothing loaded; a drop-in is no unit. */
const loadedFrom = async (named: Named, names: readonly string[]): Promise<Map<string, string>> => {
  const units = names.filter((name) => dirname(name) === '.');
  if (units.length === 0 || !isManagerThere(named.host.uid)) return new Map();
  const { stdout } = await askSystemctl(named, ['show', ...units, '--property=Id', '--property=FragmentPath']);
  // A paragraph for each, in this order.
  const files = stdout.split('\n\n').map((said) => /^FragmentPath=(.+)$/m.exec(said)?.[1]);
  return new Map(units.flatMap((name, at): [string, string][] => (files[at] ? [[name, files[at]]] : [])));
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
