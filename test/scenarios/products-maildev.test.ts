/**
 * MailDev, installed, upgraded and rolled back for real: mail that came in by SMTP is what a release has to hand on to the next one.
 */

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sendMail, subjectsBelow } from '../support/mail.ts';
import { expectRehearsed } from '../support/rehearsed.ts';
import { freePorts } from '../support/sandbox.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { eventually } from '../support/service.ts';
import { change, expectHealthy, pathsBelow, refused, set, touchedDigest } from '../support/steps.ts';

describe.concurrent('maildev', () => {
  it('keeps its mail through upgrade and rollback', async ({ onTestFinished }) => {
    const world = await scenario(['maildev@2.2.1', 'maildev@3.0.0'], onTestFinished);
    const [webPort = 0, smtpPort = 0] = await freePorts(2);
    const secret = join(world.folder, 'password');
    writeFileSync(secret, "it's a password");
    await refused(world, 2, 'usage-setting', 'install', 'maildev', '--set', `webPassword=@file:${secret}`);
    const installed = await change(world, 'install', 'maildev@2.2.1', ...set({ webPort, smtpPort }));
    expect(installed).toMatchObject({ command: 'install', outcome: 'installed', changed: true });
    expect(installed.instance.urls).toEqual({ web: `http://127.0.0.1:${webPort}`, smtp: `127.0.0.1:${smtpPort}` });
    await answersAsOld(world, webPort);
    await sendMail(smtpPort, 'one');
    await serves(world, webPort, '/email', 'one');

    const upgraded = await change(world, 'upgrade', 'maildev');
    expectRehearsed(upgraded);
    expect(upgraded).toMatchObject({ outcome: 'upgraded', instance: { version: '3.0.0', previous: '2.2.1' } });
    expect(upgraded.warnings.map(({ id }: { id: string }) => id)).toContain('release-note');
    expect(upgraded.downtimeSeconds).toBeGreaterThan(0);
    await answersAsNew(world, webPort);
    expect(await subjects(world, webPort, '/api/email')).toEqual(['one']);
    await sendMail(smtpPort, 'two');
    await serves(world, webPort, '/api/email', 'one', 'two');

    const back = await change(world, 'rollback', 'maildev', '--data', 'now');
    expect(back).toMatchObject({ outcome: 'rolled-back', instance: { version: '2.2.1', previous: '3.0.0' } });
    expect(back.warnings.map(({ id }: { id: string }) => id)).toContain('data-of-now');
    await answersAsOld(world, webPort);
    expect(await subjects(world, webPort, '/email')).toEqual(['one', 'two']);

    await change(world, 'upgrade', 'maildev', '--to', '3.0.0');
    await sendMail(smtpPort, 'three');
    await serves(world, webPort, '/api/email', 'one', 'three', 'two');
    const then = await change(world, 'rollback', 'maildev', '--data', 'then');
    expect(then.warnings.map(({ id }: { id: string }) => id)).toContain('data-of-then');
    await answersAsOld(world, webPort);
    expect(await subjects(world, webPort, '/email')).toEqual(['one', 'two']);
    const kept = world.path('instances/maildev/backups');
    expect(subjectsBelow(kept), 'what the data of then does not have is kept').toContain('three');
  });

  it('stands side by side, is changed and removed without touching the other', async ({ onTestFinished }) => {
    const world = await scenario(['maildev@3.0.0'], onTestFinished, { prunes: true });
    const [webPort = 0, smtpPort = 0, otherWeb = 0, otherSmtp = 0, movedWeb = 0] = await freePorts(5);
    const install = ['install', 'maildev@3.0.0', ...set({ webPort, smtpPort })];
    await change(world, ...install);
    await change(
      world,
      'install',
      'maildev@3.0.0',
      '--name',
      'second',
      ...set({ webPort: otherWeb, smtpPort: otherSmtp }),
    );
    expect(readdirSync(world.path('releases/maildev')), 'one release for both').toHaveLength(1);
    expect(await webPassword(world, 'second')).not.toBe(await webPassword(world));
    await sendMail(smtpPort, 'mine');
    await serves(world, webPort, '/api/email', 'mine');
    expect(await subjects(world, otherWeb, '/api/email', 'second')).toEqual([]);

    await unchangedByAnotherInstall(world, install);
    const other = await refused(world, 2, 'usage-exists', ...install.slice(0, 2), ...set({ webPort: movedWeb }));
    expect(other.error.advice).toContain('assent reinstall maildev');
    await refused(world, 3, 'refused-port', 'reinstall', 'maildev', ...set({ webPort: otherWeb }));

    const moved = await change(world, 'reinstall', 'maildev', ...set({ webPort: movedWeb }));
    expect(moved).toMatchObject({ outcome: 'reinstalled', instance: { version: '3.0.0', health: 'healthy' } });
    expect(
      moved.warnings.map(({ id }: { id: string }) => id),
      'whoever has it has read it',
    ).not.toContain('release-note');
    await answersAsNew(world, movedWeb);
    await expect(fetch(`http://127.0.0.1:${webPort}/`), 'the old port is free again').rejects.toThrow();
    expect(await subjects(world, movedWeb, '/api/email')).toEqual(['mine']);

    await uninstallKeepsWhatIsTheirs(world);
    await change(world, 'install', 'maildev@3.0.0');
    expect(await subjects(world, movedWeb, '/api/email'), 'with the settings and the mail of before').toEqual(['mine']);

    await refused(world, 3, 'refused-danger', 'uninstall', 'maildev', '--purge');
    await answersAsNew(world, movedWeb);
    const purged = await change(world, 'uninstall', 'maildev', '--purge', '--ack', 'purge-data');
    expect(purged).toMatchObject({ outcome: 'uninstalled', changed: true });
    expect(pathsBelow(world.path('instances')).filter((path) => !path.startsWith('second'))).toEqual([]);
    await expectHealthy(world, 'second', '3.0.0');
    await answersAsNew(world, otherWeb, 'second');

    await change(world, 'uninstall', 'second');
    expect(pathsBelow(world.path('releases')), 'a release that nobody needs any more').toEqual(['maildev']);
  });
});

