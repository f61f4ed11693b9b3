import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, linkSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  identify,
  isAlive,
  minimalEnvironment,
  type RunOptions,
  run,
  runSync,
  signalProcess,
  sleep,
  startDetached,
  waitGone,
} from '../../src/system/processes.ts';
import { asRoot, sandbox } from '../support/sandbox.ts';

const sleeper = () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, identity: identify(child.pid!)! };
};

const quiet = (folder: string) => ({
  cwd: folder,
  env: { ...minimalEnvironment },
  stdout: join(folder, 'out.log'),
  stderr: join(folder, 'err.log'),
});

const until = async (isSo: () => boolean) => {
  for (let i = 0; i < 1000 && !isSo(); i++) await sleep(10);
};

describe('identities', () => {
  test('a process is told by pid, start and boot', async () => {
    const { child, identity } = sleeper();
    expect(identity).toEqual({
      pid: child.pid,
      startTime: expect.stringMatching(/^\d+$/),
      bootId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(isAlive(identity)).toBe(true);
    expect(isAlive({ ...identity, startTime: '1' })).toBe(false);
    expect(isAlive({ ...identity, bootId: 'before' })).toBe(false);
    expect(signalProcess({ ...identity, startTime: '1' }, 'SIGKILL')).toBe(false);
    expect(isAlive(identity)).toBe(true);
    expect(signalProcess(identity, 'SIGKILL')).toBe(true);
    expect(await waitGone(identity, 20_000)).toBe(true);
    expect(signalProcess(identity, 'SIGKILL')).toBe(false);
  });

  test('agrees with ps about when it began', () => {
    const { identity } = sleeper();
    const ticks = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout);
    const { stdout } = spawnSync('ps', ['-o', 'etimes=', '-p', String(identity.pid)], { encoding: 'utf8' });
    const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    expect(Math.abs(uptime - Number(identity.startTime) / ticks - Number(stdout))).toBeLessThan(10);
  });

  test('a name with spaces and parentheses does not confuse it', async () => {
    const folder = sandbox();
    const program = join(folder, 'a) S 1 (b');
    writeFileSync(program, '#!/bin/sh\nsleep 60 & wait\n');
    chmodSync(program, 0o755);
    const identity = startDetached([program], quiet(folder));
    onTestFinished(() => void signalProcess(identity, 'SIGKILL', { group: true }));
    await until(() => readFileSync(`/proc/${identity.pid}/comm`, 'utf8').trim() === 'a) S 1 (b');
    expect(identify(identity.pid)).toEqual(identity);
  });

  test('a zombie is gone', async () => {
    // The shell turns into a program that never asks for its child: what is left of that is a zombie.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (data) => resolve(Number(data))));
    await until(() => /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
    expect(readFileSync(`/proc/${pid}/stat`, 'utf8')).toMatch(/\) Z /);
    expect(identify(pid)).toBeUndefined();
  });

  test('nobody has a number that is none', () => {
    for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 31]) expect(identify(pid)).toBeUndefined();
  });

  test('waiting ends when the time is over', async () => {
    const { identity } = sleeper();
    expect(await waitGone(identity, 60)).toBe(false);
  });
});

