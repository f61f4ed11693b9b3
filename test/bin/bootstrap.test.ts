/**
 * The private Node fetched for real: from the registry that npm is set up with, once, and after that from registries of our own
 * that send something else, nothing, or it slowly.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ownNodeVersion, pinOf } from '../../src/release/runtimes.ts';
import {
  isRoot,
  type LauncherWorld,
  launcherWorld,
  machineNode,
  newNode,
  placeProbe,
  privateName,
  type Ran,
} from '../support/launcher.ts';

const machineVersion = spawnSync(machineNode, ['--version'], { encoding: 'utf8' }).stdout.trim();
const machineIsOld = /^v(18|20)\./.test(machineVersion);
const version = (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version;

let world: LauncherWorld;
beforeEach(() => {
  world = launcherWorld();
  // Where the machine's own Node is an old one it is the real thing; elsewhere a newer Node that says it is old fetches as well.
  world.provide(
    'node',
    machineIsOld
      ? { link: machineNode }
      : { script: `[ "$1" = --version ] && { echo v20.20.2; exit; }\nexec '${newNode}' "$@"` },
  );
});
afterEach(() => world.remove());

const start = (parameters: string[], env: Record<string, string>) =>
  new Promise<Ran>((resolve) => {
    const child = world.start(parameters, { env });
    const ran: Ran = { code: null, signal: null, stdout: '', stderr: '' };
    child.stdout?.on('data', (data) => {
      ran.stdout += data;
    });
    child.stderr?.on('data', (data) => {
      ran.stderr += data;
    });
    child.once('close', (code, signal) => resolve({ ...ran, code, signal }));
  });

describe('from the registry', () => {
  /** How npm reaches the registry on this machine, without the user's credentials. */
  const npmEnvironment = (): Record<string, string> => {
    const registry = spawnSync('npm', ['config', 'get', 'registry', '--loglevel=error'], {
      encoding: 'utf8',
    }).stdout.trim();
    const kept = ['HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy', 'NODE_EXTRA_CA_CERTS'];
    const env = kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
    return { npm_config_registry: registry, ...Object.fromEntries(env) };
  };

  test('two at once with an empty cache, then a third: size said before, one folder, complete and the right one', {
    timeout: 180_000,
  }, async () => {
    const both = await Promise.all([start(['--version'], npmEnvironment()), start(['--version'], npmEnvironment())]);
    for (const { code, stdout, stderr } of both) {
      expect({ code, stdout }).toEqual({ code: 0, stdout: `${version}\n` });
      expect(stderr).toMatch(
        /^assent: fetching a Node of its own, 24\.21\.0, once: 52 MB \(190 MB in [^\n]+\)\.[^\n]+\n$/,
      );
    }
    expect(readdirSync(world.cache)).toEqual([privateName]);
    expect(existsSync(join(world.cache, privateName, 'include/node/node.h'))).toBe(true);

    expect(world.run(['--version'])).toEqual({ code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
    placeProbe(world);
    const probe = JSON.parse(world.run([]).stdout) as { execPath: string };
    expect(probe.execPath).toBe(join(world.cache, privateName, 'bin/node'));
  });
});