/** A mail is served a moment after it was accepted. */
const serves = (world: Scenario, port: number, path: string, ...mails: string[]): Promise<void> =>
  eventually(async () => expect(await subjects(world, port, path)).toEqual(mails));

/** The same again changes nothing at all: not a file, not a second, not the server. */
const unchangedByAnotherInstall = async (world: Scenario, install: readonly string[]): Promise<void> => {
  const folder = world.path('instances/maildev');
  const before = touchedDigest(folder, ['logs']);
  const again = await change(world, ...install);
  expect(again).toMatchObject({ outcome: 'unchanged', changed: false, instance: { generation: 1 } });
  expect(touchedDigest(folder, ['logs'])).toBe(before);
};

/** What an uninstall leaves: what is theirs, and what the next install and an auditor need. */
const promised = [
  ...['backups', 'config', 'config.base', 'consent.json', 'consent.log', 'consent.users'],
  ...['data', 'instance.json', 'journal', 'notices', 'secrets'],
];

const uninstallKeepsWhatIsTheirs = async (world: Scenario): Promise<void> => {
  const folder = world.path('instances/maildev');
  const kept = ['config', 'consent.json', 'data', 'secrets'] as const;
  const before = kept.map((part) => readdirIfFolder(join(folder, part)));
  const password = await webPassword(world);
  expect(await change(world, 'uninstall', 'maildev')).toMatchObject({ outcome: 'uninstalled', changed: true });
  expect(kept.map((part) => readdirIfFolder(join(folder, part)))).toEqual(before);
  expect(await webPassword(world)).toBe(password);
  expect(subjectsBelow(join(folder, 'data'))).toEqual(['mine']);
  expect(readdirSync(folder).sort(), 'and nothing but what was promised').toEqual(promised);
  expect(readdirSync(world.path('releases/maildev')), 'the other instance needs it').toHaveLength(1);
  expect((await world.json(['status', 'maildev'])).exit, 'it is no instance any more').toBe(10);
};

const readdirIfFolder = (path: string): string[] => (statSync(path).isDirectory() ? pathsBelow(path) : [path]);

const webPassword = async (world: Scenario, name = 'maildev'): Promise<string> => {
  const file = world.path('instances', name, 'secrets/webPassword');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  return readFileSync(file, 'utf8').trim();
};

const ask = async (port: number, path: string, login?: string): Promise<Response> => {
  const authorization = login === undefined ? {} : { authorization: `Basic ${btoa(login)}` };
  return fetch(`http://127.0.0.1:${port}${path}`, { headers: { accept: 'application/json', ...authorization } });
};

const loginOf = async (world: Scenario, name?: string): Promise<string> => `admin:${await webPassword(world, name)}`;

/** Subjects of the mails that the API serves to the admin, sorted. */
const subjects = async (world: Scenario, port: number, path: string, name?: string): Promise<string[]> => {
  const answer = await ask(port, path, await loginOf(world, name));
  expect(answer.status).toBe(200);
  const mails = (await answer.json()) as { subject: string }[] | { items: { subject: string }[] };
  return (Array.isArray(mails) ? mails : mails.items).map(({ subject }) => subject).sort();
};

const answersAsOld = async (world: Scenario, port: number): Promise<void> => {
  const login = await loginOf(world);
  await expectHealthy(world, 'maildev', '2.2.1');
  expect(await statuses(port, login, ['/', '/healthz', '/email', '/config'])).toEqual([200, 200, 200, 200]);
  expect((await ask(port, '/api/email', login)).status).toBe(404);
  await refusesStrangers(port, '/email');
};

const answersAsNew = async (world: Scenario, port: number, name = 'maildev'): Promise<void> => {
  const login = await loginOf(world, name);
  await expectHealthy(world, name, '3.0.0');
  expect(await statuses(port, login, ['/api/healthz', '/api/email', '/api/config'])).toEqual([200, 200, 200]);
  expect(await statuses(port, login, ['/', '/email', '/healthz'])).toEqual([404, 404, 404]);
  await refusesStrangers(port, '/api/email');
};

const statuses = async (port: number, login: string, paths: readonly string[]): Promise<number[]> =>
  Promise.all(paths.map(async (path) => (await ask(port, path, login)).status));

/** Nobody comes in without the password that was made for this instance. */
const refusesStrangers = async (port: number, path: string): Promise<void> => {
  expect((await ask(port, path)).status).toBe(401);
  for (const guess of ['admin:admin', 'admin:', 'admin:password', 'admin:maildev'])
    expect((await ask(port, path, guess)).status, guess).toBe(401);
};
