import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { releaseDigest } from '../../src/product/release-digest.ts';
import { homePaths } from '../../src/release/layout.ts';
import { pruneReleases } from '../../src/release/prune.ts';
import { sweepStaging } from '../../src/release/staging.ts';
import { findStored, storeRelease, verifyStored } from '../../src/release/store.ts';
import { mountBind } from '../support/mounts.ts';
import { asRoot, freePort, isRoot } from '../support/sandbox.ts';
import { makeSample, type Sample } from './sample.ts';

const store = (sample: Sample) =>
  storeRelease(sample.world, sample.home, sample.product, sample.release, '{"notice":true}\n');

const find = ({ home, product, release }: Sample) =>
  findStored(home, product.name, release.version, releaseDigest(product, release));

const leftovers = ({ home }: Sample): string[] => {
  const { staging, releases } = homePaths(home);
  const inReleases = existsSync(join(releases, 'sample')) ? readdirSync(join(releases, 'sample')) : [];
  return [...(existsSync(staging) ? readdirSync(staging) : []), ...inReleases];
};

/** Another process that stores the release; killed at the end of the test. */
const storeElsewhere = (sample: Sample, ...args: string[]): ChildProcess => {
  const child = spawn(process.execPath, ['test/release/store-child.ts', sample.folder, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
};

const outputOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    child.stdout?.on('data', (piece: Buffer) => {
      text += piece.toString();
      if (text.endsWith('\n')) resolve(text.trim());
    });
    child.on('exit', () => resolve(text.trim()));
  });

test('a release is stored complete, sealed and read-only, with what describes it', async () => {
  const sample = await makeSample();
  const stored = await store(sample);
  expect(stored.folder).toBe(
    join(sample.home, 'releases/sample', `1.0.0-${releaseDigest(sample.product, sample.release)}`),
  );
  expect(stored).toMatchObject({
    node: join(sample.home, 'runtimes/node-24.21.0/bin/node'),
    release: { version: '1.0.0' },
  });
  const names = [
    'manifest.yaml',
    'node_modules',
    'notice.json',
    'package-lock.json',
    'package.json',
    'release.json',
    'templates',
  ];
  expect(readdirSync(stored.folder).sort()).toEqual(names);
  expect(readFileSync(join(stored.folder, 'notice.json'), 'utf8')).toBe('{"notice":true}\n');
  expect(stored.product.folder).toBe(stored.folder);
  expect(readFileSync(join(stored.product.folder, stored.release.config[0]!.template), 'utf8')).toContain('port');
  expect(readlinkSync(join(stored.folder, 'node_modules/.bin/main'))).toBe('../main/cli.js');
  const writable = (readdirSync(stored.folder, { recursive: true }) as string[])
    .map((name) => join(stored.folder, name))
    .filter((path) => (statSync(path).mode & 0o222) !== 0);
  expect([...writable, (statSync(stored.folder).mode & 0o777).toString(8)]).toEqual(['555']);
  expect(await verifyStored(stored)).toEqual([]);
  expect(leftovers(sample).length).toBe(1);
});

test('no script of a package runs', async () => {
  const touch = (ran: string): string => `touch '${ran}'`;
  const sample = await makeSample({ scripts: (ran) => ({ install: touch(ran), postinstall: touch(ran) }) });
  await store(sample);
  expect(existsSync(sample.ran)).toBe(false);
});

test('what is stored already is taken as it is; finding it needs nothing but its seal', async () => {
  const sample = await makeSample();
  const first = await store(sample);
  const asked = sample.registry.requests.length;
  const again = await store(sample);
  expect(again).toEqual(first);
  expect(find(sample)).toEqual(first);
  expect(sample.registry.requests.length).toBe(asked);
});

test('homes, releases and runtimes are open to servers that run as somebody else; archives and staging are not', async () => {
  const sample = await makeSample();
  await store(sample);
  const modes = ['', 'releases', 'runtimes', 'releases/sample', 'cache', 'staging'].map((name) =>
    (statSync(join(sample.home, name)).mode & 0o777).toString(8),
  );
  expect(modes).toEqual(['755', '755', '755', '755', '700', '700']);
});

test('with everything in the cache no connection is made', async () => {
  const sample = await makeSample();
  await storeAndForget(sample);
  writeFileSync(join(sample.folder, '.npmrc'), `registry=http://127.0.0.1:${await freePort()}/\n`);
  const asked = sample.registry.requests.length;
  expect(await verifyStored(await store(sample))).toEqual([]);
  expect(sample.registry.requests.length).toBe(asked);
});

test('with everything in the cache it works without any network', async ({ skip }) => {
  asRoot(skip);
  const sample = await makeSample();
  await storeAndForget(sample);
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['-n', process.execPath, 'test/release/store-child.ts', sample.folder],
    { encoding: 'utf8' },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.trim()).toBe(find(sample)?.folder);
});

test('a package that was tampered with leaves nothing under any name', async () => {
  const sample = await makeSample();
  sample.registry.serve(sample.paths.helper, Buffer.from('something else'));
  await expect(store(sample)).rejects.toMatchObject({
    code: 'verification-failed',
    message: expect.stringContaining('@scope/helper 1.0.0'),
  });
  expect(leftovers(sample)).toEqual([]);
  expect(find(sample)).toBeUndefined();
});

