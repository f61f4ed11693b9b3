/**
 * The lock of a `deb` source, one file an architecture: every package with its exact version, its size and the sha256 that its archive has to
 * have. `assent products lock` writes it from what apt resolved; whoever installs fetches exactly this, whatever the archive has by then.
 *
 * Parsed at the edge: a package without a sha256, a path that leaves the pool, another architecture, a second package of one name make a
 * Failure that names the package.
 */
import { Failure } from '../errors.ts';
import type { DebArchitecture } from '../product/machine-names.ts';
import { shown } from '../product/wording.ts';
import { asSha256, isMap, type Sha256 } from '../values.ts';

export interface DebPackage {
  readonly name: string;
  /** As Debian writes it: `1:2.3-4+deb12u1`. */
  readonly version: string;
  /** Of the lock, or `all`. */
  readonly architecture: DebArchitecture | 'all';
  /** Where it was found. */
  readonly suite: string;
  /** Below the mirror: `pool/main/p/prosody/prosody_0.12.3-1_amd64.deb`. */
  readonly path: string;
  /** Bytes of the archive. */
  readonly size: number;
  readonly sha256: Sha256;
}

export interface DebLock {
  readonly architecture: DebArchitecture;
  readonly suites: readonly string[];
  /** Sorted by name; never empty. */
  readonly packages: readonly DebPackage[];
}

type Raw = Readonly<Record<string, unknown>>;

const limits = { characters: 2_000_000, packages: 2000, bytes: 1_000_000_000 };

/** Failure 'usage-manifest', naming file and package. */
export const parseDebLock = (text: string, file: string, architecture: DebArchitecture): DebLock => {
  const lock = readLock(text, file);
  if (lock.architecture !== architecture) throw damaged(file, `is not of the architecture ${architecture}`);
  const suites = readNames(lock.suites, suitePattern);
  if (suites === undefined) throw damaged(file, 'has no list of suites');
  if (!Array.isArray(lock.packages) || lock.packages.length === 0) throw damaged(file, 'names no package');
  if (lock.packages.length > limits.packages) throw damaged(file, `names more than ${limits.packages} packages`);
  const packages = lock.packages.map((raw: unknown, at) => parsePackage(raw, at, { file, architecture, suites }));
  const twice = packages.find(({ name }, at) => packages.findIndex((other) => other.name === name) !== at);
  if (twice !== undefined) throw damaged(file, `names ${twice.name} twice`);
  return { architecture, suites, packages };
};

/** The text of the file, with a line end: sorted, so that a change is a small difference. */
export const debLockText = ({ architecture, suites, packages }: DebLock): string => {
  const sorted = [...packages].sort((a, b) => (a.name < b.name ? -1 : 1));
  const ordered = sorted.map(({ name, version, architecture: own, suite, path, size, sha256 }) => ({
    name,
    version,
    architecture: own,
    suite,
    path,
    size,
    sha256,
  }));
  return `${JSON.stringify({ format: 1, architecture, suites, packages: ordered }, null, 2)}\n`;
};

const readLock = (text: string, file: string): Raw => {
  if (text.length > limits.characters) throw damaged(file, `is longer than ${limits.characters} characters`);
  let lock: unknown;
  try {
    lock = JSON.parse(text);
  } catch (error) {
    throw damaged(file, 'is no JSON', error);
  }
  if (!isMap(lock) || lock.format !== 1) throw damaged(file, 'is no lock of format 1');
  refuseUnknown(lock, ['format', 'architecture', 'suites', 'packages'], file, 'at its top');
  return lock;
};

interface Context {
  readonly file: string;
  readonly architecture: DebArchitecture;
  readonly suites: readonly string[];
}

const parsePackage = (raw: unknown, at: number, { file, architecture, suites }: Context): DebPackage => {
  if (!isMap(raw) || typeof raw.name !== 'string' || !namePattern.test(raw.name))
    throw damaged(file, `has no valid name at package ${at + 1}`);
  const { name } = raw;
  const fault = (what: string): Failure => damaged(file, `${what} at ${shown(name)}`);
  refuseUnknown(raw, packageKeys, file, `at ${shown(name)}`);
  const { version, suite, path, size } = raw;
  const own = [architecture, 'all'].find((one) => one === raw.architecture) as DebPackage['architecture'] | undefined;
  const sha256 = typeof raw.sha256 === 'string' ? asSha256(raw.sha256) : undefined;
  if (typeof version !== 'string' || !versionPattern.test(version)) throw fault('has no exact version');
  if (own === undefined) throw fault(`has another architecture than ${architecture} or all`);
  if (typeof suite !== 'string' || !suites.includes(suite)) throw fault('has a suite that the lock does not list');
  if (typeof path !== 'string' || !isPoolPath(path)) throw fault('has an unsafe path');
  if (!Number.isSafeInteger(size) || Number(size) < 1 || Number(size) > limits.bytes) throw fault('has no valid size');
  if (sha256 === undefined) throw fault('has no sha256');
  return { name, version, architecture: own, suite, path, size: Number(size), sha256 };
};

const packageKeys = ['name', 'version', 'architecture', 'suite', 'path', 'size', 'sha256'];
const namePattern = /^[a-z0-9][a-z0-9+.-]{1,99}$/;
const suitePattern = /^[a-z][a-z0-9-]{0,63}$/;
/** Debian Policy 5.6.12, with a bound. */
const versionPattern = /^(\d{1,9}:)?\d[A-Za-z0-9.+~-]{0,99}$/;

/** No part begins with a dot, so none leads upwards. */
const isPoolPath = (path: string): boolean =>
  path.length <= 300 && /^([A-Za-z0-9_+~%-][A-Za-z0-9._+~%:-]*\/)*[A-Za-z0-9][A-Za-z0-9._+~%:-]*\.deb$/.test(path);

const readNames = (value: unknown, pattern: RegExp): string[] | undefined =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string' && pattern.test(one))
    ? value
    : undefined;

const refuseUnknown = (raw: Raw, known: readonly string[], file: string, where: string): void => {
  const unknown = Object.keys(raw).find((key) => !known.includes(key));
  if (unknown !== undefined) throw damaged(file, `has the unknown key ${shown(unknown)} ${where}`);
};

const damaged = (file: string, what: string, cause?: unknown): Failure =>
  new Failure(
    'usage-manifest',
    `The lock ${file} ${what}.`,
    'Make it anew: assent products lock MANIFEST. Nothing was changed.',
    cause,
  );
