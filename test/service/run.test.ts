/** `assent run` in the foreground: signals, exit codes, the lock, and process 1 of a container. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { processSupervisor } from '../../src/service/process.ts';
import { serverVetoOf } from '../../src/service/server-veto.ts';
import type { ServiceSpec } from '../../src/service/spec.ts';
import { identify } from '../../src/system/processes.ts';
import { realWorld } from '../../src/system/world.ts';
import { isRoot } from '../support/sandbox.ts';
import { eventually, type TestService, testService } from '../support/service.ts';

const canUnshare = isRoot && spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
if (!canUnshare) console.log('skipped: process 1 is tested in a pid namespace, which needs root and unshare');

interface Foreground {
  child: ChildProcess;
  exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  output: () => string;
}

const runForeground = (spec: ServiceSpec, before: string[] = [], env: Record<string, string> = {}): Foreground => {
  const { node, main } = spec.host.program!;
  const [file = '', ...args] = [...before, node, main, 'run', spec.instance, '--home', spec.paths.home];
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: '/', ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    child,
    exit: new Promise((done) => child.on('exit', (code, signal) => done({ code, signal }))),
    output: () => output,
  };
};

const listening = ({ port }: TestService) => eventually(async () => (await fetch(`http://127.0.0.1:${port}/`)).text());

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends the server by its own signal, which is a normal end',
  async (signal) => {
    const service = await testService();
    const { child, exit, output } = runForeground(service.spec);
    await listening(service);
    child.kill(signal);
    expect(await exit).toEqual({ code: 0, signal: null });
    expect(output()).toMatch(/^listening as \d+\n$/);
    await expect(fetch(`http://127.0.0.1:${service.port}/`)).rejects.toThrow();
  },
);

test.each([
  ['the code of a server that ends by itself', ['crash'], 3, undefined],
  ['the code with which it ends on our signal', ['exit=7'], 7, 'SIGTERM'],
] as const)('exits with %s, and starts nothing again', async (_, flags, code, signal) => {
  const service = await testService('web.mjs', flags);
  const { child, exit } = runForeground(service.spec);
  if (signal !== undefined) {
    await listening(service);
    child.kill(signal);
  }
  expect(await exit).toEqual({ code, signal: null });
});

test('a server that is killed ends the run with 128 and the number of the signal', async () => {
  const service = await testService();
  const { exit } = runForeground(service.spec);
  await listening(service);
  process.kill((await processSupervisor.observe(service.spec)).main!.pid, 'SIGKILL');
  expect(await exit).toEqual({ code: 137, signal: null });
});

test('HUP, USR1 and USR2 are handed on to the server', async () => {
  const service = await testService();
  const { child } = runForeground(service.spec);
  await listening(service);
  for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
    child.kill(signal);
    await eventually(() => expect(readFileSync(join(service.paths.data, 'signals'), 'utf8')).toContain(signal));
  }
});

test("a container's time zone and DO_NOT_TRACK reach the server, nothing else does; the veto is seen from outside", async () => {
  const service = await testService();
  const given = { TZ: 'Europe/Berlin', DO_NOT_TRACK: '1', NODE_OPTIONS: '--no-warnings', NOTIFY_SOCKET: '/x' };
  expect(serverVetoOf(realWorld(), service.paths)).toBeUndefined();
  runForeground(service.spec, [], given);
  await listening(service);
  const environment = JSON.parse(readFileSync(join(service.paths.data, 'environment.json'), 'utf8'));
  expect(environment).toEqual({ ...service.spec.environment, TZ: 'Europe/Berlin', DO_NOT_TRACK: '1' });
  await eventually(() => expect(serverVetoOf(realWorld(), service.paths)).toBe('1'));
});

test('a second run is refused while the first lives, however it was started', async () => {
  const service = await testService();
  await processSupervisor.start(service.spec);
  const second = runForeground(service.spec);
  expect((await second.exit).code).toBe(9);
  expect(second.output()).toMatch(/instance-busy: mail is run by process \d+ \(assent run mail --detached\) already/);
  await processSupervisor.stop(service.spec);
  const third = runForeground(service.spec);
  await listening(service);
  await expect(processSupervisor.start(service.spec)).resolves.toBeUndefined();
  third.child.kill('SIGTERM');
  expect((await third.exit).code).toBe(0);
});

test.runIf(canUnshare)(
  'as process 1 it reaps what nobody waits for, hands signals on and keeps the exit code',
  async () => {
    const service = await testService('web.mjs', ['exit=7']);
    const { child, exit, output } = runForeground(service.spec, ['unshare', '--pid', '--fork', '--mount-proc']);
    await listening(service);
    const init = childrenOf(child.pid!)[0]!;
    expect(readFileSync(`/proc/${init}/comm`, 'utf8')).toBe('sh\n');
    const run = childrenOf(init)[0]!;
    // A process whose parent dies belongs to process 1 of its namespace from then on; nobody waits for it there but a reaping init.
    spawnSync('nsenter', ['-t', String(init), '-p', 'sh', '-c', '(sleep 5 >/dev/null 2>&1 &)']);
    expect(childrenOf(init)).toHaveLength(2);
    await eventually(() => expect(childrenOf(init)).toEqual([run]), 30_000);
    process.kill(init, 'SIGTERM');
    expect(await exit, output()).toEqual({ code: 7, signal: null });
    expect(identify(run)).toBeUndefined();
  },
);

/** Zombies included: they are what is looked for. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
