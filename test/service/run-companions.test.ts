/** Companions under our own supervisor: real children, started and ended with consent, and no part of the server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { survivors } from '../../src/service/survivors.ts';
import { identify } from '../../src/system/processes.ts';
import { freePort, isRoot, sandbox } from '../support/sandbox.ts';
import { account, eventually, makeService } from '../support/service.ts';

interface Ran {
  readonly pid: number;
  readonly uid: number;
  readonly HOME: string;
  readonly PATH: string;
}

const beside = async () => {
  const folder = join(sandbox(), 'notes');
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  const { spec } = makeService(sandbox(), await freePort(), 'web.mjs', []);
  const companions = { follow: ['telemetry', 'follow', folder], send: ['telemetry', 'send', folder] };
  writeFileSync(join(folder, 'spec.json'), JSON.stringify({ ...spec, companions }));
  const children: ChildProcess[] = [];
  const ran = (name: 'follow' | 'send'): Ran[] =>
    existsSync(join(folder, name))
      ? readFileSync(join(folder, name), 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : [];
  onTestFinished(() => {
    for (const child of children) child.kill('SIGKILL');
    for (const { pid } of ran('follow')) if (identify(pid) !== undefined) process.kill(pid, 'SIGKILL');
  });
  const start = (): ChildProcess => {
    const main = resolve('test/support/companions-main.ts');
    const child = spawn(process.execPath, [main, 'beside', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
    children.push(child);
    return child;
  };
  return { folder, spec: { ...spec, companions }, start, ran };
};

const gone = (pid: number) => eventually(() => expect(identify(pid)).toBeUndefined(), 20_000);
const ended = (child: ChildProcess) => new Promise((done) => child.once('exit', done));

test('nothing runs without a yes; with one the follower runs on and senders come and go; a no ends it', async () => {
  const { folder, spec, start, ran } = await beside();
  const child = start();
  await new Promise((done) => setTimeout(done, 1_500));
  expect([...ran('follow'), ...ran('send')]).toEqual([]);
  writeFileSync(join(folder, 'may'), '');
  await eventually(() => expect(ran('send').length).toBeGreaterThan(1), 30_000);
  const [follower] = ran('follow');
  expect(follower!.uid).toBe(isRoot ? account!.uid : process.getuid!());
  expect(ran('send')[0]!.uid).toBe(process.getuid!());
  expect(follower!.HOME).not.toBe(spec.paths.data);
  expect(survivors(spec, null)).toEqual([]);
  rmSync(join(folder, 'may'));
  await gone(follower!.pid);
  child.kill('SIGTERM');
  await ended(child);
}, 60_000);

test('they end with the supervisor, in time also where they do not listen', async () => {
  const { folder, start, ran } = await beside();
  writeFileSync(join(folder, 'may'), '');
  writeFileSync(join(folder, 'stubborn'), '');
  const child = start();
  await eventually(() => expect(ran('follow')).toHaveLength(1), 30_000);
  child.kill('SIGTERM');
  await ended(child);
  await gone(ran('follow')[0]!.pid);
}, 60_000);

test('what a killed supervisor left behind is ended by the next one', async () => {
  const { folder, start, ran } = await beside();
  writeFileSync(join(folder, 'may'), '');
  const killed = start();
  await eventually(() => expect(ran('follow')).toHaveLength(1), 30_000);
  killed.kill('SIGKILL');
  await ended(killed);
  expect(identify(ran('follow')[0]!.pid)).toBeDefined();
  const first = start();
  await eventually(() => expect(ran('follow').length).toBeGreaterThan(1), 30_000);
  await gone(ran('follow')[0]!.pid);
  first.kill('SIGTERM');
  await ended(first);
}, 60_000);
