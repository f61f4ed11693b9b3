/**
 * The real command under a real systemd, as root: MailDev in system units, installed, upgraded, rolled back and removed; two homes with one name; a unit
 * file that went; and a container's foreground run as process 1.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { change, commandBox, inBox, settingsFor } from '../support/command-box.ts';
import { receiver } from '../support/receiver.ts';
import { expectNothingOfTelemetry } from '../support/running.ts';
import { freePorts } from '../support/sandbox.ts';
import { repository } from '../support/seed.ts';
import { eventually } from '../support/service.ts';
import { sixVisits } from '../support/visits.ts';

let ports: number[];
/** Words for another home, whose store is empty: nothing is ever installed there. */
let more: string;

const { why, run, kill, assent, property, units, running, here } = commandBox(
  'the command under a real systemd',
  async (folder) => {
    ports = await freePorts(4);
    more = `--home /srv/second --set webPort=${ports[2]} --set smtpPort=${ports[3]}`;
    mkdirSync(join(folder, 'second'));
    const second = { from: join(folder, 'second'), to: '/srv/second' };
    return { releases: ['maildev@2.2.1', 'maildev@3.0.0'], binds: [second] };
  },
);

const settings = (): string => `--set webPort=${ports[0]} --set smtpPort=${ports[1]}`;

