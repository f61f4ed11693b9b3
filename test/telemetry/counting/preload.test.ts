/**
 * The module as it is bundled, preloaded into small servers of every habit: what it counts, that it ends when it should, and that the server is
 * none the wiser: same output, same exit, same signals.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { withdraw } from '../../../src/consent/withdraw.ts';
import { conduct, type Home, makeHome } from '../../consent/support.ts';
import { awayFromTheFullHour } from '../../support/clock.ts';
import { machineNode } from '../../support/launcher.ts';
import { sandbox } from '../../support/sandbox.ts';
import { visit } from '../../support/visits.ts';

const preload = resolve('dist/count-preload.mjs');

const installed = async (): Promise<Home> => {
  await awayFromTheFullHour();
  const home = makeHome(join(sandbox(), 'a home & more'));
  await conduct(home, { change: 'install', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
  mkdirSync(home.paths.counts, { recursive: true });
  return home;
};

const importOf = (home: Home): string => {
  const url = pathToFileURL(preload);
  url.searchParams.set('home', home.folder);
  url.searchParams.set('name', home.paths.name);
  return url.href;
};

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  output(): string;
  ended: Promise<string>;
}

const plain = `
const server = require('node:http').createServer((request, response) => response.end('hello'));
server.listen(0, '0.0.0.0', () => console.log(server.address().port));
`;

const serve = async (flags: readonly string[], script = plain, node = process.execPath): Promise<Server> => {
  const file = join(sandbox(), 'server.cjs');
  writeFileSync(file, script);
  const child = spawn(node, [...flags, file], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (output += data));
  const ended = new Promise<string>((settle) => child.on('close', (code, signal) => settle(signal ?? String(code))));
  await expect.poll(() => /^\d+\n/.test(output), { timeout: 30_000 }).toBe(true);
  return { child, port: Number.parseInt(output, 10), output: () => output.replace(/^\d+\n/, ''), ended };
};

/** One request as the client of that number. */
const ask = async (port: number, client: number, headers: Record<string, string> = {}): Promise<string> =>
  (await visit(port, client, '/api/email', { headers })).text;

const visits = async (port: number, clients: number): Promise<void> => {
  for (let client = 2; client < 2 + clients; client += 1) expect(await ask(port, client)).toBe('hello');
};

const totalsOf = (home: Home): unknown[] =>
  readdirSync(home.paths.counts).map((name) => {
    const { counters } = JSON.parse(readFileSync(join(home.paths.counts, name), 'utf8'));
    return counters.map(({ name: counter, total }: { name: string; total: number }) => `${counter} ${total}`).join();
  });

const isHeldBy = (pid: number | undefined, folder: string): boolean =>
  readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(folder);
    } catch {
      return false;
    }
  });

test.each([
  ['no handler of its own', plain, 'SIGTERM'],
  ['a handler that closes', `${plain}process.on('SIGTERM', () => server.close(() => process.exit(3)));`, '3'],
  [
    'a handler that ends only if it is alone',
    `${plain}process.on('SIGTERM', function own() {
      if (process.listeners('SIGTERM').length !== 1) return;
      process.off('SIGTERM', own);
      process.kill(process.pid, 'SIGTERM');
    });`,
    'SIGTERM',
  ],
  [
    'an end of its own',
    `${plain}setInterval(() => require('node:fs').existsSync(__filename + '.end') && process.exit(5), 50);`,
    '5',
  ],
])('a server with %s writes its part and ends as it would have', async (_, script, how) => {
  const home = await installed();
  const server = await serve(['--import', importOf(home)], script);
  await visits(server.port, 7);
  expect(readdirSync(home.paths.counts)).toEqual([]);
  if (how === '5') writeFileSync(`${server.child.spawnargs.at(-1)}.end`, '');
  else server.child.kill('SIGTERM');
  expect(await server.ended).toBe(how);
  expect(server.output()).toBe('');
  expect(totalsOf(home)).toEqual(['mailbox-opened 7']);
});

const otherNodes = [machineNode, ...(process.env['ASSENT_TEST_NODES'] ?? '').split(':')].filter(existsSync);

test('there is another Node to run in', () => expect(otherNodes).not.toEqual([]));

test.each(otherNodes)('it runs in %s, whatever its version', async (node) => {
  const home = await installed();
  const server = await serve(['--import', importOf(home)], plain, node);
  await visits(server.port, 7);
  server.child.kill('SIGTERM');
  expect(await server.ended).toBe('SIGTERM');
  expect(server.output()).toBe('');
  expect(totalsOf(home)).toEqual(['mailbox-opened 7']);
});

