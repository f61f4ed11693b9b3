/**
 * Makes the lock of a `deb` source: apt resolves what the wanted packages depend on, against an empty machine, so that nothing of the host counts.
 *
 * What apt would install on an empty machine is far more than a prefix needs: most of it serves scripts that never run. So the closure is walked from
 * the wanted packages, and the walk ends at
 * - the C and C++ runtime: programs run on the host's, which is the newer one or as old;
 * - programs that every Debian has (priority required or important, or essential, and no library);
 * - what the manifest leaves out by name (`without`).
 * Everything else is in the lock: above all, every library.
 */
import { Failure } from '../errors.ts';
import type { DebArchitecture } from '../product/machine-names.ts';
import type { DebSource } from '../product/parts.ts';
import type { World } from '../system/world.ts';
import { type Apt, openApt, runApt } from './apt.ts';
import { saidBy } from './apt-trouble.ts';
import { type DebLock, type DebPackage, debLockText, parseDebLock } from './deb-lock.ts';

export interface ResolvedDebs {
  readonly lock: DebLock;
  /** Names that the packages depend on and that are the host's. */
  readonly ofTheHost: readonly string[];
}

/** `folder` is not there yet. Failures as of openApt; 'usage-manifest' for packages that the suites don't have or that don't fit together. */
export const resolveDebs = async (
  world: World,
  folder: string,
  source: DebSource,
  architecture: DebArchitecture,
): Promise<ResolvedDebs> => {
  const { suites } = source;
  const apt = await openApt({ world, folder, suites, architecture });
  if (apt.gone !== '') throw suiteGone(suites, apt.gone);
  const closure = await closureOf(apt, source);
  const records = await recordsOf(apt, closure);
  const found = await suitesOf(apt, closure);
  const { kept, ofTheHost } = walk(source, records);
  const packages = kept.map((record) => packageOf(record, found, suites));
  // Through the parser, so that no lock is ever written that it would refuse.
  const text = debLockText({ architecture, suites, packages });
  return { lock: parseDebLock(text, `made for ${architecture}`, architecture), ofTheHost };
};

/** A package as the lists describe it: lower-case field -> text. */
type DebRecord = ReadonlyMap<string, string>;

/** `NAME=VERSION` of everything that apt would install. */
const closureOf = async (apt: Apt, { packages }: DebSource): Promise<string[]> => {
  const result = await runApt(apt, [
    'apt-get',
    'install',
    '--simulate',
    '--yes',
    '--no-install-recommends',
    ...packages,
  ]);
  const words = [...result.stdout.matchAll(/^Inst (\S+?)(?::\S+)? (?:\[[^\]]*\] )?\(([^\s)]+) /gm)];
  if (result.code === 0 && words.length > 0) return words.map(([, name, version]) => `${name}=${version}`);
  throw new Failure(
    'usage-manifest',
    `apt can't resolve ${packages.join(', ')} for ${apt.architecture}: ${saidBy(result)}.`,
    'Correct "packages" or "suites" of the source. Nothing was written.',
  );
};

const recordsOf = async (apt: Apt, closure: readonly string[]): Promise<Map<string, DebRecord>> => {
  const { stdout } = await runApt(apt, ['apt-cache', 'show', ...closure]);
  const wanted = new Set(closure);
  const records = stdout.split(/\n\n+/).map(fieldsOf);
  return new Map(
    records.flatMap((record) => {
      const name = record.get('package') ?? '';
      return wanted.has(`${name}=${record.get('version')}`) ? [[name, record]] : [];
    }),
  );
};

const fieldsOf = (stanza: string): DebRecord =>
  new Map(
    [...stanza.matchAll(/^([A-Za-z0-9-]+): *(.*)$/gm)].map(([, key = '', value = '']) => [key.toLowerCase(), value]),
  );

/** `NAME=VERSION` -> the suites that have it. */
const suitesOf = async (apt: Apt, closure: readonly string[]): Promise<Map<string, string[]>> => {
  const { stdout } = await runApt(apt, ['apt-cache', 'madison', ...closure.map((word) => word.split('=')[0] ?? word)]);
  const found = new Map<string, string[]>();
  for (const line of stdout.split('\n')) {
    const [name, version, where = ''] = line.split('|').map((word) => word.trim());
    const suite = / (\S+?)\/\S+ \S+ Packages$/.exec(where)?.[1];
    if (suite !== undefined) found.set(`${name}=${version}`, [...(found.get(`${name}=${version}`) ?? []), suite]);
  }
  return found;
};

const walk = (
  source: DebSource,
  records: ReadonlyMap<string, DebRecord>,
): { kept: DebRecord[]; ofTheHost: string[] } => {
  const wanted = new Set(source.packages.map((word) => word.split('/')[0] ?? word));
  const kept = new Map<string, DebRecord>();
  const ofTheHost = new Set<string>();
  const queue = [...wanted];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const record = records.get(name);
    if (record === undefined || kept.has(name) || source.without.includes(name)) continue;
    if (!wanted.has(name) && isOfTheHost(name, record)) ofTheHost.add(name);
    else {
      kept.set(name, record);
      queue.push(...dependenciesOf(record, records));
    }
  }
  return { kept: [...kept.values()], ofTheHost: [...ofTheHost].sort() };
};

const runtimeLibraries = ['libc6', 'libgcc-s1', 'libstdc++6'];

const isOfTheHost = (name: string, record: DebRecord): boolean => {
  if (runtimeLibraries.includes(name)) return true;
  const isLibrary = record.get('section')?.split('/').at(-1) === 'libs';
  const isEverywhere = record.get('essential') === 'yes' || /^(required|important)$/.test(record.get('priority') ?? '');
  return isEverywhere && !isLibrary;
};

/** Of each group of alternatives the one that apt took: by name, or by what it provides. */
const dependenciesOf = (record: DebRecord, records: ReadonlyMap<string, DebRecord>): string[] => {
  const groups = [record.get('pre-depends'), record.get('depends')].flatMap((text) => text?.split(',') ?? []);
  return groups.flatMap((group) => {
    const names = group.split('|').map(plainName);
    const taken =
      names.find((name) => records.has(name)) ?? names.map((name) => providerOf(name, records)).find(Boolean);
    return taken === undefined ? [] : [taken];
  });
};

const providerOf = (wanted: string, records: ReadonlyMap<string, DebRecord>): string | undefined =>
  [...records].find(([, record]) => record.get('provides')?.split(',').map(plainName).includes(wanted))?.[0];

/** `libc6 (>= 2.34)`, `perl:any` -> the name. */
const plainName = (text: string): string => text.trim().replace(/[\s(:].*$/, '');

const packageOf = (record: DebRecord, found: ReadonlyMap<string, string[]>, suites: readonly string[]): DebPackage => {
  const text = (key: string): string => record.get(key) ?? '';
  const all = found.get(`${text('package')}=${text('version')}`) ?? [];
  return {
    name: text('package'),
    version: text('version'),
    architecture: text('architecture') as DebPackage['architecture'],
    suite: suites.find((suite) => all.includes(suite)) ?? '',
    path: text('filename'),
    size: Number(text('size')),
    sha256: text('sha256') as DebPackage['sha256'],
  };
};

const suiteGone = (suites: readonly string[], said: string): Failure =>
  new Failure(
    'download-failed',
    `The mirror does not have all of ${suites.join(', ')}: ${said}.`,
    'Correct "suites" of the source, or name a mirror that has them in the sources of apt. Nothing was written.',
  );
