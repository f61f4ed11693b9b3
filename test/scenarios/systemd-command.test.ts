/**
 * The real command under a real systemd: MailDev as root in system units (installed, upgraded, rolled back, removed), Node-RED with a
 * telemetry of its own, a user's own units, and a container's foreground run as process 1.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, bootBox, whyNoBox } from '../support/nspawn.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { repository, seedStore } from '../support/seed.ts';
import { eventually } from '../support/service.ts';

const why = whyNoBox();
if (why !== undefined) console.log(`skipped: the command under a real systemd, for ${why}`);

let box: Box;
let folder: string;
let web: number;
let smtp: number;
let editor: number;

beforeAll(async () => {
  if (why !== undefined) return;
  const store = await seedStore(['maildev@2.2.1', 'maildev@3.0.0', 'node-red@5.0.7']);
  folder = makeSandbox();
  for (const [home, uid] of [
    ['root', 0],
    ['alice', 1000],
  ] as const) {
    mkdirSync(join(folder, home));
    copyStore(store, join(folder, home));
    spawnSync('chown', ['-R', '-h', `${uid}:${uid}`, join(folder, home)]);
  }
  [web, smtp, editor] = (await freePorts(3)) as [number, number, number];
  box = await bootBox([
    { from: join(folder, 'root'), to: '/var/lib/assent' },
    { from: join(folder, 'alice'), to: '/home/alice/assent' },
  ]);
});

afterAll(async () => {
  await box?.stop();
  if (folder !== undefined) removeSandbox(folder);
});

/** Only the newest of each release: what a home does not need is pruned at its first change, which takes its time. */
const copyStore = (store: string, home: string): void => {
  for (const [product, version] of [
    ['maildev', '2.2.1'],
    ['maildev', '3.0.0'],
    ['node-red', '5.0.7'],
  ] as const) {
    const from = join(store, 'releases', product);
    const made = readdirSync(from).filter((name) => name.startsWith(`${version}-`));
    const newest = made.sort((a, b) => statSync(join(from, b)).mtimeMs - statSync(join(from, a)).mtimeMs)[0];
    copy(join(from, newest as string), join(home, 'releases', product));
  }
  copy(join(store, 'runtimes/node-24.21.0'), join(home, 'runtimes'));
  copy(join(store, 'cache'), home);
};

const copy = (from: string, into: string): void => {
  mkdirSync(into, { recursive: true });
  expect(spawnSync('cp', ['-a', from, into]).status).toBe(0);
};

interface Answer {
  exit: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at any key of the document
  document: any;
}

const assent = (words: string, uid = 0): Answer => {
  const { code, stdout, stderr } = box.run([join(repository, 'bin/assent'), ...words.split(' '), '--json'], { uid });
  expect(stdout, stderr).not.toBe('');
  const document = JSON.parse(stdout);
  if (code !== 0) console.log(words, JSON.stringify(document.error), stderr.slice(-500));
  return { exit: code, document };
};

const property = (unit: string, name: string): string =>
  box.run(['systemctl', 'show', '--value', `--property=${name}`, unit]).stdout.trim();

const change = '--yes --telemetry=off';

