/** Fetching Debian packages by the real apt from the machine's own mirror; only what has left it, or misbehaves, is a server of the test's. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Failure } from '../../src/errors.ts';
import { missingAptPrograms, publicSources } from '../../src/source/apt.ts';
import { cachePath } from '../../src/source/artifact.ts';
import { refuseWithoutDebian } from '../../src/source/deb.ts';
import { fetchDebs } from '../../src/source/deb-fetch.ts';
import type { DebLock } from '../../src/source/deb-lock.ts';
import { resolveDebs } from '../../src/source/deb-resolve.ts';
import { realWorld, type World } from '../../src/system/world.ts';
import { asSha256, integrityOf, type Sha256 } from '../../src/values.ts';
import { asRoot, makeSandbox, removeSandbox, sandbox } from '../support/sandbox.ts';
import { debOf, sha256Of, worldWithSources } from './debs.ts';

const patience = 240_000;
const source = {
  kind: 'deb',
  lock: 'locks/1',
  suites: ['bookworm'],
  packages: ['libexpat1'],
  without: [],
  architectures: ['amd64'],
} as const;
const nowhere = 'http://127.0.0.1:1';

let shared: string;
let lock: DebLock;
beforeAll(async () => {
  shared = makeSandbox();
  const deb = { ...source, suites: [...source.suites], packages: [...source.packages], without: [], architectures: [] };
  lock = (await resolveDebs(realWorld(), join(shared, 'apt'), deb, 'amd64')).lock;
}, patience);
afterAll(() => removeSandbox(shared));

const optionsIn = (folder: string, world: World = realWorld()) => {
  const staging = join(folder, 'staging');
  mkdirSync(staging, { recursive: true });
  return { world, cache: join(folder, 'cache'), staging };
};
const changed = (change: Partial<DebLock['packages'][number]>, suites = lock.suites): DebLock => ({
  ...lock,
  suites,
  packages: lock.packages.map((one) => ({ ...one, ...change })),
});
const failureOf = async (work: Promise<unknown>): Promise<Failure> => {
  const outcome: unknown = await work.catch((error: unknown) => error);
  if (outcome instanceof Error && 'code' in outcome) return outcome as Failure;
  throw new Error(`no failure: ${String(outcome)}`);
};
/** Every file with the time of its last change of any kind, which nobody can set back. */
const hostState = (): string => {
  const folders = ['/var/lib/apt', '/var/cache/apt', '/var/lib/dpkg', '/etc/apt'];
  const { stdout } = spawnSync('find', [...folders, '-printf', '%p %i %C@ %s\n'], {
    encoding: 'utf8',
    maxBuffer: 64e6,
  });
  expect(stdout).toContain('/etc/apt');
  return stdout;
};

test('the lock has the closure and none of what the host has', () => {
  expect(lock.packages.map(({ name, suite }) => `${name} ${suite}`)).toEqual(['libexpat1 bookworm']);
  expect(lock.packages[0]?.path).toMatch(/^pool\/main\/e\/expat\/libexpat1_.*_amd64\.deb$/);
});

test("fetched once from the mirror, then from the cache without apt; the host's apt is as it was", {
  timeout: patience,
}, async () => {
  const folder = sandbox();
  const before = hostState();
  const told: number[] = [];
  const notes: string[] = [];
  const [artifact] = await fetchDebs(lock, {
    ...optionsIn(folder),
    onProgress: (bytes) => told.push(bytes),
    onNote: (text) => notes.push(text),
  });
  expect(hostState()).toBe(before);
  expect(sha256Of(readFileSync(artifact?.path ?? ''))).toBe(lock.packages[0]?.sha256);
  expect(artifact?.path).toContain('/cache/sha256/');
  expect(told.at(-1)).toBe(lock.packages[0]?.size);
  expect(notes).toEqual(['reading the lists of bookworm']);

  const cut = worldWithSources(folder, `deb ${nowhere}/debian bookworm main\n`);
  expect(await fetchDebs(lock, optionsIn(folder, cut))).toEqual([artifact]);
  writeFileSync(artifact?.path ?? '', 'something else');
  expect((await failureOf(fetchDebs(lock, optionsIn(folder, cut)))).code).toBe('download-failed');
  expect(existsSync(artifact?.path ?? '')).toBe(false);
});

test('another sha256 than the lock has is refused, and nothing of it is kept', { timeout: patience }, async () => {
  const folder = sandbox();
  const other = changed({ sha256: 'f'.repeat(64) as Sha256 });
  const failure = await failureOf(fetchDebs(other, optionsIn(folder)));
  expect(failure.code).toBe('verification-failed');
  expect(failure.message).toMatch(/What came as libexpat1 .* is something else/);
  expect(existsSync(cachePath(join(folder, 'cache'), integrityOf('f'.repeat(64) as Sha256)))).toBe(false);
});