describe('startDetached', () => {
  test('leads its own session, in the given folder, with exactly the given environment', async () => {
    const folder = sandbox();
    const identity = startDetached(['sh', '-c', 'env; pwd; echo problem >&2; exec sleep 60'], {
      ...quiet(folder),
      env: { PATH: '/usr/bin:/bin', ONLY: 'this' },
    });
    onTestFinished(() => void signalProcess(identity, 'SIGKILL', { group: true }));
    await until(() => readFileSync(join(folder, 'err.log'), 'utf8') !== '');
    const [, group, session] = /\) \S \d+ (\d+) (\d+)/.exec(readFileSync(`/proc/${identity.pid}/stat`, 'latin1')) ?? [];
    expect([group, session]).toEqual([String(identity.pid), String(identity.pid)]);
    expect(readFileSync(join(folder, 'out.log'), 'utf8').trim().split('\n').sort()).toEqual(
      [folder, 'ONLY=this', 'PATH=/usr/bin:/bin', `PWD=${folder}`].sort(),
    );
    expect(readFileSync(join(folder, 'err.log'), 'utf8')).toBe('problem\n');
    expect(statSync(join(folder, 'out.log')).mode & 0o7777).toBe(0o640);
  });

  test('outlives the one that started it, and appends to its log', async () => {
    const folder = sandbox();
    writeFileSync(join(folder, 'out.log'), 'before\n', { mode: 0o640 });
    const module = new URL('../../src/system/processes.ts', import.meta.url).href;
    const code = `const { startDetached } = await import(${JSON.stringify(module)}); console.log(JSON.stringify(startDetached(['sh', '-c', 'echo after; exec sleep 60'], ${JSON.stringify(quiet(folder))})));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    const identity = JSON.parse(stdout);
    onTestFinished(() => void signalProcess(identity, 'SIGKILL'));
    expect(isAlive(identity)).toBe(true);
    await until(() => readFileSync(join(folder, 'out.log'), 'utf8').includes('after'));
    expect(readFileSync(join(folder, 'out.log'), 'utf8')).toBe('before\nafter\n');
  });

  test('what is not there is an error at once; what dies at once still has an identity', async () => {
    const folder = sandbox();
    expect(() => startDetached([join(folder, 'nothing')], quiet(folder))).toThrow(/Could not start/);
    const identity = startDetached(['true'], quiet(folder));
    expect(await waitGone(identity, 20_000)).toBe(true);
  });

  test('its output goes through no link and into no file with another name', () => {
    const folder = sandbox();
    writeFileSync(join(folder, 'victim'), '');
    symlinkSync('victim', join(folder, 'link'));
    linkSync(join(folder, 'victim'), join(folder, 'second'));
    for (const name of ['link', 'second']) {
      expect(() => startDetached(['echo', 'x'], { ...quiet(folder), stdout: join(folder, name) }), name).toThrow(
        /ELOOP|one name/,
      );
    }
    expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('');
  });

  test('runs as another user, without our groups; the log is his', async ({ skip }) => {
    asRoot(skip);
    const folder = sandbox();
    const owner = { uid: 65534, gid: 65534 };
    const identity = startDetached(['sh', '-c', 'id -u; id -G; exec sleep 60'], { ...quiet(folder), cwd: '/', owner });
    onTestFinished(() => void signalProcess(identity, 'SIGKILL'));
    await until(() => readFileSync(join(folder, 'out.log'), 'utf8').split('\n').length > 2);
    expect(readFileSync(join(folder, 'out.log'), 'utf8')).toBe('65534\n65534\n');
    expect(statSync(join(folder, 'out.log')).uid).toBe(65534);
  });
});

// Both ways of running a command keep the same promises.
const ways: [string, (command: string[], options?: RunOptions) => ReturnType<typeof run>][] = [
  ['run', run],
  ['runSync', async (command, options) => runSync(command, options)],
];

describe.each(ways)('%s', (_name, runIt) => {
  test('gives back code and both outputs', async () => {
    const result = await runIt(['sh', '-c', 'echo out; echo err >&2; exit 3']);
    expect(result).toEqual({
      code: 3,
      signal: null,
      stdout: 'out\n',
      stderr: 'err\n',
      timedOut: false,
      truncated: false,
    });
  });

  test('takes arguments as they are: nothing is a shell', async () => {
    expect((await runIt(['printf', '%s|', '$HOME', '`id`', 'a b', ''])).stdout).toBe('$HOME|`id`|a b||');
  });

  test('has exactly the given environment, else a minimal one', async () => {
    const lines = async (options?: RunOptions) =>
      (await runIt(['/usr/bin/env'], options)).stdout.trim().split('\n').sort();
    expect(await lines({ env: { A: '1' } })).toEqual(['A=1']);
    expect(await lines()).toEqual(['LANG=C.UTF-8', `PATH=${minimalEnvironment.PATH}`]);
  });

  test('hands over input and folder; without input there is none to wait for', async () => {
    const folder = sandbox();
    expect((await runIt(['sh', '-c', 'pwd; cat'], { cwd: folder, input: 'typed' })).stdout).toBe(`${folder}\ntyped`);
    expect((await runIt(['cat'])).stdout).toBe('');
  });

  test('what a signal ended has no code', async () => {
    expect(await runIt(['sh', '-c', 'kill -TERM $$'])).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  test('a command that is missing or no program is an error with its code', async () => {
    const folder = sandbox();
    writeFileSync(join(folder, 'text'), 'x');
    await expect(runIt([join(folder, 'nothing')])).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(runIt([join(folder, 'text')])).rejects.toMatchObject({ code: 'EACCES' });
    await expect(runIt(['true'], { cwd: join(folder, 'nothing') })).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('ends at the timeout', async () => {
    const result = await runIt(['sleep', 'infinity'], { timeoutMs: 100 });
    expect(result).toMatchObject({ code: null, timedOut: true });
  });

  test('ends what says too much', async () => {
    const result = await runIt(['yes'], { maxBytes: 10_000 });
    expect(result.truncated).toBe(true);
    expect(result.timedOut).toBe(false);
    expect(result.stdout.length).toBeLessThan(200_000);
  });

  test('runs as another user', async ({ skip }) => {
    asRoot(skip);
    expect((await runIt(['sh', '-c', 'id -u; id -G'], { owner: { uid: 65534, gid: 65534 } })).stdout).toBe(
      '65534\n65534\n',
    );
  });
});

describe('run', () => {
  test('at the timeout all that it started ends with it, even what ignores the first signal', async () => {
    const folder = sandbox();
    const script = `trap '' TERM; sh -c 'trap "" TERM; echo $$ > ${join(folder, 'pid')}; while :; do sleep 0.1; done' & wait; while :; do sleep 0.1; done`;
    const result = await run(['sh', '-c', script], { timeoutMs: 2000 });
    expect(result).toMatchObject({ timedOut: true, signal: 'SIGKILL' });
    const inner = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    await until(() => identify(inner) === undefined);
    expect(identify(inner)).toBeUndefined();
  });
});