test('a server that lives on behind a signal goes on counting', async () => {
  const home = await installed();
  const server = await serve(
    ['--import', importOf(home)],
    `${plain}let n = 0; process.on('SIGTERM', () => ++n > 1 && process.exit(0));`,
  );
  await visits(server.port, 6);
  server.child.kill('SIGTERM');
  await expect.poll(() => totalsOf(home)).toEqual(['mailbox-opened 6']);
  await visits(server.port, 8);
  server.child.kill('SIGTERM');
  expect(await server.ended).toBe('0');
  expect(totalsOf(home).sort()).toEqual(['mailbox-opened 6', 'mailbox-opened 8']);
});

test('a withdrawal stops it within a second, and the server goes on', async () => {
  const home = await installed();
  const server = await serve(['--import', importOf(home)]);
  await visits(server.port, 7);
  expect(isHeldBy(server.child.pid, home.paths.folder)).toBe(true);
  let waited = 0;
  await withdraw(home.world, home.paths, {
    counting: () => {
      waited += 1;
      return isHeldBy(server.child.pid, home.paths.folder);
    },
  });
  expect(waited).toBeLessThan(20);
  expect(isHeldBy(server.child.pid, home.paths.folder)).toBe(false);
  await visits(server.port, 7);
  server.child.kill('SIGTERM');
  expect(await server.ended).toBe('SIGTERM');
  expect(existsSync(home.paths.telemetry)).toBe(false);
  expect(server.output()).toBe('');
});

test('who asks not to be counted is not; a proxy on this machine may say who its clients are', async () => {
  const home = await installed();
  const server = await serve(['--import', importOf(home)]);
  for (let client = 2; client < 9; client += 1) {
    await ask(server.port, client, { 'sec-gpc': '1' });
    await ask(server.port, client, { dnt: '1' });
    await ask(server.port, 1, { 'x-forwarded-for': `203.0.113.${client}` });
  }
  server.child.kill('SIGTERM');
  await server.ended;
  expect(totalsOf(home)).toEqual(['mailbox-opened 7']);
});

test('one person whom a CDN serves through seven of its machines is one client, and nothing of that is written', async () => {
  const home = await installed();
  const server = await serve(['--import', importOf(home)]);
  for (let edge = 2; edge < 9; edge += 1) {
    await ask(server.port, 1, { 'x-forwarded-for': `198.51.100.66, 203.0.113.${edge}` });
    await ask(server.port, 1, { 'x-forwarded-for': `203.0.113.${edge}`, forwarded: 'for=198.51.100.66' });
    await ask(server.port, 1, { 'x-forwarded-for': `203.0.113.${edge}`, 'cdn-loop': 'cdn.example' });
  }
  server.child.kill('SIGTERM');
  await server.ended;
  expect(totalsOf(home)).toEqual([]);
});

test('children of the server inherit it, and those that serve nothing write nothing', async () => {
  const home = await installed();
  const script = `
const child = process.argv[2] === 'child';
if (child) setInterval(() => {}, 1000);
else {
  const other = require('node:child_process').fork(__filename, ['child']);
  process.on('SIGTERM', () => other.on('exit', () => process.exit(0)) && other.kill('SIGTERM'));
  ${plain}
}`;
  const server = await serve(['--import', importOf(home)], script);
  await visits(server.port, 7);
  server.child.kill('SIGTERM');
  expect(await server.ended).toBe('0');
  expect(totalsOf(home)).toEqual(['mailbox-opened 7']);
});

test.each([
  ['no such home', '?home=/nowhere/at/all&name=mail'],
  ['a name that is none', '?home=/tmp&name=../x'],
  ['no arguments', ''],
])('%s: the server runs and nothing is made', async (_, query) => {
  const server = await serve(['--import', `${pathToFileURL(preload).href}${query}`]);
  await visits(server.port, 3);
  server.child.kill('SIGTERM');
  expect(await server.ended).toBe('SIGTERM');
  expect(server.output()).toBe('');
  expect(existsSync('/nowhere')).toBe(false);
});

test('what is loaded into servers is one small file, with no library but the one for browsers', () => {
  const text = readFileSync(preload, 'utf8');
  expect(statSync(preload).size).toBeLessThan(110_000);
  expect(text).not.toMatch(/(?:^|[;}\n])(?:import|export)\b[^;()]*"\.|import\("|ZodType|YAMLMap|@inquirer/);
});
