import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { cachePath } from '../../src/source/artifact.ts';
import { addressOf, type FetchOptions, fetchArtifacts, type Wanted } from '../../src/source/fetch.ts';
import { deadlines } from '../../src/source/fetch-trouble.ts';
import { realWorld, type World } from '../../src/system/world.ts';
import { freePort, sandbox } from '../support/sandbox.ts';
import { integrityOf, packageArchive, startRegistry, wanted } from './registry.ts';

/** A world whose npm is configured by this text alone. */
const worldWith = (folder: string, npmrc: string, env: Record<string, string> = {}): World => {
  writeFileSync(join(folder, '.npmrc'), npmrc);
  return { ...realWorld(), env: { HOME: folder, PATH: '/usr/bin:/bin', ...env } };
};

const optionsIn = (folder: string, world: World): FetchOptions => {
  const [cache, staging] = [join(folder, 'cache'), join(folder, 'staging')];
  mkdirSync(staging, { recursive: true });
  return { world, cache, staging };
};

const filesUnder = (folder: string): string[] =>
  existsSync(folder)
    ? (readdirSync(folder, { recursive: true }) as string[]).filter((name) => statSync(join(folder, name)).isFile())
    : [];

const failureOf = async (work: Promise<unknown>): Promise<Failure> => {
  const error: unknown = await work.then(
    () => new Error('it worked'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw error;
};

const oneFrom = async (npmrc = '') => {
  const registry = await startRegistry();
  const folder = sandbox();
  const bytes = packageArchive('one', { 'index.js': 'x'.repeat(5000) });
  const options = optionsIn(folder, worldWith(folder, `registry=${registry.url}\n${npmrc}`));
  return { registry, folder, bytes, options, one: wanted('one', bytes), path: '/one/-/one-1.0.0.tgz' };
};

test('an archive is fetched once, kept by its hash and never asked for again', async () => {
  const { registry, bytes, options, one, path } = await oneFrom();
  registry.serve(path, bytes);
  let progress = 0;
  const found = await fetchArtifacts([one, one], { ...options, onProgress: (done) => (progress = done) });
  const artifact = found.get(one.integrity);
  expect(artifact).toMatchObject({
    integrity: one.integrity,
    bytes: bytes.length,
    path: cachePath(options.cache, one.integrity),
  });
  expect(readFileSync(artifact!.path).equals(bytes)).toBe(true);
  expect(progress).toBe(bytes.length);
  await fetchArtifacts([one], options);
  expect(registry.requests.length).toBe(1);
  expect(filesUnder(options.staging)).toEqual([]);
});

test('other bytes than the pinned ones are refused, and nothing of them is kept', async () => {
  const { registry, bytes, options, one, path } = await oneFrom();
  const flipped = Buffer.from(bytes);
  flipped[100] = flipped[100]! ^ 1;
  registry.serve(path, flipped);
  const failure = await failureOf(fetchArtifacts([one], options));
  expect(failure).toMatchObject({ code: 'verification-failed', exit: 5 });
  for (const part of ['one 1.0.0', one.integrity, integrityOf(flipped)]) expect(failure.message).toContain(part);
  expect([...filesUnder(options.cache), ...filesUnder(options.staging)]).toEqual([]);
  expect(registry.requests.length).toBe(1);
});

test('an archive in the cache that was torn by a power cut is noticed and fetched anew', async () => {
  const { registry, bytes, options, one, path } = await oneFrom();
  registry.serve(path, bytes);
  await fetchArtifacts([one], options);
  truncateSync(cachePath(options.cache, one.integrity), 10);
  const found = await fetchArtifacts([one], options);
  expect(found.get(one.integrity)?.bytes).toBe(bytes.length);
  expect(registry.requests.length).toBe(2);
});

test('a transfer that breaks off is tried again', async () => {
  const { registry, bytes, options, one, path } = await oneFrom();
  registry.serve(path, (_, response) => {
    const first = registry.requests.length === 1;
    response.writeHead(200, { 'content-length': bytes.length });
    if (first) response.write(bytes.subarray(0, 50), () => response.destroy());
    else response.end(bytes);
  });
  const found = await fetchArtifacts([one], options);
  expect(found.size).toBe(1);
  expect(registry.requests.length).toBe(2);
  expect(filesUnder(options.staging)).toEqual([]);
});

test('a transfer that always breaks off fails', async () => {
  const { registry, bytes, options, one, path } = await oneFrom();
  registry.serve(path, (_, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 50), () => response.destroy());
  });
  const failure = await failureOf(fetchArtifacts([one], options));
  expect(failure.code).toBe('download-failed');
  expect(registry.requests.length).toBe(3);
  expect([...filesUnder(options.cache), ...filesUnder(options.staging)]).toEqual([]);
});

