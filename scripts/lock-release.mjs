// Writes products/PRODUCT/locks/VERSION/{package.json,package-lock.json} for one release, the way every lockfile here was made:
//
//   node scripts/lock-release.mjs maildev maildev@3.0.0
//   node scripts/lock-release.mjs haraka Haraka@3.0.4 --without haraka-plugin-graph,haraka-plugin-syslog
//
// npm resolves the tree (no script runs, nothing is installed); then we drop what Linux with glibc on x64 and arm64 never
// installs, drop the optional dependencies named by --without with everything that only they need, leave out
// the addresses of mirrors, and refuse a tree in which a package has no sha512. A bundled package is covered by the
// sha512 of the package that carries it.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { without: { type: 'string', default: '' } },
});
const [product, spec] = positionals;
const at = spec?.lastIndexOf('@') ?? -1;
if (product === undefined || spec === undefined || at < 1) {
  console.error('usage: node scripts/lock-release.mjs PRODUCT PACKAGE@VERSION [--without OPTIONAL,OPTIONAL]');
  process.exit(2);
}
const name = spec.slice(0, at);
const version = spec.slice(at + 1);
const root = { name: 'assent-release', private: true, dependencies: { [name]: version } };

const lock = resolveTree(root);
dropForeign(lock.packages);
dropOptional(lock.packages, `node_modules/${name}`, values.without.split(',').filter(Boolean));
dropUnreachable(lock.packages);
dropMirrors(lock.packages);
refuseUnpinned(lock.packages);

const folder = join(import.meta.dirname, '..', 'products', product, 'locks', version);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(root, null, 2)}\n`);
writeFileSync(join(folder, 'package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${product} ${version}: ${Object.keys(lock.packages).length - 1} packages`);

/** @param {object} manifest */
function resolveTree(manifest) {
  const temporary = mkdtempSync(join(tmpdir(), 'assent-lock-'));
  try {
    writeFileSync(join(temporary, 'package.json'), JSON.stringify(manifest));
    const flags = [
      '--package-lock-only',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--lockfile-version=3',
      '--omit-lockfile-registry-resolved=false',
    ];
    execFileSync('npm', ['install', ...flags], { cwd: temporary, stdio: ['ignore', 'ignore', 'inherit'] });
    return JSON.parse(readFileSync(join(temporary, 'package-lock.json'), 'utf8'));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Optional packages for other systems: they would be downloaded by nobody and still be listed as part of the release. @param {Record<string, any>} packages */
function dropForeign(packages) {
  /** @param {string[] | undefined} list @param {string[]} wanted */
  const fits = (list, wanted) => list === undefined || wanted.some((one) => list.includes(one));
  for (const [path, entry] of Object.entries(packages)) {
    const ours =
      fits(entry.os, ['linux', '!win32']) && fits(entry.cpu, ['x64', 'arm64']) && fits(entry.libc, ['glibc']);
    if (entry.optional && !ours) dropEdges(packages, path);
  }
}

/** @param {Record<string, any>} packages @param {string} path */
function dropEdges(packages, path) {
  const dependency = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  delete packages[path];
  for (const entry of Object.values(packages)) {
    delete entry.optionalDependencies?.[dependency];
    if (entry.optionalDependencies && Object.keys(entry.optionalDependencies).length === 0)
      delete entry.optionalDependencies;
  }
}

/** @param {Record<string, any>} packages @param {string} owner @param {string[]} names */
function dropOptional(packages, owner, names) {
  for (const dependency of names) {
    if (packages[owner].optionalDependencies?.[dependency] === undefined)
      throw new Error(`${dependency} is no optional dependency`);
    delete packages[owner].optionalDependencies[dependency];
  }
}

/** @param {Record<string, any>} packages */
function dropUnreachable(packages) {
  const seen = new Set(['']);
  for (const path of seen) {
    const entry = packages[path];
    const peers = Object.keys(entry.peerDependencies ?? {}).filter(
      (peer) => !entry.peerDependenciesMeta?.[peer]?.optional,
    );
    for (const dependency of [...Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }), ...peers]) {
      const found = lookUp(packages, path, dependency);
      if (found !== undefined) seen.add(found);
    }
  }
  for (const path of Object.keys(packages)) if (!seen.has(path) && !packages[path].inBundle) delete packages[path];
}

/** Node's own rule: the nearest node_modules on the way up. @param {Record<string, any>} packages @param {string} from @param {string} dependency */
function lookUp(packages, from, dependency) {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    const candidate = `${base}${base === '' ? '' : '/'}node_modules/${dependency}`;
    if (packages[candidate] !== undefined) return candidate;
    if (base === '') return undefined;
  }
}

/** The public registry's addresses spare npm a look-up per package (and it swaps in whatever registry its user has set); others are private. @param {Record<string, any>} packages */
function dropMirrors(packages) {
  for (const entry of Object.values(packages)) {
    if (!entry.resolved?.startsWith('https://registry.npmjs.org/')) delete entry.resolved;
  }
}

/** @param {Record<string, any>} packages */
function refuseUnpinned(packages) {
  const loose = Object.entries(packages).filter(
    ([path, entry]) => path !== '' && !entry.inBundle && !/^sha512-/.test(entry.integrity ?? ''),
  );
  if (loose.length > 0) throw new Error(`no sha512: ${loose.map(([path]) => path).join(', ')}`);
}
