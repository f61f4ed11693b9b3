/**
 * npm's lockfile (version 3) is the install map: each location under node_modules, what lies there, and the sha512 that
 * its archive has to have. Everything that is installed is pinned here or came inside of a pinned archive; there is no other way in.
 *
 * Parsed at the edge: a location that could leave node_modules, a package without sha512, a link, a git or file source make a
 * Failure that names the package. What is for other machines, or for developers only, is left out.
 */
import { Failure } from '../errors.ts';
import { shown } from '../product/wording.ts';
import { asIntegrity, asVersion, type Integrity, isMap, type Version } from '../values.ts';

export interface NpmPackage {
  /** Relative to the release's folder: `node_modules/a/node_modules/@b/c`. */
  readonly location: string;
  /** Name in the registry; differs from the location's where a package is installed under an alias. */
  readonly name: string;
  readonly version: Version;
  readonly integrity: Integrity;
  /** Where the lockfile saw it; left out where the registry follows from the configuration. */
  readonly resolved?: string;
  /** Name of a command -> its file inside the package. */
  readonly bin: Readonly<Record<string, string>>;
}

export interface NpmLock {
  /** What is fetched, in the order of the lockfile: by location. */
  readonly packages: readonly NpmPackage[];
  /** What comes inside of another package's archive and has commands. */
  readonly bundled: readonly Pick<NpmPackage, 'location' | 'bin'>[];
}

/** What the lockfile's `os`, `cpu` and `libc` are held against. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  readonly libc: 'glibc' | 'other';
}

type Raw = Readonly<Record<string, unknown>>;

/** Longest lockfile and largest number of packages that are read. */
const limits = { characters: 20_000_000, packages: 20_000 };

/** The packages that belong on this machine. Failure 'usage-manifest', naming file and package; 'refused-platform' where one that is needed is not for it. */
export const parseNpmLock = (text: string, file: string, machine: Machine): NpmLock => {
  const packages = readPackages(text, file);
  const dropped = new Set<string>();
  const kept: NpmPackage[] = [];
  const bundled: Pick<NpmPackage, 'location' | 'bin'>[] = [];
  for (const [location, raw] of packages) {
    checkLocation(location, file);
    if (isInside(location, dropped)) continue;
    if (raw.dev === true) dropped.add(location);
    else if (!fits(raw, machine)) {
      if (raw.optional !== true) throw notForThisMachine(location, file, machine);
      dropped.add(location);
    } else if (raw.inBundle === true) bundled.push({ location, bin: parseBin(raw.bin, location, file) });
    else kept.push(parsePackage(location, raw, file));
  }
  if (kept.length === 0) throw damaged(file, 'names no package');
  return { packages: kept, bundled };
};

const readPackages = (text: string, file: string): [string, Raw][] => {
  if (text.length > limits.characters) throw damaged(file, `is longer than ${limits.characters} characters`);
  let lock: unknown;
  try {
    lock = JSON.parse(text);
  } catch (error) {
    throw damaged(file, 'is no JSON', error);
  }
  if (!isMap(lock) || lock.lockfileVersion !== 3 || !isMap(lock.packages)) {
    throw damaged(file, 'is no lockfile of version 3 with "packages"');
  }
  const entries = Object.entries(lock.packages).filter(([location]) => location !== '');
  if (entries.length > limits.packages) throw damaged(file, `names more than ${limits.packages} packages`);
  return entries.map(([location, raw]) => {
    if (!isMap(raw)) throw damaged(file, `has no object at ${shown(location)}`);
    return [location, raw];
  });
};

const parsePackage = (location: string, raw: Raw, file: string): NpmPackage => {
  const fault = (what: string): Failure => damaged(file, `${what} at ${shown(location)}`);
  if (raw.link === true) throw fault('has a link');
  const name = raw.name ?? nameAt(location);
  const version = typeof raw.version === 'string' ? asVersion(raw.version) : undefined;
  const integrity = typeof raw.integrity === 'string' ? sha512Of(raw.integrity) : undefined;
  const { resolved } = raw;
  if (typeof name !== 'string' || !namePattern.test(name)) throw fault('has no valid name');
  if (version === undefined) throw fault('has no exact version');
  if (integrity === undefined) throw fault('has no sha512 integrity');
  if (resolved !== undefined && !isWebAddress(resolved)) throw fault('has a source that is no registry');
  const bin = parseBin(raw.bin, location, file);
  return { location, name, version, integrity, bin, ...(resolved === undefined ? {} : { resolved }) };
};

const parseBin = (bin: unknown, location: string, file: string): Record<string, string> => {
  const fault = (what: string): Failure => damaged(file, `${what} at ${shown(location)}`);
  if (bin === undefined) return {};
  if (!isMap(bin)) throw fault('has a "bin" that is no map');
  return Object.fromEntries(
    Object.entries(bin).map(([command, path]) => {
      const parts = typeof path === 'string' ? path.split('/').filter((part) => part !== '' && part !== '.') : [];
      const leaves = parts.length === 0 || parts.includes('..') || (typeof path === 'string' && path.startsWith('/'));
      if (!/^[\w.@+-]+$/.test(command) || /^\.*$/.test(command) || leaves) throw fault('has an unsafe command');
      return [command, parts.join('/')];
    }),
  );
};

/** `node_modules/NAME`, again and again. No part begins with a dot, so neither `..` nor `.bin` can stand there. */
const checkLocation = (location: string, file: string): void => {
  if (!/^(?:node_modules\/(?:@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*(?:\/|$))+$/.test(location) || location.endsWith('/')) {
    throw damaged(file, `has the unsafe location ${shown(location)}`);
  }
};

const namePattern = /^(?:@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*$/;

const nameAt = (location: string): string =>
  location.slice(location.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** An integrity may list several hashes; the sha512 is the one that counts. */
const sha512Of = (integrity: string): Integrity | undefined => {
  const found = integrity.split(/\s+/).filter((hash) => hash.startsWith('sha512-'));
  return found.length === 1 && found[0] !== undefined ? asIntegrity(found[0]) : undefined;
};

const isWebAddress = (value: unknown): value is string =>
  typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value);

const isInside = (location: string, folders: ReadonlySet<string>): boolean =>
  [...location.matchAll(/\/node_modules\//g)].some(({ index }) => folders.has(location.slice(0, index)));

const fits = (raw: Raw, machine: Machine): boolean =>
  allows(raw.os, machine.platform) &&
  allows(raw.cpu, machine.arch) &&
  (machine.libc === 'glibc' ? allows(raw.libc, 'glibc') : raw.libc === undefined || allows(raw.libc, 'musl'));

/** As npm reads such a list: names that are meant, or with `!` names that are not. */
const allows = (list: unknown, value: string): boolean => {
  const names = (Array.isArray(list) ? list : list === undefined ? [] : [list]).map(String);
  if (names.includes(`!${value}`)) return false;
  const meant = names.filter((name) => !name.startsWith('!'));
  return meant.length === 0 || meant.includes(value) || meant.includes('any');
};

const damaged = (file: string, what: string, cause?: unknown): Failure =>
  new Failure(
    'usage-manifest',
    `The lockfile ${file} ${what}.`,
    'Make it anew: assent products lock MANIFEST. Nothing was changed.',
    cause,
  );

const notForThisMachine = (location: string, file: string, machine: Machine): Failure =>
  new Failure(
    'refused-platform',
    `The package at ${shown(location)} in ${file} is not made for this machine (${machine.platform}, ${machine.arch}, ${machine.libc}).`,
    'Install this product on a machine that its packages are made for. Nothing was changed.',
  );
