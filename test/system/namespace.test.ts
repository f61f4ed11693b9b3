/** Commands in namespaces of their own. Skipped, with the reason printed, where none can be made; never in CI. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Isolation, runIsolated } from '../../src/system/namespace.ts';
import { isRoot, sandbox } from '../support/sandbox.ts';

const rights = isRoot ? [] : ['-r'];
const makesNamespaces = spawnSync('unshare', [...rights, '-m', '-n', '-p', '-f', 'true']).status === 0;
const skipped = !makesNamespaces && !process.env.CI;
if (skipped) process.stderr.write('skipped, namespaces: none can be made here\n');
const aside = test.skipIf(skipped);

const user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

const sh = (script: string, isolation: Partial<Isolation>) =>
  runIsolated(
    ['/bin/sh', '-c', script],
    { user, binds: [], readOnly: [], hide: [], ...isolation },
    { input: '', timeoutMs: 20_000 },
  );

aside('a file is covered although the folder that has it is hidden, as with systemd-resolved', async () => {
  const folder = sandbox();
  const [hidden, over] = [join(folder, 'hidden'), join(folder, 'hidden/deep/resolv.conf')];
  mkdirSync(join(hidden, 'deep'), { recursive: true });
  writeFileSync(over, 'of the machine\n');
  writeFileSync(join(folder, 'ours'), 'ours\n');
  const binds = [{ from: join(folder, 'ours'), over }];
  const { began, stdout, stderr } = await sh(`cat '${over}'; ls '${hidden}'`, { hide: [hidden], binds });
  expect(stderr).toBe('');
  expect({ began, stdout }).toEqual({ began: true, stdout: 'ours\ndeep\n' });
  expect(readFileSync(over, 'utf8')).toBe('of the machine\n');
});

aside('sealed, a command can write what is bound for it and nothing else, and gains no rights', async () => {
  const folder = sandbox();
  const [home, own] = [join(folder, 'home'), join(folder, 'home/own')];
  mkdirSync(own, { recursive: true });
  mkdirSync(join(home, 'copy'));
  const tried = [
    join(home, 'x'),
    `/etc/assent-test-${process.pid}`,
    join(folder, 'x'),
    `/var/tmp/assent-test-${process.pid}`,
    `/dev/shm/assent-test-${process.pid}`,
  ];
  // Where the seal does not hold.
  onTestFinished(() => tried.forEach((path) => void rmSync(path, { force: true })));
  const script = [
    `echo fine >'${own}/written'`,
    ...tried.slice(0, 2).map((path) => `{ true >'${path}'; } 2>/dev/null && echo 'wrote ${path}'`),
    ...tried.slice(2).map((path) => `echo hidden >'${path}'`),
    'grep NoNewPrivs /proc/self/status',
    'ls /run',
  ].join('; ');
  const binds = [{ from: join(home, 'copy'), over: own }];
  const hide = ['/run', '/tmp', '/var/tmp', '/dev/shm'];
  const { began, stdout, stderr } = await sh(script, { binds, hide, readOnly: [home], keep: home, sealed: true });
  expect({ began, stderr }).toEqual({ began: true, stderr: '' });
  expect(stdout).toMatch(/^NoNewPrivs:\t1$/m);
  expect(stdout).not.toContain('wrote');
  expect(stdout, 'no socket of the machine').not.toMatch(/dbus|systemd|lock/);
  expect(readFileSync(join(home, 'copy/written'), 'utf8')).toBe('fine\n');
  expect(tried.filter((path) => existsSync(path))).toEqual([]);
});