describe.skipIf(why !== undefined)('as root', () => {
  test('MailDev: installed, upgraded, rolled back and removed in a hardened system unit; a no leaves nothing', async () => {
    const to = await receiver();
    const installed = assent(`install maildev@2.2.1 ${change} ${settingsFor(ports, to)}`);
    expect(installed, JSON.stringify(installed)).toMatchObject({
      exit: 0,
      document: { outcome: 'installed', instance: { supervisor: 'systemd', state: 'running', health: 'healthy' } },
    });
    expect(property('assent-maildev', 'User')).toBe('assent-maildev');
    const first = property('assent-maildev', 'MainPID');
    expect(run(['ps', '-o', 'user:32=', '-p', first]).stdout.trim()).toBe('assent-maildev');
    expect(run(['systemd-analyze', 'security', '--threshold=15', 'assent-maildev']).code).toBe(0);

    const upgraded = assent(`upgrade ${change}`);
    expect(upgraded, JSON.stringify(upgraded)).toMatchObject({
      exit: 0,
      document: { outcome: 'upgraded', instance: { version: '3.0.0' } },
    });
    expect(property('assent-maildev', 'MainPID')).not.toBe(first);
    expect(run([join(repository, 'bin/assent'), 'logs']).stdout).toMatch(/MailDev SMTP Server running/);

    const password = readFileSync(here('instances/maildev/secrets/webPassword'), 'utf8').trim();
    await sixVisits({ port: ports[0] as number, password });
    expect(units()).toEqual(['assent-maildev.service']);
    expectNothingOfTelemetry(running('assent-maildev'), inBox('maildev'));
    for (const part of ['telemetry', 'reports']) expect(existsSync(here('instances/maildev', part)), part).toBe(false);

    kill(Number(property('assent-maildev', 'MainPID')));
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
    expect(run(['ls', '/etc/systemd/system/assent-maildev.service']).code).not.toBe(0);
    expect(run(['id', 'assent-maildev']).code).not.toBe(0);
    expect(to.connections()).toBe(0);
  });

  test('two homes with an instance of the same name: neither touches what systemd has of the other', () => {
    const unit = 'assent-twice.service';
    const file = `/etc/systemd/system/${unit}`;
    const own = `maildev@3.0.0 --name twice ${change}`;
    expect(assent(`install ${own} ${settings()}`)).toMatchObject({ exit: 0 });
    const pid = property(unit, 'MainPID');
    const text = run(['cat', file]).stdout;
    const untouched = (boots = 'enabled'): void => {
      expect(run(['cat', file, file.replace('.service', '.recover.service')]).stdout).toContain(text);
      expect(run(['cat', file, file.replace('.service', '.recover.service')]).stdout).not.toContain('/srv/second');
      expect(property(unit, 'UnitFileState')).toBe(boots);
    };
    const refused = {
      exit: 3,
      document: { outcome: 'refused', error: { code: 'refused-check', message: expect.stringContaining(file) } },
    };
    expect(assent(`install ${own} ${more}`)).toMatchObject(refused);
    untouched();
    expect(property(unit, 'MainPID')).toBe(pid);
    expect(assent('stop twice')).toMatchObject({ exit: 0 });
    const { document, exit } = assent(`install ${own} ${more}`);
    expect({ document, exit }).toMatchObject(refused);
    expect(document.error.advice).toMatch(
      /--name twice-2.*--supervisor process.*uninstall twice --home \/var\/lib\/assent/,
    );
    untouched('disabled');
    expect(run(['find', '/srv/second/instances', '-mindepth', '2']).stdout).toBe('');
    for (const way of ['--name twice-2', '--name twice --supervisor process'])
      expect(assent(`install maildev@3.0.0 ${way} ${change} --dry-run ${more}`)).toMatchObject({ exit: 0 });

    // As an Assent that did not look has left it: the other home's, with the server of this one.
    expect(assent('start twice')).toMatchObject({ exit: 0 });
    const running = property(unit, 'MainPID');
    const overwrite = (): void => {
      run(['mkdir', '-p', '/srv/second/instances/twice']);
      run(['sed', '-i', 's:/var/lib/assent:/srv/second:g', file, file.replace('.service', '.recover.service')]);
      expect(run(['systemctl', 'daemon-reload']).code).toBe(0);
    };
    overwrite();
    for (const words of ['stop twice', 'restart twice', 'start twice', `reinstall twice ${change}`])
      expect(assent(words), words).toMatchObject({ exit: 3, document: { error: { code: 'refused-check' } } });
    expect(assent('status twice').document.instance.state).toBe('stopped');
    expect(property(unit, 'MainPID')).toBe(running);
    // A home that is gone from there was moved.
    run(['rm', '-r', '/srv/second/instances/twice']);
    expect(assent('restart twice')).toMatchObject({ exit: 0 });
    expect(run(['cat', file]).stdout).toBe(text);
    // Ours can be given up all the same, and leaves the other's as it is.
    overwrite();
    const others = property(unit, 'MainPID');
    expect(assent(`uninstall twice ${change}`)).toMatchObject({ exit: 0, document: { outcome: 'uninstalled' } });
    expect(assent(`uninstall twice ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
    expect(run(['cat', file]).stdout).toBe(text.replaceAll('/var/lib/assent', '/srv/second'));
    expect([property(unit, 'MainPID'), property(unit, 'UnitFileState')]).toEqual([others, 'enabled']);
    run(['systemctl', 'disable', '--now', unit, unit.replace('.service', '.recover.service')]);
    run(['rm', file, file.replace('.service', '.recover.service')]);
    run(['systemctl', 'daemon-reload']);
  });

  test('a server whose unit file somebody has removed is stopped all the same, gets another, and goes', () => {
    const unit = 'assent-maildev.service';
    const removed = (): void => {
      expect(run(['rm', `/etc/systemd/system/${unit}`]).code).toBe(0);
      expect(run(['systemctl', 'daemon-reload']).code).toBe(0);
      expect([property(unit, 'LoadState'), property(unit, 'ActiveState')]).toEqual(['not-found', 'active']);
    };
    expect(assent(`install maildev@3.0.0 ${change} ${settings()}`)).toMatchObject({ exit: 0 });
    const first = property(unit, 'MainPID');
    removed();
    expect(assent('start')).toMatchObject({ exit: 0, document: { changed: false } });
    expect([property(unit, 'MainPID'), property(unit, 'LoadState')]).toEqual([first, 'loaded']);
    removed();
    expect(assent('stop')).toMatchObject({ exit: 0, document: { changed: true } });
    expect(property(unit, 'ActiveState')).toBe('inactive');
    expect(run(['ps', '-p', first]).code, 'the server is gone').not.toBe(0);
    expect(assent('start')).toMatchObject({ exit: 0, document: { instance: { state: 'running', health: 'healthy' } } });
    const second = property(unit, 'MainPID');
    removed();
    expect(assent(`reinstall maildev ${change}`)).toMatchObject({
      exit: 0,
      document: { instance: { state: 'running' } },
    });
    expect(property(unit, 'MainPID')).not.toBe(second);
    const third = property(unit, 'MainPID');
    removed();
    expect(assent(`uninstall ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
    expect(run(['ps', '-p', third]).code).not.toBe(0);
    expect(units()).toEqual([]);
  });

  test('without a supervisor: as process 1 of a container, without root, until it is told to stop', async () => {
    const installed = assent(`install maildev@3.0.0 ${change} --supervisor none --name boxed ${settings()}`);
    expect(installed, JSON.stringify(installed)).toMatchObject({
      exit: 0,
      document: { instance: { supervisor: 'none', state: 'stopped' } },
    });
    const line = `unshare --pid --fork --mount-proc ${join(repository, 'bin/assent')} run boxed`;
    run(['sh', '-c', `(${line}; echo $? >/tmp/exit) >/tmp/out 2>&1 &`]);
    await eventually(
      () => expect(assent('status boxed').document).toMatchObject({ instance: { health: 'healthy' } }),
      60_000,
    );
    expect(run(['pgrep', '-u', 'assent-boxed', '-f', 'maildev', '-c']).stdout).toBe('1\n');
    const init = run(['pgrep', '-f', '^sh -c.*assent-init']).stdout.trim();
    expect(init).toMatch(/^\d+$/);
    run(['kill', '-TERM', init]);
    await eventually(() => expect(run(['cat', '/tmp/exit']).stdout).toBe('0\n'));
    expect(assent(`uninstall boxed ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
  });
});