test('a half-made folder is not taken for a release, and not overwritten', async () => {
  const sample = await makeSample();
  const folder = join(sample.home, 'releases/sample', `1.0.0-${releaseDigest(sample.product, sample.release)}`);
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  writeFileSync(join(folder, 'node_modules/mine'), 'x');
  expect(find(sample)).toBeUndefined();
  await expect(store(sample)).rejects.toMatchObject({
    code: 'refused-check',
    message: expect.stringContaining(folder),
  });
  expect(readdirSync(join(folder, 'node_modules'))).toEqual(['mine']);
  writeFileSync(join(folder, 'release.json'), '{"format":1}');
  expect(find(sample)).toBeUndefined();
});

test('two that store the same at once end up with one release', async () => {
  const sample = await makeSample();
  const folders = await Promise.all([0, 1, 2].map(() => outputOf(storeElsewhere(sample))));
  expect(new Set(folders)).toEqual(new Set([find(sample)?.folder]));
  expect(leftovers(sample).length).toBe(1);
  expect(await verifyStored(find(sample)!)).toEqual([]);
});

test('of a run that was killed only something to sweep stays, and a living one is not swept', async () => {
  const sample = await makeSample();
  let stalled = false;
  sample.registry.serve(sample.paths.main, (_, response) => {
    stalled = true;
    response.writeHead(200);
    response.write('begun');
  });
  const child = storeElsewhere(sample);
  await vi.waitFor(() => expect(stalled && readdirSync(homePaths(sample.home).staging).length).toBe(2), 60_000);
  expect(await sweepStaging(sample.world, sample.home)).toBe(0);
  child.kill('SIGKILL');
  await outputOf(child);
  expect(find(sample)).toBeUndefined();
  expect(await sweepStaging(sample.world, sample.home)).toBe(1);
  expect(leftovers(sample)).toEqual([]);
});

test('sweeping makes nothing that would have to reach the disk: what fails of it refuses no change', async () => {
  const { world, home } = await makeSample();
  for (const folder of Object.values(homePaths(home))) rmSync(folder, { recursive: true, force: true });
  expect(await sweepStaging(world, home)).toBe(0);
  expect(Object.values(homePaths(home)).filter((folder) => existsSync(folder))).toEqual([]);
});

test.each([
  [
    'a file that was changed',
    (folder: string) => writeFileSync(join(folder, 'node_modules/main/cli.js'), 'evil'.padEnd(46)),
  ],
  ['a file that was added', (folder: string) => writeFileSync(join(folder, 'node_modules/main/extra.js'), '')],
  ['a file that is gone', (folder: string) => unlinkSync(join(folder, 'manifest.yaml'))],
  ['a program that is none any more', (folder: string) => chmodSync(join(folder, 'node_modules/main/cli.js'), 0o644)],
  [
    'a link that leads elsewhere',
    (folder: string) => {
      unlinkSync(join(folder, 'node_modules/.bin/main'));
      symlinkSync('/bin/sh', join(folder, 'node_modules/.bin/main'));
    },
  ],
  ['a seal that is gone', (folder: string) => unlinkSync(join(folder, 'release.json'))],
])('%s is found', async (_, damage) => {
  const sample = await makeSample();
  const stored = await store(sample);
  unlock(sample);
  damage(stored.folder);
  expect(await verifyStored(stored)).toHaveLength(1);
});

test('pruning removes what is not kept, asked for behind the lock', async () => {
  const sample = await makeSample();
  const stored = await store(sample);
  const other = join(sample.home, 'releases/sample/0.9.0-aaaaaaaaaaaa');
  mkdirSync(join(other, 'node_modules'), { recursive: true });
  chmodSync(join(other, 'node_modules'), 0o555);
  const keep = [{ product: sample.product.name, version: sample.release.version, digest: stored.digest }];
  expect(await pruneReleases(sample.world, sample.home, () => keep)).toEqual([]);
  expect(existsSync(other)).toBe(false);
  expect(await verifyStored(stored)).toEqual([]);
  expect(await pruneReleases(sample.world, sample.home, [])).toEqual([]);
  expect(leftovers(sample)).toEqual([]);
});

test('while another run uses the store nothing is pruned; once it is dead, it is', async () => {
  const sample = await makeSample();
  const child = storeElsewhere(sample, 'hold');
  const folder = await outputOf(child);
  expect(existsSync(folder)).toBe(true);
  expect(await pruneReleases(sample.world, sample.home, [])).toEqual([]);
  expect(existsSync(folder)).toBe(true);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  await pruneReleases(sample.world, sample.home, []);
  expect(existsSync(folder)).toBe(false);
});

test('what cannot be pruned is a warning', async ({ skip }) => {
  const sample = await makeSample();
  const stored = await store(sample);
  if (isRoot) mountBind(skip, stored.folder, stored.folder);
  else chmodSync(join(sample.home, 'releases/sample'), 0o555);
  const warnings = await pruneReleases(sample.world, sample.home, []);
  expect(warnings).toEqual([
    expect.objectContaining({ id: 'prune-failed', message: expect.stringContaining(stored.folder) }),
  ]);
  expect(existsSync(join(stored.folder, 'release.json'))).toBe(true);
});

const storeAndForget = async (sample: Sample): Promise<void> => {
  const { folder } = await store(sample);
  unlock(sample);
  rmSync(folder, { recursive: true });
};

/** Makes everything writable, for those of us who aren't root. */
const unlock = ({ home }: Sample): void => {
  spawnSync('chmod', ['-R', 'u+w', homePaths(home).releases]);
};
