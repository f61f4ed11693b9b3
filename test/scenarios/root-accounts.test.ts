/**
 * As root: which system user a first installation gets. Skipped, with the reason printed, where the tests do not run as root.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findFreeId } from '../../src/system/users.ts';
import { commandWords, pausing, untilStopped } from '../faults/paused.ts';
import { findAccount, forgetAccount, makeRootStage, type RootStage, skipped } from '../support/as-root.ts';
import { freePorts } from '../support/sandbox.ts';
import type { Document, Run } from '../support/scenario.ts';
import { set } from '../support/steps.ts';

let stage: RootStage;
beforeAll(async () => {
  if (!skipped) stage = await makeRootStage('n');
});
afterAll(async () => {
  if (skipped) return;
  await stage.world.run(['uninstall', `${stage.name}b`, '--purge', '--ack', 'purge-data', '--yes']);
  await stage.close();
  forgetAccount(`${stage.userName}b`);
});

/** Of an installation under that name, which changes nothing. */
const planFor = (name: string, ...more: string[]): Promise<Run & { readonly document: Document }> => {
  const { product, ports, world } = stage;
  const words = ['install', `${product}@2.2.1`, '--name', name, '--supervisor', 'process', ...set(ports)];
  return world.json([...words, '--yes', '--dry-run', ...more]);
};

const userIn = (document: Document): string | undefined =>
  /make the system user ([a-z0-9_-]+)/.exec(JSON.stringify(document.plan))?.[1];

describe.skipIf(skipped)('a first installation of root', () => {
  it('has a system user of its own, however long its name is', async () => {
    const users = [];
    for (const end of ['one', 'two']) {
      const name = `${stage.name}${'-long'.repeat(5)}-`.slice(0, 26) + end;
      const { exit, document } = await planFor(name);
      expect(exit).toBe(0);
      users.push(userIn(document));
    }
    expect(users[0]).not.toBe(users[1]);
    for (const user of users) expect(user).toMatch(/^assent-.{15}_[0-9a-f]{8}$/);
  });

  it('is refused in a home that this user may not enter, which stays closed', async () => {
    const { home } = stage.world;
    chmodSync(home, 0o700);
    const closed = await planFor(stage.name);
    expect(closed).toMatchObject({ exit: 3, document: { error: { code: 'refused-check' } } });
    expect(closed.document.error.message).toContain(`${home} is closed to ${stage.userName}`);
    const inside = await planFor(stage.name, '--home', join(home, 'not', 'there'));
    expect(inside.document.error?.message).toContain(`${home} is closed to ${stage.userName}`);
    expect(lstatSync(home).mode & 0o7777).toBe(0o700);
    expect(/chmod o\+x \S+/.exec(closed.document.error.advice)?.[0]).toBe(`chmod o+x ${home}.`);
    chmodSync(home, 0o701);
    expect(await planFor(stage.name)).toMatchObject({ exit: 0 });
  });

  it('keeps the number that was chosen from before anything is prepared for it', async () => {
    const { world, name, userName, install, place, healthy } = stage;
    const first = await pausedAt('config.next', install());
    const number = claimed();
    const { exit, document } = await world.json(await installBeside());
    expect({ exit, error: document.error }).toMatchObject({ exit: 3, error: { code: 'refused-changed-meanwhile' } });
    expect(document.error.message).toContain(`The number ${number} was chosen`);
    expect(existsSync(world.path('instances', `${name}b`))).toBe(false);
    expect(await first.end()).toMatchObject({ exit: 0 });
    await healthy('2.2.1');
    expect(findAccount(userName)?.uid).toBe(number);
    expect(lstatSync(place('data')).uid).toBe(number);
  });

  it('is refused, with nothing prepared, where somebody else has got that number since', async () => {
    const { world, name } = stage;
    const other = `assent-t${process.pid}`;
    onTestFinished(() => forgetAccount(other));
    const install = await pausedAt('account.lock', await installBeside());
    const number = findFreeId([]);
    expect(spawnSync('groupadd', ['--system', '--gid', String(number), other]).status).toBe(0);
    const { exit, stdout } = await install.end();
    expect({ exit, ...JSON.parse(stdout) }).toMatchObject({ exit: 3, error: { code: 'refused-changed-meanwhile' } });
    expect(stdout).toContain(`The number ${number} was chosen`);
    expect(existsSync(world.path('instances', `${name}b`))).toBe(false);
  });
});

const installBeside = async (): Promise<string[]> => {
  const [webPort = 0, smtpPort = 0] = await freePorts(2);
  const words = ['install', `${stage.product}@2.2.1`, '--name', `${stage.name}b`, '--supervisor', 'process'];
  return [...words, ...set({ webPort, smtpPort }), '--yes'];
};

/** The number that somebody has claimed and whose user is not there yet. */
const claimed = (): number => {
  const [number] = readdirSync(stage.world.path('locks')).flatMap(
    (file) => /^(\d+)\.account\.lock$/.exec(file)?.[1] ?? [],
  );
  return Number(number);
};

/** The command itself, stopped before it first opens a file with that in its path. */
const pausedAt = async (opening: string, args: readonly string[]): Promise<{ end: () => Promise<Run> }> => {
  const { world } = stage;
  const [node = '', ...words] = commandWords([...args, '--json']);
  const child = spawn(node, words, {
    cwd: world.folder,
    env: { ...world.env, ...pausing({ opening }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  await untilStopped(child.pid ?? 0);
  const end = async (): Promise<Run> => {
    child.kill('SIGCONT');
    const [exit, signal] = await ended;
    return { exit, signal, stdout, stderr };
  };
  onTestFinished(() => void child.kill('SIGKILL'));
  return { end };
};
