/** Telemetry under a real systemd, as root: what lies beside a server after a yes, what a withdrawal leaves, and a server's own telemetry. */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { change, commandBox, inBox, settingsFor } from '../support/command-box.ts';
import { editManifest, quickProduct } from '../support/quick-product.ts';
import { receiver } from '../support/receiver.ts';
import { expectCounting, expectNothingCounting, expectNothingOfTelemetry } from '../support/running.ts';
import { freePorts, makeSandbox } from '../support/sandbox.ts';
import { repository } from '../support/seed.ts';
import { eventually } from '../support/service.ts';
import { sixVisits } from '../support/visits.ts';

let ports: number[];
/** MailDev with a switch in its environment, that one day has nothing to consent to. */
let product: string;

/** It says nothing of whether it obeys. */
const chatty = (manifest: Record<string, unknown>): void => {
  const [off, on] = ['0', '1'].map((value) => [{ kind: 'environment', name: 'CHATTY', value }]);
  const readBack = { kind: 'json-file', file: '{{data}}/chatty.json', json: { path: 'on' }, off: false, on: true };
  const notice = { sends: 'A word', to: 'nobody', identifiers: 'none', restart: true };
  for (const release of manifest.releases as object[])
    Object.assign(release, { ownTelemetry: { summary: 'A word, to nobody', off, on, readBack, notice } });
};

const silent = (manifest: Record<string, unknown>): void => {
  delete manifest.telemetry;
  for (const release of manifest.releases as { ownTelemetry?: object }[]) delete release.ownTelemetry;
};

const { why, run, kill, assent, yesTo, property, units, running, here } = commandBox(
  'telemetry under a real systemd',
  async (folder) => {
    ports = await freePorts(3);
    product = quickProduct(folder, 'maildev', chatty);
    const mute = quickProduct(makeSandbox(folder), 'maildev', silent);
    return {
      releases: ['maildev@2.2.1', 'maildev@3.0.0', 'node-red@5.0.7', `${product}@3.0.0`, `${mute}@3.0.0`],
      binds: [{ from: join(folder, 'maildev'), readOnly: true }],
    };
  },
);

const counted = (...parts: string[]): string => here('instances/counted', ...parts);

const visited = (): Promise<void> =>
  sixVisits({ port: ports[0] as number, password: readFileSync(counted('secrets/webPassword'), 'utf8').trim() });

const [server, sender, timer] = [
  'assent-counted.service',
  'assent-counted.telemetry.service',
  'assent-counted.telemetry.timer',
] as const;

interface Beside {
  /** Its exit code, once it has ended. */
  end(): Promise<number>;
}

/** A run that goes on beside the test. */
const beside = (words: string, env: readonly string[] = []): Beside => {
  const line = ['env', ...env, join(repository, 'bin/assent'), words, '--json'].join(' ');
  run(['sh', '-c', `rm -f /tmp/exit; (${line}; echo $? >/tmp/exit) >/tmp/out 2>&1 &`]);
  const end = (): Promise<number> =>
    eventually(() => {
      const code = run(['cat', '/tmp/exit']).stdout.trim();
      expect(code, run(['cat', '/tmp/out']).stdout).not.toBe('');
      return Number(code);
    }, 60_000);
  return { end };
};

/** One that stands still before it first opens a file with that in its path, and holds the instance meanwhile. */
const standingStill = async (words: string, opening: string): Promise<Beside> => {
  const pause = join(repository, 'test/support/pause-at.mjs');
  const { end } = beside(words, [`NODE_OPTIONS=--import=${pause}`, `ASSENT_TEST_PAUSE_OPENING=${opening}`]);
  const holder = await eventually(() => {
    const { pid } = JSON.parse(readFileSync(here('locks/counted.lock'), 'utf8').split('\n')[0] ?? '');
    expect(run(['cat', `/proc/${pid}/stat`]).stdout, run(['cat', '/tmp/out']).stdout).toMatch(/\) T /);
    return pid as number;
  }, 60_000);
  return {
    end: () => {
      kill(holder, 'CONT');
      return end();
    },
  };
};

/** Only the server's own unit is left, and starts it without what counts. */
const expectOnlyTheServer = (unit: string): void => {
  expect(units()).toEqual([unit]);
  expect(run(['cat', `/etc/systemd/system/${unit}`]).stdout).not.toContain('count-preload');
};

/** As the timer does it, to its end; what systemd says of it. The receiver lives in this process, so nothing here may wait without a pause. */
const send = async (): Promise<string> => {
  const { code, stderr } = run(['systemctl', 'start', '--no-block', sender]);
  if (code !== 0) return stderr.trim();
  return eventually(() => {
    expect(property(sender, 'ActiveState')).toBe('inactive');
    return property(sender, 'Result');
  }, 60_000);
};

