/**
 * Makes the lockfile of an `npm` source: npm itself resolves the tree of a package.json that names the server, and nothing is installed or run.
 *
 * Then the tree is cut down to what an installation has: nothing for other systems than Linux with glibc on x64 and arm64, no optional dependency that was
 * left out before, no address of a mirror. A tree in which a package has no sha512 is refused by the parser that reads the lock again.
 */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { makeFolder, readIfThere } from '../system/files.ts';
import { minimalEnvironment, type RunResult, run } from '../system/processes.ts';
import { writeQuickly } from '../system/quick-files.ts';
import type { World } from '../system/world.ts';

/** What we look at in an entry of a lockfile. */
interface Entry {
  version?: string;
  resolved?: string;
  optional?: boolean;
  inBundle?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

type Tree = Record<string, Entry>;

export interface NpmResolving {
  readonly world: World;
  /** A folder that is not there yet. */
  readonly folder: string;
  /** How npm is called: a Node and its script. */
  readonly npm: readonly string[];
  /** Text of package.json. */
  readonly wanted: string;
  /** False: what the wanted packages depend on is left out. */
  readonly dependencies: boolean;
  /** Text of the lockfile of before, if there was one. */
  readonly before: string | undefined;
}

/** The text of package-lock.json. Failure 'download-failed' with the end of what npm said. */
export const resolveNpm = async (resolving: NpmResolving): Promise<string> => {
  const { world, folder, npm, wanted, dependencies, before } = resolving;
  makeFolder(folder, { mode: 0o700 });
  writeQuickly(join(folder, 'package.json'), wanted, 0o600);
  const result = await run([...npm, 'install', ...flags], {
    cwd: folder,
    env: environmentFor(world),
    timeoutMs: 10 * 60_000,
    maxBytes: 64 << 20,
  });
  if (result.code !== 0) throw notResolved(result);
  const lock = JSON.parse(readIfThere(join(folder, 'package-lock.json')) ?? '{}') as { packages: Tree };
  const leftOut = before === undefined ? [] : leftOutBefore(before, lock.packages);
  for (const path of foreignIn(lock.packages)) dropPackage(lock.packages, path);
  for (const { path, name } of leftOut) dropOptional(lock.packages, path, name);
  if (!dependencies) forgetDependencies(lock.packages);
  dropUnreachable(lock.packages);
  dropMirrors(lock.packages);
  return `${JSON.stringify(lock, null, 2)}\n`;
};

const flags = [
  '--package-lock-only',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--loglevel=error',
  '--lockfile-version=3',
  '--omit-lockfile-registry-resolved=false',
  '--fetch-retries=1',
];

/** The user's own npm configuration counts: registry, proxy, credentials. */
const environmentFor = ({ env }: World): Record<string, string> => {
  const kept = Object.entries(env).filter(([name]) =>
    /^(HOME|XDG_\w+|npm_config_\w+|(https?|no|all)_proxy|NODE_EXTRA_CA_CERTS)$/i.test(name),
  );
  return { ...minimalEnvironment, ...Object.fromEntries(kept.map(([name, value]) => [name, value ?? ''])) };
};

/** Optional dependencies that the same version of a package had in the registry and had not in the lockfile of before. */
const leftOutBefore = (before: string, packages: Tree): { path: string; name: string }[] => {
  const old = treeOf(before);
  return Object.entries(packages).flatMap(([path, { version, optionalDependencies = {} }]) => {
    const then = old[path];
    if (path === '' || then === undefined || then.version !== version) return [];
    const foreign = new Set(foreignIn(packages).map((each) => nameAt(each)));
    return Object.keys(optionalDependencies)
      .filter((name) => then.optionalDependencies?.[name] === undefined && !foreign.has(name))
      .map((name) => ({ path, name }));
  });
};

const treeOf = (text: string): Tree => {
  try {
    return (JSON.parse(text) as { packages?: Tree }).packages ?? {};
  } catch {
    return {};
  }
};

/** Optional packages for other systems: nobody would download them, and they would still be listed as part of the release. */
const foreignIn = (packages: Tree): string[] => {
  const fits = (list: string[] | undefined, ours: string[]): boolean =>
    list === undefined || ours.some((one) => list.includes(one));
  return Object.entries(packages).flatMap(([path, { optional, os, cpu, libc }]) => {
    const ours = fits(os, ['linux', '!win32']) && fits(cpu, ['x64', 'arm64']) && fits(libc, ['glibc']);
    return optional && !ours ? [path] : [];
  });
};

const dropPackage = (packages: Tree, path: string): void => {
  delete packages[path];
  for (const owner of Object.keys(packages)) dropOptional(packages, owner, nameAt(path));
};

const dropOptional = (packages: Tree, owner: string, name: string): void => {
  const entry = packages[owner];
  if (entry?.optionalDependencies === undefined) return;
  delete entry.optionalDependencies[name];
  if (Object.keys(entry.optionalDependencies).length === 0) delete entry.optionalDependencies;
};

const forgetDependencies = (packages: Tree): void => {
  for (const [path, entry] of Object.entries(packages)) {
    if (path === '') continue;
    delete entry.dependencies;
    delete entry.optionalDependencies;
    delete entry.peerDependencies;
    delete entry.peerDependenciesMeta;
  }
};

const dropUnreachable = (packages: Tree): void => {
  const seen = new Set(['']);
  for (const path of seen) {
    const { dependencies, optionalDependencies, peerDependencies = {}, peerDependenciesMeta } = packages[path] ?? {};
    const peers = Object.keys(peerDependencies).filter((peer) => !peerDependenciesMeta?.[peer]?.optional);
    for (const name of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers]) {
      const found = lookUp(packages, path, name);
      if (found !== undefined) seen.add(found);
    }
  }
  for (const path of Object.keys(packages)) if (!seen.has(path) && !packages[path]?.inBundle) delete packages[path];
};

/** Node's own rule: the nearest node_modules on the way up. */
const lookUp = (packages: Tree, from: string, name: string): string | undefined => {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    const candidate = `${base}${base === '' ? '' : '/'}node_modules/${name}`;
    if (packages[candidate] !== undefined) return candidate;
    if (base === '') return undefined;
  }
};

/** The public registry's addresses spare npm a look-up per package, and it swaps in whatever registry its user has set; others are private. */
const dropMirrors = (packages: Tree): void => {
  for (const entry of Object.values(packages))
    if (!entry.resolved?.startsWith('https://registry.npmjs.org/')) delete entry.resolved;
};

const nameAt = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

const notResolved = ({ stdout, stderr, timedOut, code }: RunResult): Failure => {
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.replace(/^npm error ?/, '').trim());
  const said = lines.filter((line) => line !== '' && !line.includes('complete log of this run')).slice(0, 4);
  const why = timedOut ? 'it took longer than 10 minutes' : said.join('; ') || `npm ended with code ${code}`;
  return new Failure(
    'download-failed',
    `npm could not resolve package.json: ${why.replace(/\/\/[^/@\s]+@/g, '//').replace(/\.$/, '')}.`,
    'Check the network, the name and version in package.json, and npm\'s registry ("npm ping" uses the same). Nothing was written.',
  );
};