/** Answers as snapshot.debian.org does; `files` by their sha1. */
const startSnapshot = async (files: Record<string, Buffer>, name: string, version: string): Promise<string> => {
  const server = createServer((request, response) => {
    const list = `/mr/binary/${name}/${encodeURIComponent(version)}/binfiles?fileinfo=1`;
    const file = files[request.url?.replace('/file/', '') ?? ''];
    if (request.url === list) {
      const result = Object.keys(files).map((hash) => ({ architecture: 'amd64', hash }));
      response.end(JSON.stringify({ binary: name, binary_version: version, result }));
    } else if (file !== undefined) response.end(file);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

test('a version that has left the mirror comes from the snapshot archive, if its sha256 is right', {
  timeout: patience,
}, async () => {
  const folder = sandbox();
  const deb = debOf('libexpat1', [{ path: './usr/lib/old', text: 'old' }]);
  const snapshot = await startSnapshot({ ['a'.repeat(40)]: deb }, 'libexpat1', '2.5.0-0+old1');
  const old = { version: '2.5.0-0+old1', path: 'pool/main/e/expat/libexpat1_2.5.0-0+old1_amd64.deb' };
  const right = changed({ ...old, sha256: asSha256(sha256Of(deb)) as Sha256, size: deb.length });
  const [artifact] = await fetchDebs(right, optionsIn(folder), { snapshot });
  expect(readFileSync(artifact?.path ?? '').equals(deb)).toBe(true);
  const wrong = changed({ ...old, sha256: 'e'.repeat(64) as Sha256 });
  expect((await failureOf(fetchDebs(wrong, optionsIn(folder), { snapshot }))).code).toBe('verification-failed');
});

test('so does a version of a suite that the mirror has no longer', { timeout: patience }, async () => {
  const folder = sandbox();
  const deb = debOf('libexpat1', [{ path: './usr/lib/old', text: 'old' }]);
  const server = await startSnapshot({ ['b'.repeat(40)]: deb }, 'libexpat1', '2.5.0-0+old1');
  const world = worldWithSources(folder, `deb ${server}/debian bookworm main\n`);
  const old = changed({ version: '2.5.0-0+old1', sha256: asSha256(sha256Of(deb)) as Sha256 });
  const [artifact] = await fetchDebs(old, optionsIn(folder, world), { snapshot: server });
  expect(readFileSync(artifact?.path ?? '').equals(deb)).toBe(true);
  const failure = await failureOf(fetchDebs(lock, optionsIn(folder, world), { snapshot: server }));
  expect(failure.message).toMatch(/\(apt: The repository '.*' does not have a Release file\)\.$/);
});

test('a version that is nowhere: the failure names package and version, and says what to do', {
  timeout: patience,
}, async () => {
  const gone = changed({ version: '2.5.0-0+gone1', path: 'pool/main/e/expat/libexpat1_2.5.0-0+gone1_amd64.deb' });
  const failure = await failureOf(fetchDebs(gone, optionsIn(sandbox()), { snapshot: nowhere }));
  expect(failure.code).toBe('download-failed');
  expect(failure.exit).toBe(5);
  expect(failure.message).toMatch(
    /^libexpat1 2\.5\.0-0\+gone1 of bookworm is neither on this machine's mirror nor in the snapshot/,
  );
  expect(failure.advice).toContain('assent products lock');
});

test("a suite that neither a source nor Debian has: no advice that opens the machine's own upgrades to it", async () => {
  const failure = await failureOf(fetchDebs(changed({ suite: 'jammy' }, ['jammy']), optionsIn(sandbox())));
  expect(failure.code).toBe('refused-apt');
  expect(failure.exit).toBe(3);
  expect(failure.advice).toContain('\nPackage: *\nPin: release n=jammy\nPin-Priority: -1\n');
  expect(failure.advice).not.toMatch(/debian\.org/);
});

const ubuntu = `deb ${nowhere}/ubuntu noble main universe\ndeb ${nowhere}/browser/deb stable main\n`;

test("a machine without a mirror of Debian asks Debian's, through its own proxy, and its apt learns nothing of it", {
  timeout: patience,
}, async () => {
  const lists = join(shared, 'apt/lists');
  const signed = readFileSync(join(lists, readdirSync(lists).find((file) => file.endsWith('_InRelease')) ?? ''));
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url?.endsWith('/dists/bookworm/InRelease')) response.end(signed);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const folder = sandbox();
  const { port } = proxy.address() as AddressInfo;
  const world = worldWithSources(folder, ubuntu, `Acquire::http::Proxy "http://127.0.0.1:${port}";\n`);
  const before = hostState();
  const failure = await failureOf(fetchDebs(lock, optionsIn(folder, world), { snapshot: nowhere }));
  expect(asked[0]).toBe('http://deb.debian.org/debian/dists/bookworm/InRelease');
  expect(asked.filter((uri) => !uri.startsWith('http://deb.debian.org/debian/')).join(' ')).not.toMatch(
    /browser|ubuntu/,
  );
  expect(failure.code, 'its signature is good, and there is nothing else').toBe('download-failed');
  expect(hostState()).toBe(before);
  expect(readFileSync(join(folder, 'host.d/test.list'), 'utf8')).toBe(ubuntu);
});

test("where Debian's keys are missing, the package that brings them is named, and no source", () => {
  expect(publicSources([], '/nowhere')).toEqual([]);
  expect(() => publicSources(['bookworm'], '/nowhere')).toThrow(
    expect.objectContaining({
      code: 'refused-apt',
      message: expect.stringContaining('its keys are not here (/nowhere)'),
      advice: expect.stringMatching(/apt-get install debian-archive-keyring, .* no source/),
    }),
  );
});

test('a mirror that is away is one clear failure', { timeout: patience }, async () => {
  const folder = sandbox();
  const away = worldWithSources(folder, `deb ${nowhere}/debian bookworm main\n`);
  const failure = await failureOf(fetchDebs(lock, optionsIn(folder, away)));
  expect(failure.code).toBe('download-failed');
  expect(failure.message).toMatch(/^The lists of bookworm could not be read: .*127\.0\.0\.1/);
});

test('a mirror without a signature is refused, although its source says that it is trusted', {
  timeout: patience,
}, async () => {
  const folder = sandbox();
  const server = createServer((request, response) => {
    if (request.url?.endsWith('/Release')) response.end('Suite: bookworm\nCodename: bookworm\nSHA256:\n');
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const world = worldWithSources(folder, `deb [trusted=yes] http://127.0.0.1:${port}/debian bookworm main\n`);
  const failure = await failureOf(fetchDebs(lock, optionsIn(folder, world)));
  expect(failure.code).toBe('verification-failed');
  expect(failure.message).toContain('does not accept their signature');
});

test('lists of which a word was changed behind their signature are refused', { timeout: patience }, async () => {
  const lists = join(shared, 'apt/lists');
  const name = readdirSync(lists).find((file) => file.endsWith('_InRelease')) ?? '';
  const signed = readFileSync(join(lists, name), 'utf8');
  const trouble = async (text: string): Promise<string> => {
    const server = createServer((request, response) => {
      if (request.url?.endsWith('/dists/bookworm/InRelease')) response.end(text);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const folder = sandbox();
    const { port } = server.address() as AddressInfo;
    const world = worldWithSources(folder, `deb http://127.0.0.1:${port}/debian bookworm main\n`);
    const { code, message } = await failureOf(fetchDebs(lock, optionsIn(folder, world), { snapshot: nowhere }));
    return `${code}: ${message}`;
  };
  expect(await trouble(signed), 'the signature is good, and there is nothing else').toMatch(/^download-failed: /);
  const changed = signed.replace(/^Description: .*$/m, 'Description: something else');
  expect(changed).not.toBe(signed);
  expect(await trouble(changed)).toMatch(/^verification-failed: .* does not accept their signature/);
});

test('what is missing is told before anything is fetched; with everything in the cache only dpkg is needed', () => {
  const folder = sandbox();
  expect(missingAptPrograms('/nowhere')).toEqual(['apt-get', 'apt-cache', 'apt-config', 'gpgv']);
  expect(missingAptPrograms()).toEqual([]);
  expect(() => refuseWithoutDebian(lock, folder, '/nowhere')).toThrow(
    /dpkg-deb, apt-get, apt-cache, apt-config, gpgv are missing here/,
  );
  const path = cachePath(folder, integrityOf(lock.packages[0]?.sha256 as Sha256));
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '');
  expect(() => refuseWithoutDebian(lock, folder, '/nowhere')).toThrow(/and dpkg-deb is missing here/);
});

test('an ordinary user needs no right for all this', { timeout: patience }, ({ skip }) => {
  asRoot(skip);
  const folder = sandbox();
  const script = join(folder, 'fetch.mts');
  const code = `
    const { fetchDebs } = await import(${JSON.stringify(join(process.cwd(), 'src/source/deb-fetch.ts'))});
    const { realWorld } = await import(${JSON.stringify(join(process.cwd(), 'src/system/world.ts'))});
    const [one] = await fetchDebs(${JSON.stringify(lock)}, { world: realWorld(), cache: 'cache', staging: process.cwd() });
    console.log(one.bytes);
  `;
  writeFileSync(script, code);
  spawnSync('chown', ['-R', '65534:65534', folder]);
  const drop = ['--reuid', '65534', '--regid', '65534', '--clear-groups', process.execPath, script];
  const { stdout, stderr } = spawnSync('setpriv', drop, { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(Number(stdout)).toBe(lock.packages[0]?.size);
  expect(statSync(cachePath(join(folder, 'cache'), integrityOf(lock.packages[0]?.sha256 as Sha256))).uid).toBe(65534);
});