/** As if the yes and what was counted since were weeks old. The parts are rewritten by whom they belong to. */
const letWeeksPass = (): void => {
  const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
  const window = JSON.parse(readFileSync(counted('telemetry/window.json'), 'utf8'));
  writeFileSync(counted('telemetry/window.json'), JSON.stringify({ ...window, since: ago(28) }));
  const move = `for file in *.json; do sed "s/\${file%%.*}/$1/" "$file" >"$1.\${file#*.}" && rm "$file" || exit; done`;
  const as = ['runuser', '-u', 'assent-counted', '--', 'sh', '-c', `cd "$0" && ${move}`];
  const { code, stderr } = run([...as, `${inBox('counted')}/telemetry/counts`, ago(21).slice(0, 10)]);
  expect(code, stderr).toBe(0);
};

describe.skipIf(why !== undefined)('as root', () => {
  test('MailDev with a yes: a timer, a sender, a report that arrives; and nothing of it after telemetry off', async () => {
    const to = await receiver();
    const installed = assent(`install maildev@3.0.0 --name counted ${yesTo(settingsFor(ports, to))}`);
    expect(installed, JSON.stringify(installed)).toMatchObject({
      exit: 0,
      document: { consent: { collecting: true } },
    });
    expect(units()).toEqual([server, sender, timer]);
    expect(property(timer, 'ActiveState')).toBe('active');
    expect(property(timer, 'UnitFileState')).toBe('enabled');
    expect(property(timer, 'NextElapseUSecRealtime')).not.toBe('');

    await eventually(() => expectCounting(running(server), inBox('counted')));
    await visited();
    expect(await send()).toBe('success');
    expect(to.connections(), 'the day is not over').toBe(0);
    expect(run(['systemctl', 'restart', server]).code).toBe(0);
    letWeeksPass();

    const dropIn = `/run/systemd/system/${server}.d`;
    const vetoed = `mkdir ${dropIn} && printf '[Service]\\nEnvironment=DO_NOT_TRACK=1\\n' >${dropIn}/override.conf`;
    const anew = `systemctl daemon-reload && systemctl restart ${server}`;
    expect(run(['sh', '-c', `${vetoed} && ${anew}`]).code).toBe(0);
    expect(await send()).toBe('success');
    expect(to.connections(), "the admin's drop-in vetoes").toBe(0);
    expect(assent('telemetry status counted').document.consent).toMatchObject({ reason: 'do-not-track' });
    // The running server is asked, whatever its next start would bring.
    expect(run(['rm', '-r', dropIn]).code).toBe(0);
    expect(assent('telemetry status counted').document.consent).toMatchObject({ reason: 'do-not-track' });
    expect(run(['sh', '-c', anew]).code).toBe(0);
    expect(assent('telemetry status counted').document.consent).toMatchObject({ collecting: true });

    expect(await send()).toBe('success');
    const [report = ''] = to.received.map(({ body }) => body.toString('utf8'));
    expect(report).toMatch(/"assent.webclient.mailbox-opened"[^}]*"asInt":"6"/);
    const [copy = ''] = readdirSync(counted('reports')).filter((name) => !name.includes('outcome'));
    expect(readFileSync(counted('reports', copy), 'utf8')).toBe(report);
    expect(readdirSync(counted('telemetry/counts'))).toEqual([]);

    await eventually(() => visited());
    expect(assent('telemetry off counted')).toMatchObject({ exit: 0, document: { consent: { reason: 'withdrawn' } } });
    expect(units()).toEqual([server]);
    for (const unit of [sender, timer]) expect(property(unit, 'LoadState')).toBe('not-found');
    expect(run(['find', '/etc/systemd/system', '-name', '*counted*telemetry*']).stdout).toBe('');
    expect(existsSync(counted('telemetry'))).toBe(false);
    expectNothingCounting(running(server), inBox('counted'));
    await visited();
    expect(run(['systemctl', 'restart', server]).code).toBe(0);
    await eventually(() => visited());
    expectNothingOfTelemetry(running(server), inBox('counted'));
    expect(await send()).toContain('not found');
    expect(assent('telemetry send counted').document.sent).toEqual([]);
    expect(existsSync(counted('telemetry'))).toBe(false);
    expect(assent(`uninstall counted ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
    expect(to.connections()).toBe(1);
  });

  test('whoever withdraws finds the instance held: behind a run that is refused, a stop, and a yes that is being followed no unit is left', async () => {
    const to = await receiver();
    const saysYes = yesTo(settingsFor(ports, to));
    const reinstalled = (): void =>
      expect(assent(`reinstall counted ${saysYes}`).document).toMatchObject({ consent: { collecting: true } });
    const withdrawn = (): void =>
      expect(assent('telemetry off counted')).toMatchObject({ exit: 0, document: { consent: { state: 'withdrawn' } } });
    expect(assent(`install maildev@2.2.1 --name counted ${saysYes}`)).toMatchObject({ exit: 0 });
    const upgrade = await standingStill('upgrade counted --yes', 'config.next');
    withdrawn();
    expect(units(), 'it is held').toEqual([server, sender, timer]);
    appendFileSync(counted('config/server.env'), '# edited meanwhile\n');
    expect(await upgrade.end()).toBe(3);
    expectOnlyTheServer(server);

    reinstalled();
    const dropIn = `/run/systemd/system/${server}.d`;
    const deaf = `mkdir ${dropIn} && printf '[Service]\\nKillSignal=SIGURG\\nTimeoutStopSec=15\\n' >${dropIn}/deaf.conf`;
    expect(run(['sh', '-c', `${deaf} && systemctl daemon-reload`]).code).toBe(0);
    const stop = beside('stop counted');
    await eventually(() => expect(property(server, 'ActiveState')).toBe('deactivating'));
    withdrawn();
    expect(units(), 'it is held').toEqual([server, sender, timer]);
    expect(await stop.end()).toBe(0);
    expectOnlyTheServer(server);
    expect(property(server, 'UnitFileState')).toBe('disabled');
    expect(run(['sh', '-c', `rm -r ${dropIn} && systemctl daemon-reload`]).code).toBe(0);

    const following = await standingStill(`reinstall counted ${saysYes}`, timer);
    withdrawn();
    expect(await following.end()).toBe(0);
    expectOnlyTheServer(server);
    expect(assent(`uninstall counted ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
    expect(to.connections()).toBe(0);
  });

  test('a switch in the environment of a server is not on under a veto; a release without telemetry takes away what was beside the one before it, and so does telemetry off', async () => {
    const to = await receiver();
    const saysYes = yesTo(settingsFor(ports, to), '', `${product}@3.0.0`);
    expect(assent(`install ${product}@3.0.0 --name counted ${saysYes}`)).toMatchObject({ exit: 0 });
    expect(units()).toEqual([server, sender, timer]);
    const text = run(['cat', `/etc/systemd/system/${timer}`]).stdout;

    const switched = (): string =>
      /^Environment="CHATTY=(.)"$/m.exec(run(['cat', `/etc/systemd/system/${server}`]).stdout)?.[1] ?? '';
    expect(switched()).toBe('1');
    const dropIn = `/run/systemd/system/${server}.d`;
    const vetoed = `mkdir ${dropIn} && printf '[Service]\\nEnvironment=DO_NOT_TRACK=1\\n' >${dropIn}/veto.conf`;
    expect(run(['sh', '-c', `${vetoed} && systemctl daemon-reload`]).code).toBe(0);
    expect(assent('restart counted')).toMatchObject({ exit: 0 });
    expect(switched()).toBe('0');
    expect(assent(`reinstall counted ${saysYes}`).document).toMatchObject({ consent: { state: 'accepted' } });
    expect(switched(), 'the veto is there before the yes').toBe('0');
    expect(units()).toEqual([server, sender, timer]);
    expect(run(['sh', '-c', `rm -r ${dropIn} && systemctl daemon-reload`]).code).toBe(0);

    editManifest(product, silent);
    const again = assent('reinstall counted --yes');
    expect(again).toMatchObject({ exit: 0, document: { consent: { reason: 'no-telemetry' } } });
    expectOnlyTheServer(server);
    // As an Assent that did not look has left it.
    run(['tee', `/etc/systemd/system/${timer}`], { input: text });
    expect(run(['systemctl', 'enable', timer]).code).toBe(0);
    expect(assent('telemetry off counted')).toMatchObject({ exit: 0 });
    expectOnlyTheServer(server);
    expect(assent(`uninstall counted ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
  });

  test('Node-RED: its own telemetry is kept off by the unit before every start', async () => {
    const installed = assent(`install node-red@5.0.7 ${change} --set webPort=${ports[2]}`);
    expect(installed, JSON.stringify(installed)).toMatchObject({
      exit: 0,
      document: { instance: { supervisor: 'systemd', health: 'healthy' } },
    });
    const file = '/var/lib/assent/instances/node-red/data/.config.runtime.json';
    expect(JSON.parse(run(['cat', file]).stdout)).toMatchObject({ telemetryEnabled: false });
    // Somebody consents in the editor; the next start takes it back, whoever makes it.
    run(['sed', '-i', 's/"telemetryEnabled": *false/"telemetryEnabled":true/', file]);
    expect(run(['cat', file]).stdout).toContain('"telemetryEnabled":true');
    expect(run(['systemctl', 'restart', 'assent-node-red']).code).toBe(0);
    expect(JSON.parse(run(['cat', file]).stdout)).toMatchObject({ telemetryEnabled: false });
    expect(run(['stat', '-c', '%U', file]).stdout).toBe('assent-node-red\n');
    expect(assent(`uninstall node-red ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
  });
});
