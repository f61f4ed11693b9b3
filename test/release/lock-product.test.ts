/**
 * A release of two parts, from its manifest to the store: `products lock` writes the locks with the real apt and the real npm, `products check` finds
 * nothing, the release is stored, and stored again without a network.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspectProduct, loadWithoutFiles, pickRelease } from '../../src/product/catalogue.ts';
import { releaseDigest } from '../../src/product/release-digest.ts';
import { releaseFaults } from '../../src/release/check-product.ts';
import { lockProduct, type WrittenLock } from '../../src/release/lock-product.ts';
import { countPackages } from '../../src/release/make-release.ts';
import { isPinned } from '../../src/release/pinned.ts';
import { readSeal } from '../../src/release/seal-file.ts';
import { type StoredRelease, storeRelease, verifyStored } from '../../src/release/store.ts';
import { realWorld } from '../../src/system/world.ts';
import { worldWithSources } from '../source/debs.ts';
import { makeSandbox, removeSandbox } from '../support/sandbox.ts';

const manifest = `format: 1
name: two-parts
title: Two parts
summary: Lua with a client
settings:
  webPort: { type: port, title: Port, default: 18080 }
defaults:
  size: { download: 500000, installed: 3000000, files: 100 }
  service:
    command: ["{{release}}/server/usr/bin/lua5.4", "-e", "print(1)"]
    environment: { LD_LIBRARY_PATH: "{{release}}/server/lib/{{triplet}}" }
  data: { format: 1 }
  health: { checks: [{ kind: command, command: ["{{release}}/server/usr/bin/lua5.4", "-v"] }] }
releases:
  - version: 1.0.0
    parts:
      server: { kind: deb, lock: locks/1.0.0/server, suites: [bookworm], packages: [lua5.4, libexpat1] }
      web: { kind: npm, lock: locks/1.0.0/web, dependencies: false }
  - version: 2.0.0
    parts:
      server: { kind: deb, lock: locks/2.0.0/server, suites: [bookworm], packages: [lua5.4] }
      web: { kind: npm, lock: locks/2.0.0/web }
`;
const patience = 280_000;
const world = realWorld();
let folder: string;
let file: string;
let locks: WrittenLock[];
let stored: StoredRelease;

const path = (...parts: string[]): string => join(folder, 'product', ...parts);
const home = (): string => join(folder, 'home');
const lock = async (version: string): Promise<WrittenLock[]> => {
  const product = await loadWithoutFiles(world, file);
  return lockProduct({ world, home: home(), product, releases: [pickRelease(product, version)], refresh: false });
};
const store = async (from = world): Promise<StoredRelease> => {
  const product = await loadWithoutFiles(from, file);
  return storeRelease(from, home(), product, pickRelease(product, '1.0.0'), null);
};

beforeAll(async () => {
  folder = makeSandbox();
  file = path('manifest.yaml');
  mkdirSync(path('locks/1.0.0/web'), { recursive: true });
  writeFileSync(file, manifest);
  const wanted = { name: 'assent-release', private: true, dependencies: { readdirp: '3.6.0' } };
  writeFileSync(path('locks/1.0.0/web/package.json'), JSON.stringify(wanted));
  locks = await lock('1.0.0');
  stored = await store();
}, patience);
afterAll(() => removeSandbox(folder));

test('the locks of both architectures and of npm are written, and told package by package', () => {
  expect(locks.map((one) => `${one.release} ${one.part} ${one.file} ${one.changed}`)).toEqual([
    '1.0.0 server locks/1.0.0/server/deb-amd64.json true',
    '1.0.0 server locks/1.0.0/server/deb-arm64.json true',
    '1.0.0 web locks/1.0.0/web/package-lock.json true',
  ]);
  // readline's library is Lua's, and terminfo's is readline's; the C library is the host's.
  expect(locks[0]?.added.map(({ name }) => name).sort()).toEqual(['libexpat1', 'libreadline8', 'libtinfo6', 'lua5.4']);
  expect(locks[0]?.ofTheHost).toContain('libc6');
  expect(locks[2]?.added).toEqual([{ name: 'readdirp', version: '3.6.0' }]);
  const text = readFileSync(path('locks/1.0.0/web/package-lock.json'), 'utf8');
  expect([...text.matchAll(/"resolved": "(https?:\/\/[^/"]*)/g)].map(([, host]) => host)).not.toContainEqual(
    expect.not.stringMatching(/^https:\/\/registry\.npmjs\.org$/),
  );
});

test('check finds the locks of the next release missing, each with the remedy', async () => {
  const { inspected } = await inspectProduct(world, file, (product) => releaseFaults(world, product));
  expect(inspected.faults.map(({ where }) => where)).toContain('releases[1].parts.server.lock');
  expect(inspected.faults[0]?.remedy).toContain('assent products lock');
});

test('what a lock lacks, and what it should not have, is a fault of its source', async () => {
  const other = path('other.yaml');
  const text = manifest.slice(0, manifest.indexOf('  - version: 2.0.0'));
  const faults = async (from: string, to: string): Promise<string[]> => {
    writeFileSync(other, text.replace(from, to));
    const { inspected } = await inspectProduct(world, other, (product) => releaseFaults(world, product));
    return inspected.faults.map(({ where, what }) => `${where}: ${what}`);
  };
  const at = 'releases[0].parts.server.lock: deb-';
  expect(await faults('', '')).toEqual([]);
  expect(await faults('libexpat1]', 'libexpat1, prosody]')).toContain(`${at}amd64.json lacks prosody`);
  expect(await faults('libexpat1]', 'libexpat1], without: [libtinfo6]')).toContain(
    `${at}arm64.json has libtinfo6, which "without" leaves out`,
  );
  expect(await faults('[bookworm]', '[bookworm, bookworm-backports]')).toContain(
    `${at}amd64.json was made from bookworm`,
  );
});

test('each part lies below the release in a folder of its own, with its lock; libraries are found by the triplet', () => {
  expect(readdirSync(stored.folder).sort()).toEqual(['manifest.yaml', 'release.json', 'server', 'web']);
  expect(stored.node).toBeUndefined();
  expect(existsSync(join(stored.folder, 'server/deb-amd64.json'))).toBe(true);
  expect(existsSync(join(stored.folder, 'web/node_modules/readdirp/package.json'))).toBe(true);
  expect(existsSync(join(stored.folder, 'web/node_modules/picomatch'))).toBe(false);
  const server = join(stored.folder, 'server');
  const triplet = world.arch === 'x64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu';
  const env = { LD_LIBRARY_PATH: `${server}/lib/${triplet}:${server}/usr/lib/${triplet}` };
  expect(spawnSync(join(server, 'usr/bin/lua5.4'), ['-v'], { env, encoding: 'utf8' }).stdout).toMatch(/^Lua 5\.4/);
  expect(lstatSync(join(server, 'usr/bin/lua5.4')).mode & 0o7777).toBe(0o555);
});

test('the seal has the parts as the manifest writes them; a changed file is found', async () => {
  const seal = readSeal(stored.folder);
  expect(Object.keys(seal?.product.releases[0]?.parts ?? {})).toEqual(['server', 'web']);
  expect(seal?.digest).toBe(releaseDigest(await loadWithoutFiles(world, file), stored.release));
  expect(await verifyStored(stored)).toEqual([]);
  expect(countPackages(world, await loadWithoutFiles(world, file), stored.release)).toBe(5);
});

test('gone from the store, it is made again out of the cache: no apt, no mirror, no registry', async () => {
  const { folder: before } = stored;
  spawnSync('chmod', ['-R', 'u+w', before]);
  rmSync(before, { recursive: true });
  const cut = worldWithSources(folder, '');
  const again = await store({ ...cut, env: { ...cut.env, npm_config_registry: 'http://127.0.0.1:1/' } });
  expect(again.folder).toBe(before);
  expect(await verifyStored(again)).toEqual([]);
});

test('what is pinned is left alone, also where it is old; what is missing or does not fit the manifest any more is not', async () => {
  const pinned = async (text = manifest): Promise<boolean[]> => {
    writeFileSync(path('other.yaml'), text);
    const product = await loadWithoutFiles(world, path('other.yaml'));
    return product.releases.flatMap(({ parts }) => parts.map((part) => isPinned(world, product, part)));
  };
  expect(await pinned()).toEqual([true, true, false, false]);
  expect(await pinned(manifest.replace('libexpat1]', 'libexpat1, prosody]'))).toEqual([false, true, false, false]);
  const file = path('locks/1.0.0/web/package.json');
  const wanted = readFileSync(file, 'utf8');
  writeFileSync(file, wanted.replace('3.6.0', '3.5.0'));
  expect(await pinned()).toEqual([true, false, false, false]);
  writeFileSync(file, wanted);
});

test('adding a release leaves the others alone; a refresh resolves them anew; the next release follows the one before; the document has every lock', {
  timeout: patience,
}, () => {
  const assent = (...words: string[]) => {
    const command = ['dist/main.mjs', 'products', 'lock', file, ...words, '--json', '--home', home()];
    const { status, stdout } = spawnSync(process.execPath, command, { encoding: 'utf8' });
    return { status, document: JSON.parse(stdout) };
  };
  const name = path('locks/1.0.0/server/deb-amd64.json');
  const newest = readFileSync(name, 'utf8');
  // As if the archive had something newer by now.
  const old = newest.replace(/"version": "5[^"]*"/, '"version": "5.4.0-1"');
  writeFileSync(name, old);
  const next = assent();
  expect(next).toMatchObject({ status: 0, document: { ok: true, changed: true } });
  expect(readFileSync(name, 'utf8')).toBe(old);
  const kept = next.document.locks.map((one: WrittenLock) => `${one.release} ${one.kept} ${one.changed}`);
  expect([...new Set(kept)]).toEqual(['1.0.0 true false', '2.0.0 false true']);
  expect(next.document.locks.map((one: WrittenLock) => one.file)).toContain('locks/2.0.0/web/package.json');
  expect(JSON.parse(readFileSync(path('locks/2.0.0/web/package-lock.json'), 'utf8')).packages).toHaveProperty(
    'node_modules/picomatch',
  );
  expect(assent()).toMatchObject({ status: 0, document: { ok: true, outcome: 'unchanged', changed: false } });

  const refreshed = assent('--release', '1.0.0', '--refresh');
  expect(refreshed).toMatchObject({ status: 0, document: { ok: true, changed: true } });
  const moved = { name: 'lua5.4', from: '5.4.0-1', to: expect.stringMatching(/^5\.4\.4-/) };
  expect(refreshed.document.locks.flatMap((one: WrittenLock) => one.moved)).toEqual([moved]);
  expect(readFileSync(name, 'utf8'), 'the same is resolved to the same').toBe(newest);
  expect(assent('--release', '3.0.0')).toMatchObject({ status: 10, document: { error: { code: 'no-release' } } });
});

test('a package that the suites do not have, and a network that is away: nothing is written', {
  timeout: patience,
}, async () => {
  const other = path('other.yaml');
  writeFileSync(other, manifest.replaceAll('[lua5.4', '[no-such-package').replaceAll('locks/', 'none/'));
  const product = await loadWithoutFiles(world, other);
  const releases = [pickRelease(product, '2.0.0')];
  await expect(lockProduct({ world, home: home(), product, releases, refresh: false })).rejects.toMatchObject({
    code: 'usage-manifest',
    message: expect.stringContaining('Unable to locate package no-such-package'),
  });
  const away = worldWithSources(folder, 'deb http://127.0.0.1:1/debian bookworm main\n');
  await expect(lockProduct({ world: away, home: home(), product, releases, refresh: false })).rejects.toMatchObject({
    code: 'download-failed',
    exit: 5,
  });
  expect(existsSync(path('none'))).toBe(false);
});
