/**
 * What runs in a rehearsal, and what is left of it: the new release as its own account, on a copy made as the manifest says, with nothing of telemetry, whoever
 * said yes to what; nothing behind a signal or a kill; and where there is none, the plan says so and the change goes on.
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { identify } from '../../src/system/processes.ts';
import { subjectsBelow } from '../support/mail.ts';
import { mountTmpfs } from '../support/mounts.ts';
import { looksOf } from '../support/oracle.ts';
import { programCopy } from '../support/program-copy.ts';
import {
  cantRehearse,
  documentOf,
  expectNothingLeft,
  mailServer,
  rehearsing,
  versionOf,
  wordsOf,
  yesTo,
} from '../support/rehearsed.ts';
import { type Document, readJson } from '../support/scenario.ts';
import { nobody } from '../support/seed.ts';
import { change } from '../support/steps.ts';

describe.skipIf(cantRehearse())('in a rehearsal', () => {
  it.each([
    ['an ordinary user', false],
    ['root', true],
  ])('runs the new release as its own account, and nothing of telemetry, for %s', async (_, asRoot) => {
    const mail = await mailServer({ asRoot, consent: 'on' });
    const { world, name } = mail;
    const upgrade = documentOf(world.start(['upgrade', name, '--yes', '--json', ...(await yesTo(mail, '3.0.0'))]));
    const pid = await rehearsing(mail);
    const owner = asRoot ? Number(readJson(world.path('instances', name, 'instance.json')).account.uid) : nobody?.uid;
    expect(statSync(`/proc/${pid}`).uid).toBe(owner);
    const environment = wordsOf(pid, 'environ');
    expect(environment).toContain('DO_NOT_TRACK=1');
    expect(environment).toContain(`HOME=${world.path('instances', name, 'data')}`);
    expect(wordsOf(pid, 'cmdline').filter((word) => /^--import|count-preload/.test(word))).toEqual([]);
    const copy = world.path('scratch', name, 'instance');
    expect(subjectsBelow(join(copy, 'data')), 'what the command has copied').toEqual(['one']);
    expect(readdirSync(copy).sort()).toEqual(
      ['config', 'current', 'data', 'instance.json', 'journal', 'logs', 'run', 'secrets'].sort(),
    );
    expect(await versionOf(mail), 'the old server answers').toBe('2.2.1');

    const document = await upgrade;
    expect(document).toMatchObject({ outcome: 'upgraded', consent: { collecting: true } });
    expect(document.plan.map(({ id }: Document) => id)).toContain('rehearse');
    expect(document.warnings.map(({ id }: Document) => id)).toEqual(['release-note']);
    expect(await versionOf(mail)).toBe('3.0.0');
    expectNothingLeft(world, name);
  });

  it('leaves nothing behind a signal, and what a kill leaves goes with the next change', async () => {
    const mail = await mailServer({ asRoot: false, consent: 'on' });
    const { world, name } = mail;
    const looks = () => looksOf(world, name, () => versionOf(mail));
    const before = await looks();
    const stopped = world.start(['upgrade', name, '--yes', '--json', '--telemetry=on']);
    const stoppedEnd = documentOf(stopped);
    const first = await rehearsing(mail);
    stopped.kill('SIGINT');
    expect(await stoppedEnd).toMatchObject({ ok: false, error: { code: 'cancelled', exit: 130 } });
    expect(identify(first), 'it has ended with the command').toBeUndefined();
    expectNothingLeft(world, name);
    expect(await looks()).toEqual(before);
    expect((await world.json(['telemetry', 'status', name])).document.consent, 'a yes stands').toMatchObject({
      collecting: true,
    });

    const killed = world.start(['upgrade', name, '--yes', '--json', '--telemetry=off']);
    const second = await rehearsing(mail);
    killed.kill('SIGKILL');
    await expect.poll(() => existsSync(`/proc/${second}`)).toBe(false);
    expect(existsSync(world.path('scratch', name))).toBe(true);
    expect(await versionOf(mail), 'the old server answers').toBe('2.2.1');
    await change(world, 'upgrade', name, '--no-rehearsal');
    expectNothingLeft(world, name);
  });

  it('is in the plan only where it is made, and a plan without it says why', async ({ skip }) => {
    const mail = await mailServer({ asRoot: false, consent: 'off' });
    const { world, name } = mail;
    const planned = async (...args: string[]) => {
      const { plan, warnings } = await change(world, ...args, '--dry-run');
      const has = (list: Document[], id: string): boolean => list.some((one) => one.id === id);
      return { step: has(plan, 'rehearse'), warned: has(warnings, 'no-rehearsal') };
    };
    expect(await planned('upgrade', name)).toEqual({ step: true, warned: false });
    expect(await planned('upgrade', name, '--no-rehearsal')).toEqual({ step: false, warned: false });
    expect(await planned('reinstall', name)).toEqual({ step: false, warned: false });
    expect(await planned('reinstall', name, '--set', 'webUser=anna')).toEqual({ step: true, warned: false });

    mkdirSync(world.path('scratch'));
    mountTmpfs(skip, world.path('scratch'), 'size=4k,mode=0755');
    const { warnings: tight } = await change(world, 'upgrade', name, '--dry-run');
    expect(tight).toContainEqual(
      expect.objectContaining({ id: 'no-rehearsal', message: expect.stringContaining('no room') }),
    );
    spawnSync('umount', [world.path('scratch')]);
    rmdirSync(world.path('scratch'));

    const off = 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"';
    const without = spawnSync(
      'unshare',
      [
        ...['--user', '--map-user=65534', '--map-group=65534', '--keep-caps', '/bin/sh', '-c', off, '-'],
        ...[join(programCopy(), 'bin/assent'), 'upgrade', name, '--dry-run', '--json', '--telemetry=off', '--yes'],
      ],
      { ...nobody, env: world.env, encoding: 'utf8' },
    );
    const { plan, warnings } = JSON.parse(without.stdout) as Document;
    expect(plan.map(({ id }: Document) => id)).not.toContain('rehearse');
    expect(warnings).toContainEqual(
      expect.objectContaining({ id: 'no-rehearsal', message: expect.stringContaining("can't be made here") }),
    );

    expect((await world.json(['stop', name])).exit).toBe(0);
    expect(await planned('upgrade', name), 'without a server that answers').toEqual({ step: false, warned: false });
    await world.json(['start', name]);

    // Somebody else tries something on a copy: a rehearsal that can't be made fails no change.
    const lock = world.path('locks', `${name}.scratch.lock`);
    const holder = spawn('/bin/sh', ['-c', 'umask 077; exec flock -x "$0" sleep 600', lock], { ...nobody });
    onTestFinished(() => void holder.kill('SIGKILL'));
    await expect.poll(() => existsSync(lock)).toBe(true);
    const upgraded = await change(world, 'upgrade', name);
    expect(upgraded).toMatchObject({ outcome: 'upgraded' });
    expect(upgraded.warnings).toContainEqual(
      expect.objectContaining({ id: 'no-rehearsal', message: expect.stringContaining('Another run') }),
    );
    expect(await versionOf(mail)).toBe('3.0.0');
  });
});