describe.skipIf(why !== undefined)('as root', () => {
  test('MailDev: installed, upgraded, rolled back and removed in a hardened system unit', async () => {
    const installed = assent(`install maildev@2.2.1 ${change} --set webPort=${web} --set smtpPort=${smtp}`);
    expect(installed, JSON.stringify(installed)).toMatchObject({
      exit: 0,
      document: { outcome: 'installed', instance: { supervisor: 'systemd', state: 'running', health: 'healthy' } },
    });
    expect(property('assent-maildev', 'User')).toBe('assent-maildev');
    const first = property('assent-maildev', 'MainPID');
    expect(box.run(['ps', '-o', 'user:32=', '-p', first]).stdout.trim()).toBe('assent-maildev');
    expect(box.run(['systemd-analyze', 'security', '--threshold=15', 'assent-maildev']).code).toBe(0);

    const upgraded = assent(`upgrade ${change}`);
    expect(upgraded, JSON.stringify(upgraded)).toMatchObject({
      exit: 0,
      document: { outcome: 'upgraded', instance: { version: '3.0.0' } },
    });
    expect(property('assent-maildev', 'MainPID')).not.toBe(first);
    expect(box.run([join(repository, 'bin/assent'), 'logs']).stdout).toMatch(/MailDev SMTP Server running/);

    box.kill(Number(property('assent-maildev', 'MainPID')));
    await eventually(() =>
      expect(assent('status maildev').document).toMatchObject({ instance: { state: 'running', health: 'healthy' } }),
    );

    expect(assent(`rollback ${change}`)).toMatchObject({
      exit: 0,
      document: { outcome: 'rolled-back', instance: { version: '2.2.1' } },
    });
    expect(assent('stop')).toMatchObject({ exit: 0 });
    expect(property('assent-maildev', 'ActiveState')).toBe('inactive');
    expect(assent('start')).toMatchObject({ exit: 0, document: { instance: { state: 'running' } } });

    expect(assent(`uninstall ${change} --purge --ack purge-data`)).toMatchObject({
      exit: 0,
      document: { outcome: 'uninstalled' },
    });
    expect(property('assent-maildev', 'LoadState')).toBe('not-found');
    expect(box.run(['ls', '/etc/systemd/system/assent-maildev.service']).code).not.toBe(0);
    expect(box.run(['id', 'assent-maildev']).code).not.toBe(0);
  }, 200_000);

  test('Node-RED: its own telemetry is kept off by the unit before every start', async () => {
    const installed = assent(`install node-red@5.0.7 ${change} --set webPort=${editor}`);
    expect(installed, JSON.stringify(installed)).toMatchObject({
      exit: 0,
      document: { instance: { supervisor: 'systemd', health: 'healthy' } },
    });
    const file = '/var/lib/assent/instances/node-red/data/.config.runtime.json';
    expect(JSON.parse(box.run(['cat', file]).stdout)).toMatchObject({ telemetryEnabled: false });
    // Somebody consents in the editor; the next start takes it back, whoever makes it.
    box.run(['sed', '-i', 's/"telemetryEnabled": *false/"telemetryEnabled":true/', file]);
    expect(box.run(['cat', file]).stdout).toContain('"telemetryEnabled":true');
    expect(box.run(['systemctl', 'restart', 'assent-node-red']).code).toBe(0);
    expect(JSON.parse(box.run(['cat', file]).stdout)).toMatchObject({ telemetryEnabled: false });
    expect(box.run(['stat', '-c', '%U', file]).stdout).toBe('assent-node-red\n');
    expect(assent(`uninstall ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
  }, 200_000);

  test('without a supervisor: as process 1 of a container, without root, until it is told to stop', async () => {
    const installed = assent(
      `install maildev@3.0.0 ${change} --supervisor none --name boxed --set webPort=${web} --set smtpPort=${smtp}`,
    );
    expect(installed, JSON.stringify(installed)).toMatchObject({
      exit: 0,
      document: { instance: { supervisor: 'none', state: 'stopped' } },
    });
    const line = `unshare --pid --fork --mount-proc ${join(repository, 'bin/assent')} run boxed`;
    box.run(['sh', '-c', `(${line}; echo $? >/tmp/exit) >/tmp/out 2>&1 &`]);
    await eventually(
      () => expect(assent('status boxed').document).toMatchObject({ instance: { health: 'healthy' } }),
      20_000,
    );
    expect(box.run(['pgrep', '-u', 'assent-boxed', '-f', 'maildev', '-c']).stdout).toBe('1\n');
    const init = box.run(['pgrep', '-f', '^sh -c.*assent-init']).stdout.trim();
    expect(init).toMatch(/^\d+$/);
    box.run(['kill', '-TERM', init]);
    await eventually(() => expect(box.run(['cat', '/tmp/exit']).stdout).toBe('0\n'));
    expect(assent(`uninstall boxed ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
  }, 120_000);
});

describe.skipIf(why !== undefined)('as a user', () => {
  test('MailDev in units of her own, without root', async () => {
    expect(box.run(['loginctl', 'enable-linger', 'alice']).code).toBe(0);
    await eventually(() => expect(box.run(['ls', '/run/user/1000/systemd/private']).code).toBe(0));
    const home = '--home /home/alice/assent';
    const installed = assent(
      `install maildev@3.0.0 ${change} ${home} --set webPort=${web} --set smtpPort=${smtp}`,
      1000,
    );
    expect(installed, JSON.stringify(installed)).toMatchObject({
      exit: 0,
      document: { instance: { supervisor: 'systemd', health: 'healthy' } },
    });
    expect(installed.document.warnings.map(({ id }: { id: string }) => id)).not.toContain('no-lingering');
    expect(box.run(['cat', '/home/alice/.config/systemd/user/assent-maildev.service']).stdout).toContain(
      'NoNewPrivileges=yes',
    );
    expect(assent(`uninstall ${change} --purge --ack purge-data ${home}`, 1000)).toMatchObject({ exit: 0 });
    expect(box.run(['ls', '/home/alice/.config/systemd/user/assent-maildev.service']).code).not.toBe(0);
  }, 120_000);
});
