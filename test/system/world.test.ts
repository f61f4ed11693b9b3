import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findUser, findUserById } from '../../src/system/users.ts';
import { realWorld } from '../../src/system/world.ts';
import { asRoot, isRoot } from '../support/sandbox.ts';

const worldModule = new URL('../../src/system/world.ts', import.meta.url).href;

/** The world as a process of its own finds it. */
const worldOf = (expression: string, options: Parameters<typeof spawnSync>[2] = {}): unknown => {
  const code = `const { realWorld } = await import(${JSON.stringify(worldModule)}); const world = realWorld(); console.log(JSON.stringify(${expression}));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    ...options,
  });
  expect(stderr).toBe('');
  return JSON.parse(String(stdout));
};

describe('realWorld', () => {
  test('is this process on this machine', () => {
    const world = realWorld();
    expect(world).toMatchObject({ pid: process.pid, cwd: process.cwd(), platform: 'linux', arch: process.arch });
    expect(world.program).toBe(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
    expect(Math.abs(world.now().getTime() - Date.now())).toBeLessThan(1000);
    expect(world.random(16)).toHaveLength(16);
    expect(world.random(16)).not.toEqual(world.random(16));
    expect(world.user).toEqual({
      uid: process.getuid?.(),
      gid: process.getgid?.(),
      name: expect.any(String),
      login: expect.any(String),
    });
    const report = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
    expect(world.libc).toBe(report.header.glibcVersionRuntime ? 'glibc' : 'other');
  });

  test('the machine goes by a digest of its id, the same every time', () => {
    const { machineId } = realWorld();
    expect(machineId).toMatch(/^[0-9a-f]{64}$/);
    expect(realWorld().machineId).toBe(machineId);
    const id = existsSync('/etc/machine-id') ? readFileSync('/etc/machine-id', 'utf8').trim() : '';
    if (/^[0-9a-f]{32}$/.test(id)) expect(machineId).toBe(createHash('sha256').update(id).digest('hex'));
    else expect(machineId).not.toBe(createHash('sha256').update(hostname()).digest('hex'));
  });

  test('without a terminal there is none, and 80 by 24 is assumed', () => {
    expect(worldOf('world.terminal')).toEqual({ stdin: false, stdout: false, stderr: false, columns: 80, rows: 24 });
  });

  test('under sudo the login is who typed the command', () => {
    const env = { PATH: process.env.PATH, SUDO_USER: 'jane' };
    expect(worldOf('world.user.login', { env })).toBe(isRoot ? 'jane' : realWorld().user.name);
    expect(worldOf('world.user.login', { env: { ...env, SUDO_USER: 'x\n\u001b[31m' } })).toBe(realWorld().user.name);
  });

  test('a user without a name goes by the number; sudo means nothing to others', ({ skip }) => {
    asRoot(skip);
    const user = worldOf('world.user', { uid: 54321, gid: 54322, cwd: '/', env: { SUDO_USER: 'jane' } });
    expect(user).toEqual({ uid: 54321, gid: 54322, name: '54321', login: '54321' });
  });

  test("the clock is the system's", () => {
    const before = Date.now();
    expect(new Date(worldOf('world.now()') as string).getTime()).toBeGreaterThanOrEqual(before);
  });
});

describe('users', () => {
  test('are found by name and by number', () => {
    expect(findUser('root')).toEqual({ name: 'root', uid: 0, gid: 0, home: '/root' });
    expect(findUserById(0)).toEqual(findUser('root'));
    const nobody = findUser('nobody');
    expect(nobody).toMatchObject({ name: 'nobody', uid: 65534 });
    expect(findUserById(65534)).toEqual(nobody);
  });

  test('a number is no name, and nonsense is nobody', () => {
    for (const name of ['0', 'no-such-user-here', '', '-h', '--help', 'root:x', 'ro ot', 'root\n']) {
      expect(findUser(name), JSON.stringify(name)).toBeUndefined();
    }
    expect(findUserById(987_654)).toBeUndefined();
  });
});
