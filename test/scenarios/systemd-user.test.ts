/** The real command under a real systemd by somebody without root: units of her own, with and without a yes. */
import { describe, expect, test } from 'vitest';
import { change, commandBox, settingsFor } from '../support/command-box.ts';
import { receiver } from '../support/receiver.ts';
import { freePorts } from '../support/sandbox.ts';
import { eventually } from '../support/service.ts';

let ports: number[];

const { why, run, assent, yesTo, asAlice, units } = commandBox('units of a user under a real systemd', async () => {
  ports = await freePorts(2);
  return { releases: ['maildev@2.2.1', 'maildev@3.0.0'], forAlice: true };
});

describe.skipIf(why !== undefined)('as a user', () => {
  test('MailDev in units of her own, without root; a yes brings a timer of hers, and telemetry off takes it', async () => {
    expect(run(['loginctl', 'enable-linger', 'alice']).code).toBe(0);
    await eventually(() => expect(run(['ls', '/run/user/1000/systemd/private']).code).toBe(0));
    const to = await receiver();
    const home = ' --home /home/alice/assent';
    const installed = assent(`install maildev@3.0.0 ${yesTo(settingsFor(ports, to), home)}`, 1000);
    expect(installed, JSON.stringify(installed)).toMatchObject({
      exit: 0,
      document: { instance: { supervisor: 'systemd', health: 'healthy' }, consent: { collecting: true } },
    });
    expect(installed.document.warnings.map(({ id }: { id: string }) => id)).not.toContain('no-lingering');
    const files = '/home/alice/.config/systemd/user';
    expect(run(['cat', `${files}/assent-maildev.service`]).stdout).toContain('NoNewPrivileges=yes');
    const [its, itsSender, itsTimer] = ['service', 'telemetry.service', 'telemetry.timer'].map(
      (end) => `assent-maildev.${end}`,
    );
    expect(units(1000)).toEqual([its, itsSender, itsTimer]);
    expect(asAlice('is-active', String(itsTimer))).toMatchObject({ stdout: 'active\n' });
    expect(asAlice('start', String(itsSender))).toMatchObject({ code: 0 });
    expect(assent(`telemetry off maildev${home}`, 1000)).toMatchObject({ exit: 0 });
    expect(units(1000)).toEqual([its]);
    expect(run(['find', files, '-name', '*telemetry*']).stdout).toBe('');
    expect(assent(`uninstall ${change} --purge --ack purge-data${home}`, 1000)).toMatchObject({ exit: 0 });
    expect(run(['ls', `${files}/assent-maildev.service`]).code).not.toBe(0);
    expect(to.connections()).toBe(0);
  });

  test('her units stay where her manager looks, whatever XDG_CONFIG_HOME of a later shell says', () => {
    const files = '/home/alice/.config/systemd/user';
    const elsewhere = ['XDG_CONFIG_HOME=/home/alice/.elsewhere'];
    const home = '--home /home/alice/assent';
    const own = `${change} --set webPort=${ports[0]} --set smtpPort=${ports[1]} ${home}`;
    expect(assent(`install maildev@2.2.1 ${own}`, 1000)).toMatchObject({ exit: 0 });
    expect(assent(`upgrade maildev ${change} ${home}`, 1000, elsewhere)).toMatchObject({ exit: 0 });
    expect(run(['cat', `${files}/assent-maildev.service`]).stdout).toContain('MailDev 3.0.0');
    expect(asAlice('is-active', 'assent-maildev.trial.timer').stdout).toBe('active\n');
    expect(asAlice('show', '--value', '--property=OnFailure', 'assent-maildev').stdout).toContain('trial.service');
    const ids = assent(`doctor maildev ${home}`, 1000, elsewhere).document.findings.map(({ id }: { id: string }) => id);
    expect(ids).not.toEqual(expect.arrayContaining(['service-file']));
    expect(ids).not.toEqual(expect.arrayContaining(['trial-not-watched']));
    // Its file is gone, and systemd has it all the same.
    expect(run(['rm', `${files}/assent-maildev.service`]).code).toBe(0);
    expect(assent(`uninstall maildev ${change} --purge --ack purge-data ${home}`, 1000, elsewhere)).toMatchObject({
      exit: 0,
    });
    expect(units(1000)).toEqual([]);
    const left = run(['find', '/home/alice', '-path', '/home/alice/assent', '-prune', '-o', '-name', '*assent-*']);
    expect(left.stdout.replace('/home/alice/assent\n', '')).toBe('');
  });
});