test('an archive that never ends is cut off at the limit', async () => {
  const { registry, options, one, path } = await oneFrom();
  registry.serve(path, (_, response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  const failure = await failureOf(fetchArtifacts([one], { ...options, maxBytes: 1_000_000 }));
  expect(failure).toMatchObject({ code: 'download-failed', message: expect.stringContaining('1000000') });
  expect(registry.requests.length).toBe(1);
  expect(filesUnder(options.staging)).toEqual([]);
});

test('an archive that drips in, a few bytes at a time, is given up', async () => {
  const { registry, options, one, path } = await oneFrom();
  registry.serve(path, (_, response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(drip));
  });
  const { silence, retry } = deadlines;
  Object.assign(deadlines, { silence: 500, retry: 0 });
  onTestFinished(() => void Object.assign(deadlines, { silence, retry }));
  const failure = await failureOf(fetchArtifacts([one], options));
  expect(failure).toMatchObject({ code: 'download-failed', message: expect.stringMatching(/only \d+ bytes came for/) });
});

test('an archive that comes on steadily, but far too long, is given up', async () => {
  const { registry, options, one, path } = await oneFrom();
  registry.serve(path, (_, response) => {
    response.writeHead(200);
    const flow = setInterval(() => response.write(Buffer.alloc(20_000)), 20);
    response.on('close', () => clearInterval(flow));
  });
  const { whole, retry } = deadlines;
  Object.assign(deadlines, { whole: 600, retry: 0 });
  onTestFinished(() => void Object.assign(deadlines, { whole, retry }));
  const failure = await failureOf(fetchArtifacts([one], options));
  expect(failure).toMatchObject({ code: 'download-failed', message: expect.stringContaining('not come whole') });
});

test.each([
  [404, 1, 'does not have it'],
  [401, 1, 'refused the request'],
  [403, 1, 'refused the request'],
  [503, 3, 'status 503'],
  [429, 3, 'status 429'],
])('status %i is told after %i requests', async (status, requests, message) => {
  const { registry, options, one, path } = await oneFrom();
  registry.serve(path, (_, response) => response.writeHead(status).end('{}'));
  const failure = await failureOf(fetchArtifacts([one], options));
  expect(failure).toMatchObject({ code: 'download-failed', exit: 5, message: expect.stringContaining(message) });
  expect(failure.message).toContain('one 1.0.0');
  expect(registry.requests.length).toBe(requests);
});

test('a registry that comes back is waited for', async () => {
  const { registry, bytes, options, one, path } = await oneFrom();
  registry.serve(path, (_, response) => {
    if (registry.requests.length < 3) response.writeHead(503).end();
    else response.end(bytes);
  });
  expect((await fetchArtifacts([one], options)).size).toBe(1);
});

test('where nobody listens, one failure names package, registry and remedy, soon', async () => {
  const folder = sandbox();
  const options = optionsIn(folder, worldWith(folder, `registry=http://127.0.0.1:${await freePort()}/`));
  const many = Array.from({ length: 40 }, (_, at) => wanted(`p${at}`, packageArchive(`p${at}`)));
  const started = performance.now();
  const failure = await failureOf(fetchArtifacts(many, options));
  expect(performance.now() - started).toBeLessThan(8000);
  expect(failure).toMatchObject({
    code: 'download-failed',
    message: expect.stringMatching(/^p\d+ 1\.0\.0 .*ECONNREFUSED/),
  });
  expect(failure.advice).toContain('npm ping');
});

test('a host that takes the connection and says nothing is given up within 20 seconds', {
  timeout: 30_000,
}, async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const folder = sandbox();
  const { port } = server.address() as AddressInfo;
  const options = optionsIn(folder, worldWith(folder, `registry=https://127.0.0.1:${port}/`));
  const started = performance.now();
  const failure = await failureOf(fetchArtifacts([wanted('one', packageArchive('one'))], options));
  expect(performance.now() - started).toBeLessThan(20_000);
  expect(failure).toMatchObject({
    code: 'download-failed',
    message: expect.stringContaining('no connection within 8 seconds'),
  });
});

test('an unknown host fails at once', async () => {
  const folder = sandbox();
  const options = optionsIn(folder, worldWith(folder, 'registry=http://registry.invalid/'));
  const failure = await failureOf(fetchArtifacts([wanted('one', packageArchive('one'))], options));
  expect(failure).toMatchObject({
    code: 'download-failed',
    message: expect.stringMatching(/registry\.invalid.*(ENOTFOUND|EAI_AGAIN)/),
  });
});