describe('from registries of our own', () => {
  let server: Server;
  let archive: Buffer;
  let answer: 'archive' | 'nothing' | 'slow';
  let asked: string[];

  beforeAll(() => {
    archive = archiveOfAnotherNode();
  });
  beforeEach(async () => {
    answer = 'archive';
    asked = [];
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (answer === 'slow') return;
      if (answer === 'nothing') return void response.writeHead(404).end('{}');
      if (request.url?.endsWith('.tgz')) return void response.end(archive);
      response.end(JSON.stringify(packument(address(), archive)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  afterAll(() => expect(archive.length).toBeGreaterThan(100));

  const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const env = () => ({ npm_config_registry: address() });
  const leftOver = () => (existsSync(world.cache) ? readdirSync(world.cache) : []);

  test('another archive, with metadata that agrees with it: refused by our own digest, never unpacked, nothing kept', async () => {
    const { code, stdout, stderr } = await start(['telemetry', 'status', 'mail', '--json'], env());
    expect(asked.some((url) => url.endsWith('.tgz'))).toBe(true);
    expect(code).toBe(5);
    expect(stderr).toContain('is not Node 24.21.0: sha512');
    const document = JSON.parse(stdout) as object;
    const refused = { schema: 'assent/1', command: 'telemetry status', ok: false, outcome: 'refused', changed: false };
    expect(document).toMatchObject({ ...refused, error: { code: 'download-failed', exit: 5 } });
    expect(leftOver()).toEqual([]);
  });

  test("a registry that hasn't got it: what npm said, what to do, exit 5, nothing kept", async () => {
    answer = 'nothing';
    const { code, stdout, stderr } = await start([], env());
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toContain('npm could not fetch it: ');
    expect(stderr).toContain('ASSENT_NODE=');
    expect(leftOver()).toEqual([]);
  });

  test('no npm: exit 5, and it says so', async () => {
    rmSync(join(world.folder, 'tools/npm'));
    const { code, stderr } = await start([], env());
    expect({ code, stderr }).toEqual({ code: 5, stderr: expect.stringContaining('There is no npm to fetch it with.') });
    expect(leftOver()).toEqual([]);
  });

  test('ended while it waits: nothing kept; what a killed one left is swept after a day', async () => {
    answer = 'slow';
    const child = world.start([], { env: env() });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const [staging] = leftOver();
    expect(staging).toMatch(/^\.staging-/);
    // A closed terminal or Ctrl-C reaches the whole group; here the fetching one is asked to stop by itself.
    const fetching = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')[0]);
    process.kill(fetching, 'SIGTERM');
    await ended;
    expect(leftOver()).toEqual([]);

    const left = mkdtempSync(join(world.cache, '.staging-'));
    world.own(left);
    utimesSync(left, new Date(), new Date(Date.now() - 2 * 86_400_000));
    answer = 'nothing';
    await start([], env());
    expect(leftOver()).toEqual([]);
  });

  test('a cache folder that another user can write: refused before anything is fetched', async (context) => {
    if (!isRoot) context.skip('only root can give a folder to another user');
    const shared = mkdtempSync(join(tmpdir(), 'assent-cache-'));
    spawnSync('mkdir', ['-m', '777', join(shared, 'assent')]);
    spawnSync('chmod', ['755', shared]);
    const { code, stderr } = await start([], { ...env(), XDG_CACHE_HOME: shared });
    rmSync(shared, { recursive: true });
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('can be written by other users') });
    expect(asked).toEqual([]);
  });
});

test('the launcher, the bootstrap and the runtimes of the store name the same Node and the same digests', () => {
  const inShell = /^private_version=(\S+)$/m.exec(readFileSync('bin/find-node.sh', 'utf8'))?.[1] ?? '';
  const bootstrap = readFileSync('src/bootstrap.ts', 'utf8');
  expect(/version: '(\S+)'/.exec(bootstrap)?.[1]).toBe(inShell);
  expect(ownNodeVersion).toBe(inShell);
  for (const arch of ['x64', 'arm64']) {
    const inBootstrap = new RegExp(`${arch}: '(\\S+)'`).exec(bootstrap)?.[1];
    expect(pinOf(`node-linux-${arch}`, inShell)).toBe(`sha512-${inBootstrap}`);
  }
});

/** A package as npm makes one, whose `node` would tell the right version, had it been run. */
function archiveOfAnotherNode(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'assent-node-'));
  spawnSync('mkdir', ['-p', join(folder, 'package/bin')]);
  writeFileSync(
    join(folder, 'package/package.json'),
    JSON.stringify({ name: `node-linux-${process.arch}`, version: '24.21.0' }),
  );
  writeFileSync(join(folder, 'package/bin/node'), '#!/bin/sh\necho v24.21.0\n', { mode: 0o755 });
  spawnSync('tar', ['-czf', join(folder, 'a.tgz'), '-C', folder, 'package']);
  const bytes = readFileSync(join(folder, 'a.tgz'));
  rmSync(folder, { recursive: true });
  return bytes;
}

function packument(address: string, archive: Buffer): object {
  const name = `node-linux-${process.arch}`;
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  const dist = { tarball: `${address}${name}/-/${name}-24.21.0.tgz`, integrity };
  return { name, 'dist-tags': { latest: '24.21.0' }, versions: { '24.21.0': { name, version: '24.21.0', dist } } };
}
