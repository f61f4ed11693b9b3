/** A server is started where it runs already, or is just being started. */
import { spawn, spawnSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { processSupervisor } from '../../src/service/process.ts';
import { type ProcessRecord, readRecord, writeRecord } from '../../src/service/process-record.ts';
import type { ServiceSpec } from '../../src/service/spec.ts';
import { identify, isAlive, type ProcessIdentity } from '../../src/system/processes.ts';
import { eventually, testService } from '../support/service.ts';

const uid = process.geteuid?.() ?? 0;
const get = async (port: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text();
const pidOf = async (port: number): Promise<number> => Number((await get(port)).split(' ').at(-1));

const sleeper = (): ProcessIdentity => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return identify(child.pid!)!;
};

/** What a supervisor has written right before it makes the server. */
const startingBy = (supervisor: ProcessIdentity, { generation, digest }: ServiceSpec): ProcessRecord => ({
  format: 1,
  supervisor,
  child: null,
  phase: 'starting',
  generation,
  digest,
  restarts: 0,
  lastExit: null,
});

test('a start of what runs already starts no second one', async () => {
  const { spec, port } = await testService();
  await processSupervisor.start(spec);
  const first = await eventually(() => pidOf(port));
  await processSupervisor.start(spec);
  expect(await pidOf(port)).toBe(first);
});

test('two starts at once end in one supervisor', async () => {
  const { spec, port, paths } = await testService();
  const both = await Promise.allSettled([processSupervisor.start(spec), processSupervisor.start(spec)]);
  expect(both.some(({ status }) => status === 'fulfilled')).toBe(true);
  await eventually(() => get(port));
  const running = spawnSync('pgrep', ['-f', `run mail --home ${paths.home} --detached`], {
    encoding: 'utf8',
  }).stdout.trim();
  expect(running.split('\n')).toHaveLength(1);
});

test('a supervisor that is just starting the same server is waited for, and not ended', async () => {
  const { spec, paths } = await testService();
  const [supervisor, child] = [sleeper(), sleeper()];
  const starting = startingBy(supervisor, spec);
  writeRecord(paths, starting);
  const started = processSupervisor.start(spec);
  // As long as the supervisor takes to make the server and to write that down.
  await new Promise((done) => setTimeout(done, 300));
  expect(isAlive(supervisor)).toBe(true);
  const running: ProcessRecord = { ...starting, phase: 'running', child };
  writeRecord(paths, running);
  await started;
  expect(isAlive(supervisor) && isAlive(child)).toBe(true);
  expect(readRecord(paths, uid)).toEqual(running);
});

test('a supervisor that ends before it has started the server is no reason to wait', async () => {
  const { spec, port, paths } = await testService();
  writeRecord(paths, startingBy({ ...sleeper(), startTime: '1' }, spec));
  await processSupervisor.start(spec);
  await eventually(() => get(port));
});