test('what had arrived before a failure stays in the cache', async () => {
  const { registry, bytes, options, one, path } = await oneFrom();
  registry.serve(path, bytes);
  registry.serve('/late/-/late-1.0.0.tgz', (_, response) => setTimeout(() => response.writeHead(404).end(), 300));
  await failureOf(fetchArtifacts([one, wanted('late', packageArchive('late'))], options));
  expect(existsSync(cachePath(options.cache, one.integrity))).toBe(true);
});

test('credentials go to the registry, and not to the host that it redirects to', async () => {
  const other = await startRegistry();
  const { registry, folder, bytes, one, path } = await oneFrom();
  // The same machine under another name is another host.
  const elsewhere = other.url.replace('127.0.0.1', 'localhost');
  registry.serve(path, (_, response) => response.writeHead(302, { location: `${elsewhere}moved.tgz` }).end());
  other.serve('/moved.tgz', bytes);
  const host = new URL(registry.url).host;
  const options = optionsIn(
    folder,
    worldWith(folder, `registry=${registry.url}\n//${host}/:_authToken=secret-token\n`),
  );
  await fetchArtifacts([one], options);
  expect(registry.requests).toEqual([{ path, authorization: 'Bearer secret-token' }]);
  expect(other.requests).toEqual([{ path: '/moved.tgz', authorization: undefined }]);
});

test('a scope has its own registry; the environment overrules the file; nodedir and a project nearby count for nothing', async () => {
  const [general, scoped] = [await startRegistry(), await startRegistry()];
  const folder = sandbox();
  const bytes = packageArchive('@mine/thing');
  const thing = wanted('@mine/thing', bytes);
  const plain = packageArchive('plain');
  scoped.serve('/@mine/thing/-/thing-1.0.0.tgz', bytes);
  general.serve('/plain/-/plain-1.0.0.tgz', plain);
  const world = worldWith(folder, `registry=http://registry.invalid/\n@mine:registry=${scoped.url}\nnodedir=/usr\n`, {
    npm_config_registry: general.url,
    npm_config_nodedir: '/usr',
  });
  const found = await fetchArtifacts([thing, wanted('plain', plain)], optionsIn(folder, world));
  expect(found.size).toBe(2);
  expect([general.requests.length, scoped.requests.length]).toEqual([1, 1]);
});

test('npm set to offline makes no connection', async () => {
  const { registry, options, one, path, bytes } = await oneFrom('offline=true\n');
  registry.serve(path, bytes);
  expect(await failureOf(fetchArtifacts([one], options))).toMatchObject({ code: 'download-failed' });
  expect(registry.requests).toEqual([]);
});

test('a proxy of the configuration is used', async () => {
  const proxy = await startRegistry();
  const folder = sandbox();
  const bytes = packageArchive('one');
  proxy.serve('http://registry.invalid/one/-/one-1.0.0.tgz', bytes);
  const world = worldWith(folder, `registry=http://registry.invalid/\nproxy=${proxy.url}\n`);
  expect((await fetchArtifacts([wanted('one', bytes)], optionsIn(folder, world))).size).toBe(1);
});

test('addresses on the public registry mean the registry of the configuration', () => {
  const one: Wanted = { ...wanted('one', Buffer.from('')), resolved: 'https://registry.npmjs.org/one/-/one-1.0.0.tgz' };
  const at = (more: object): string => addressOf(one, { registry: 'https://mirror.example/npm/', ...more });
  expect(at({})).toBe('https://mirror.example/npm/one/-/one-1.0.0.tgz');
  expect(at({ replaceRegistryHost: 'never' })).toBe(one.resolved);
  expect(at({ replaceRegistryHost: 'registry.npmjs.org' })).toBe('https://mirror.example/npm/one/-/one-1.0.0.tgz');
  const elsewhere = { ...one, resolved: 'https://packages.example/one-1.0.0.tgz' };
  expect(addressOf(elsewhere, { registry: 'https://mirror.example/' })).toBe(elsewhere.resolved);
});

test('the real registry', async () => {
  const folder = sandbox();
  const real: Wanted[] = [
    {
      name: 'is-number',
      version: '7.0.0',
      integrity:
        'sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng==' as Wanted['integrity'],
    },
    {
      name: '@npmcli/redact',
      version: '5.0.0',
      integrity:
        'sha512-3zcN5Q3yEmeyxXBzqB6fXPQFzYa2ROsGFSr69W0ArXIAGJqxl/aFECOVPD2kbkYPm0U/EHxFKgclK3UA9WQg5A==' as Wanted['integrity'],
    },
  ];
  expect((await fetchArtifacts(real, optionsIn(folder, realWorld()))).size).toBe(2);
});
