/**
 * The real command under a real systemd: MailDev as root in system units (installed, upgraded, rolled back, removed), Node-RED with a
 * telemetry of its own, a user's own units, and a container's foreground run as process 1.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, bootBox, whyNoBox } from '../support/nspawn.ts';
import { editManifest, quickProduct } from '../support/quick-product.ts';
import { type Receiver, receiver } from '../support/receiver.ts';
import { expectCounting, expectNothingCounting, expectNothingOfTelemetry, lookAt } from '../support/running.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { copyStore, repository, seedStore } from '../support/seed.ts';
import { eventually } from '../support/service.ts';
import { sixVisits } from '../support/visits.ts';

const why = whyNoBox();
if (why !== undefined) console.log(`skipped: the command under a real systemd, for ${why}`);

let box: Box;
let folder: string;
let web: number;
let smtp: number;
let editor: number;
/** MailDev with a switch in its environment, that one day has nothing to consent to. */
let product: string;
/** Words for another home, whose store is empty: nothing is ever installed there. */
let more: string;

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

beforeAll(async () => {
  if (why !== undefined) return;
  const releases = ['maildev@2.2.1', 'maildev@3.0.0', 'node-red@5.0.7'];
  await seedStore(releases);
  folder = makeSandbox();
  product = quickProduct(folder, 'maildev', chatty);
  const mute = quickProduct(makeSandbox(folder), 'maildev', silent);
  const more3 = [`${product}@3.0.0`, `${mute}@3.0.0`];
  await seedStore(more3);
  await copyStore(join(folder, 'root'), [...releases, ...more3], true);
  await copyStore(join(folder, 'alice'), releases, true);
  mkdirSync(join(folder, 'second'));
  spawnSync('chown', ['-R', '-h', '1000:1000', join(folder, 'alice')]);
  const free = (await freePorts(5)) as [number, number, number, number, number];
  [web, smtp, editor] = free;
  more = `--home /srv/second --set webPort=${free[3]} --set smtpPort=${free[4]}`;
  box = await bootBox([
    { from: join(folder, 'root'), to: '/var/lib/assent' },
    { from: join(folder, 'second'), to: '/srv/second' },
    { from: join(folder, 'maildev'), readOnly: true },
    { from: join(folder, 'alice'), to: '/home/alice/assent' },
  ]);
});

afterAll(async () => {
  await box?.stop();
  if (folder !== undefined) removeSandbox(folder);
});

interface Answer {
  exit: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at any key of the document
  document: any;
}

const assent = (words: string, uid = 0, env: readonly string[] = []): Answer => {
  const command = ['env', ...env, join(repository, 'bin/assent'), ...words.split(' '), '--json'];
  const { code, stdout, stderr } = box.run(command, { uid });
  expect(stdout, stderr).not.toBe('');
  const document = JSON.parse(stdout);
  if (code !== 0) console.log(words, JSON.stringify(document.error), stderr.slice(-500));
  return { exit: code, document };
};

const property = (unit: string, name: string): string =>
  box.run(['systemctl', 'show', '--value', `--property=${name}`, unit]).stdout.trim();

const change = '--yes --telemetry=off';

const asAlice = (...words: string[]) =>
  box.run(['env', 'XDG_RUNTIME_DIR=/run/user/1000', 'systemctl', '--user', ...words], { uid: 1000 });

/** Every unit of Assent's but those of recovery and trial, whether systemd has it loaded or only a file of it lies there. */
const units = (uid = 0): string[] => {
  const ask = (...words: string[]) => (uid === 0 ? box.run(['systemctl', ...words]) : asAlice(...words));
  const listed = [['list-units', '--all'], ['list-unit-files']].flatMap((words) =>
    ask(...words, '--plain', '--no-legend', 'assent-*').stdout.split('\n'),
  );
  const names = new Set(listed.map((line) => line.trim().split(' ')[0] ?? ''));
  return [...names].filter((name) => name !== '' && !/\.(recover|trial)\./.test(name)).sort();
};

const running = (unit: string) => lookAt(property(unit, 'MainPID'), (script) => box.run(['sh', '-c', script]).stdout);

/** In the box, and the same here. */
const inBox = (name: string): string => `/var/lib/assent/instances/${name}`;
const here = (name: string, ...parts: string[]): string => join(folder, 'root/instances', name, ...parts);

const visited = (name: string): Promise<void> =>
  sixVisits({ port: web, password: readFileSync(here(name, 'secrets/webPassword'), 'utf8').trim() });

const [server, sender, timer] = [
  'assent-counted.service',
  'assent-counted.telemetry.service',
  'assent-counted.telemetry.timer',
] as const;

const settingsFor = (to: Receiver): string =>
  `--set webPort=${web} --set smtpPort=${smtp} --set telemetry.endpoint=${to.url}`;

const yesTo = (settings: string, home = '', of = 'maildev@3.0.0'): string => {
  const { notice } = assent(`telemetry notice ${of} ${settings}${home}`).document;
  return `--yes --telemetry=on --telemetry-notice=${notice.id} ${settings}${home}`;
};

interface Beside {
  /** Its exit code, once it has ended. */
  end(): Promise<number>;
}

/** A run that goes on beside the test. */
const beside = (words: string, env: readonly string[] = []): Beside => {
  const line = ['env', ...env, join(repository, 'bin/assent'), words, '--json'].join(' ');
  box.run(['sh', '-c', `rm -f /tmp/exit; (${line}; echo $? >/tmp/exit) >/tmp/out 2>&1 &`]);
  const end = (): Promise<number> =>
    eventually(() => {
      const code = box.run(['cat', '/tmp/exit']).stdout.trim();
      expect(code, box.run(['cat', '/tmp/out']).stdout).not.toBe('');
      return Number(code);
    }, 60_000);
  return { end };
};

/** One that stands still before it first opens a file with that in its path, and holds the instance meanwhile. */
const standingStill = async (words: string, opening: string): Promise<Beside> => {
  const pause = join(repository, 'test/support/pause-at.mjs');
  const { end } = beside(words, [`NODE_OPTIONS=--import=${pause}`, `ASSENT_TEST_PAUSE_OPENING=${opening}`]);
  const holder = await eventually(() => {
    const { pid } = JSON.parse(readFileSync(join(folder, 'root/locks/counted.lock'), 'utf8').split('\n')[0] ?? '');
    expect(box.run(['cat', `/proc/${pid}/stat`]).stdout, box.run(['cat', '/tmp/out']).stdout).toMatch(/\) T /);
    return pid as number;
  }, 60_000);
  return {
    end: () => {
      box.kill(holder, 'CONT');
      return end();
    },
  };
};

/** Only the server's own unit is left, and starts it without what counts. */
const expectOnlyTheServer = (unit: string): void => {
  expect(units()).toEqual([unit]);
  expect(box.run(['cat', `/etc/systemd/system/${unit}`]).stdout).not.toContain('count-preload');
};

/** As the timer does it, to its end; what systemd says of it. The receiver lives in this process, so nothing here may wait without a pause. */
const send = async (): Promise<string> => {
  const { code, stderr } = box.run(['systemctl', 'start', '--no-block', sender]);
  if (code !== 0) return stderr.trim();
  return eventually(() => {
    expect(property(sender, 'ActiveState')).toBe('inactive');
    return property(sender, 'Result');
  }, 60_000);
};

/** As if the yes and what was counted since were weeks old. The parts are rewritten by whom they belong to. */
const letWeeksPass = (name: string): void => {
  const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
  const window = JSON.parse(readFileSync(here(name, 'telemetry/window.json'), 'utf8'));
  writeFileSync(here(name, 'telemetry/window.json'), JSON.stringify({ ...window, since: ago(28) }));
  const move = `for file in *.json; do sed "s/\${file%%.*}/$1/" "$file" >"$1.\${file#*.}" && rm "$file" || exit; done`;
  const as = ['runuser', '-u', `assent-${name}`, '--', 'sh', '-c', `cd "$0" && ${move}`];
  const { code, stderr } = box.run([...as, `${inBox(name)}/telemetry/counts`, ago(21).slice(0, 10)]);
  expect(code, stderr).toBe(0);
};

describe.skipIf(why !== undefined)('as root', () => {
  test('MailDev: installed, upgraded, rolled back and removed in a hardened system unit; a no leaves nothing', async () => {
    const to = await receiver();
    const installed = assent(`install maildev@2.2.1 ${change} ${settingsFor(to)}`);
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

    await visited('maildev');
    expect(units()).toEqual(['assent-maildev.service']);
    expectNothingOfTelemetry(running('assent-maildev'), inBox('maildev'));
    for (const part of ['telemetry', 'reports']) expect(existsSync(here('maildev', part)), part).toBe(false);

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
    expect(to.connections()).toBe(0);
  }, 200_000);

  test('MailDev with a yes: a timer, a sender, a report that arrives; and nothing of it after telemetry off', async () => {
    const to = await receiver();
    const installed = assent(`install maildev@3.0.0 --name counted ${yesTo(settingsFor(to))}`);
    expect(installed, JSON.stringify(installed)).toMatchObject({
      exit: 0,
      document: { consent: { collecting: true } },
    });
    expect(units()).toEqual([server, sender, timer]);
    expect(property(timer, 'ActiveState')).toBe('active');
    expect(property(timer, 'UnitFileState')).toBe('enabled');
    expect(property(timer, 'NextElapseUSecRealtime')).not.toBe('');

    await eventually(() => expectCounting(running(server), inBox('counted')));
    await visited('counted');
    expect(await send()).toBe('success');
    expect(to.connections(), 'the day is not over').toBe(0);
    expect(box.run(['systemctl', 'restart', server]).code).toBe(0);
    letWeeksPass('counted');

    const dropIn = `/run/systemd/system/${server}.d`;
    const vetoed = `mkdir ${dropIn} && printf '[Service]\\nEnvironment=DO_NOT_TRACK=1\\n' >${dropIn}/override.conf`;
    const anew = `systemctl daemon-reload && systemctl restart ${server}`;
    expect(box.run(['sh', '-c', `${vetoed} && ${anew}`]).code).toBe(0);
    expect(await send()).toBe('success');
    expect(to.connections(), "the admin's drop-in vetoes").toBe(0);
    expect(assent('telemetry status counted').document.consent).toMatchObject({ reason: 'do-not-track' });
    // The running server is asked, whatever its next start would bring.
    expect(box.run(['rm', '-r', dropIn]).code).toBe(0);
    expect(assent('telemetry status counted').document.consent).toMatchObject({ reason: 'do-not-track' });
    expect(box.run(['sh', '-c', anew]).code).toBe(0);
    expect(assent('telemetry status counted').document.consent).toMatchObject({ collecting: true });

    expect(await send()).toBe('success');
    const [report = ''] = to.received.map(({ body }) => body.toString('utf8'));
    expect(report).toMatch(/"assent.webclient.mailbox-opened"[^}]*"asInt":"6"/);
    const [copy = ''] = readdirSync(here('counted', 'reports')).filter((name) => !name.includes('outcome'));
    expect(readFileSync(here('counted', 'reports', copy), 'utf8')).toBe(report);
    expect(readdirSync(here('counted', 'telemetry/counts'))).toEqual([]);

    await eventually(() => visited('counted'));
    expect(assent('telemetry off counted')).toMatchObject({ exit: 0, document: { consent: { reason: 'withdrawn' } } });
    expect(units()).toEqual([server]);
    for (const unit of [sender, timer]) expect(property(unit, 'LoadState')).toBe('not-found');
    expect(box.run(['find', '/etc/systemd/system', '-name', '*counted*telemetry*']).stdout).toBe('');
    expect(existsSync(here('counted', 'telemetry'))).toBe(false);
    expectNothingCounting(running(server), inBox('counted'));
    await visited('counted');
    expect(box.run(['systemctl', 'restart', server]).code).toBe(0);
    await eventually(() => visited('counted'));
    expectNothingOfTelemetry(running(server), inBox('counted'));
    expect(await send()).toContain('not found');
    expect(assent('telemetry send counted').document.sent).toEqual([]);
    expect(existsSync(here('counted', 'telemetry'))).toBe(false);
    expect(assent(`uninstall counted ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
    expect(to.connections()).toBe(1);
  }, 200_000);

  test('whoever withdraws finds the instance held: behind a run that is refused, a stop, and a yes that is being followed no unit is left', async () => {
    const to = await receiver();
    const saysYes = yesTo(settingsFor(to));
    const reinstalled = (): void =>
      expect(assent(`reinstall counted ${saysYes}`).document).toMatchObject({ consent: { collecting: true } });
    const withdrawn = (): void =>
      expect(assent('telemetry off counted')).toMatchObject({ exit: 0, document: { consent: { state: 'withdrawn' } } });
    expect(assent(`install maildev@2.2.1 --name counted ${saysYes}`)).toMatchObject({ exit: 0 });
    const upgrade = await standingStill('upgrade counted --yes', 'config.next');
    withdrawn();
    expect(units(), 'it is held').toEqual([server, sender, timer]);
    appendFileSync(here('counted', 'config/server.env'), '# edited meanwhile\n');
    expect(await upgrade.end()).toBe(3);
    expectOnlyTheServer(server);

    reinstalled();
    const dropIn = `/run/systemd/system/${server}.d`;
    const deaf = `mkdir ${dropIn} && printf '[Service]\\nKillSignal=SIGURG\\nTimeoutStopSec=15\\n' >${dropIn}/deaf.conf`;
    expect(box.run(['sh', '-c', `${deaf} && systemctl daemon-reload`]).code).toBe(0);
    const stop = beside('stop counted');
    await eventually(() => expect(property(server, 'ActiveState')).toBe('deactivating'));
    withdrawn();
    expect(units(), 'it is held').toEqual([server, sender, timer]);
    expect(await stop.end()).toBe(0);
    expectOnlyTheServer(server);
    expect(property(server, 'UnitFileState')).toBe('disabled');
    expect(box.run(['sh', '-c', `rm -r ${dropIn} && systemctl daemon-reload`]).code).toBe(0);

    const following = await standingStill(`reinstall counted ${saysYes}`, timer);
    withdrawn();
    expect(await following.end()).toBe(0);
    expectOnlyTheServer(server);
    expect(assent(`uninstall counted ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
    expect(to.connections()).toBe(0);
  }, 300_000);

  test('a switch in the environment of a server is not on under a veto; a release without telemetry takes away what was beside the one before it, and so does telemetry off', async () => {
    const to = await receiver();
    const saysYes = yesTo(settingsFor(to), '', `${product}@3.0.0`);
    expect(assent(`install ${product}@3.0.0 --name counted ${saysYes}`)).toMatchObject({ exit: 0 });
    expect(units()).toEqual([server, sender, timer]);
    const text = box.run(['cat', `/etc/systemd/system/${timer}`]).stdout;

    const switched = (): string =>
      /^Environment="CHATTY=(.)"$/m.exec(box.run(['cat', `/etc/systemd/system/${server}`]).stdout)?.[1] ?? '';
    expect(switched()).toBe('1');
    const dropIn = `/run/systemd/system/${server}.d`;
    const vetoed = `mkdir ${dropIn} && printf '[Service]\\nEnvironment=DO_NOT_TRACK=1\\n' >${dropIn}/veto.conf`;
    expect(box.run(['sh', '-c', `${vetoed} && systemctl daemon-reload`]).code).toBe(0);
    expect(assent('restart counted')).toMatchObject({ exit: 0 });
    expect(switched()).toBe('0');
    expect(assent(`reinstall counted ${saysYes}`).document).toMatchObject({ consent: { state: 'accepted' } });
    expect(switched(), 'the veto is there before the yes').toBe('0');
    expect(units()).toEqual([server, sender, timer]);
    expect(box.run(['sh', '-c', `rm -r ${dropIn} && systemctl daemon-reload`]).code).toBe(0);

    editManifest(product, silent);
    const again = assent('reinstall counted --yes');
    expect(again).toMatchObject({ exit: 0, document: { consent: { reason: 'no-telemetry' } } });
    expectOnlyTheServer(server);
    // As an Assent that did not look has left it.
    box.run(['tee', `/etc/systemd/system/${timer}`], { input: text });
    expect(box.run(['systemctl', 'enable', timer]).code).toBe(0);
    expect(assent('telemetry off counted')).toMatchObject({ exit: 0 });
    expectOnlyTheServer(server);
    expect(assent(`uninstall counted ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
  }, 200_000);

  test('two homes with an instance of the same name: neither touches what systemd has of the other', () => {
    const unit = 'assent-twice.service';
    const file = `/etc/systemd/system/${unit}`;
    const own = `maildev@3.0.0 --name twice ${change}`;
    expect(assent(`install ${own} --set webPort=${web} --set smtpPort=${smtp}`)).toMatchObject({ exit: 0 });
    const pid = property(unit, 'MainPID');
    const text = box.run(['cat', file]).stdout;
    const untouched = (boots = 'enabled'): void => {
      expect(box.run(['cat', file, file.replace('.service', '.recover.service')]).stdout).toContain(text);
      expect(box.run(['cat', file, file.replace('.service', '.recover.service')]).stdout).not.toContain('/srv/second');
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
    expect(box.run(['find', '/srv/second/instances', '-mindepth', '2']).stdout).toBe('');
    for (const way of ['--name twice-2', '--name twice --supervisor process'])
      expect(assent(`install maildev@3.0.0 ${way} ${change} --dry-run ${more}`)).toMatchObject({ exit: 0 });

    // As an Assent that did not look has left it: the other home's, with the server of this one.
    expect(assent('start twice')).toMatchObject({ exit: 0 });
    const running = property(unit, 'MainPID');
    const overwrite = (): void => {
      box.run(['mkdir', '-p', '/srv/second/instances/twice']);
      box.run(['sed', '-i', 's:/var/lib/assent:/srv/second:g', file, file.replace('.service', '.recover.service')]);
      expect(box.run(['systemctl', 'daemon-reload']).code).toBe(0);
    };
    overwrite();
    for (const words of ['stop twice', 'restart twice', 'start twice', `reinstall twice ${change}`])
      expect(assent(words), words).toMatchObject({ exit: 3, document: { error: { code: 'refused-check' } } });
    expect(assent('status twice').document.instance.state).toBe('stopped');
    expect(property(unit, 'MainPID')).toBe(running);
    // A home that is gone from there was moved.
    box.run(['rm', '-r', '/srv/second/instances/twice']);
    expect(assent('restart twice')).toMatchObject({ exit: 0 });
    expect(box.run(['cat', file]).stdout).toBe(text);
    // Ours can be given up all the same, and leaves the other's as it is.
    overwrite();
    const others = property(unit, 'MainPID');
    expect(assent(`uninstall twice ${change}`)).toMatchObject({ exit: 0, document: { outcome: 'uninstalled' } });
    expect(assent(`uninstall twice ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
    expect(box.run(['cat', file]).stdout).toBe(text.replaceAll('/var/lib/assent', '/srv/second'));
    expect([property(unit, 'MainPID'), property(unit, 'UnitFileState')]).toEqual([others, 'enabled']);
    box.run(['systemctl', 'disable', '--now', unit, unit.replace('.service', '.recover.service')]);
    box.run(['rm', file, file.replace('.service', '.recover.service')]);
    box.run(['systemctl', 'daemon-reload']);
  }, 200_000);

  test('a server whose unit file somebody has removed is stopped all the same, gets another, and goes', () => {
    const unit = 'assent-maildev.service';
    const removed = (): void => {
      expect(box.run(['rm', `/etc/systemd/system/${unit}`]).code).toBe(0);
      expect(box.run(['systemctl', 'daemon-reload']).code).toBe(0);
      expect([property(unit, 'LoadState'), property(unit, 'ActiveState')]).toEqual(['not-found', 'active']);
    };
    const settings = `--set webPort=${web} --set smtpPort=${smtp}`;
    expect(assent(`install maildev@3.0.0 ${change} ${settings}`)).toMatchObject({ exit: 0 });
    const first = property(unit, 'MainPID');
    removed();
    expect(assent('start')).toMatchObject({ exit: 0, document: { changed: false } });
    expect([property(unit, 'MainPID'), property(unit, 'LoadState')]).toEqual([first, 'loaded']);
    removed();
    expect(assent('stop')).toMatchObject({ exit: 0, document: { changed: true } });
    expect(property(unit, 'ActiveState')).toBe('inactive');
    expect(box.run(['ps', '-p', first]).code, 'the server is gone').not.toBe(0);
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
    expect(box.run(['ps', '-p', third]).code).not.toBe(0);
    expect(units()).toEqual([]);
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
    expect(assent(`uninstall node-red ${change} --purge --ack purge-data`)).toMatchObject({ exit: 0 });
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
  test('MailDev in units of her own, without root; a yes brings a timer of hers, and telemetry off takes it', async () => {
    expect(box.run(['loginctl', 'enable-linger', 'alice']).code).toBe(0);
    await eventually(() => expect(box.run(['ls', '/run/user/1000/systemd/private']).code).toBe(0));
    const to = await receiver();
    const home = ' --home /home/alice/assent';
    const installed = assent(`install maildev@3.0.0 ${yesTo(settingsFor(to), home)}`, 1000);
    expect(installed, JSON.stringify(installed)).toMatchObject({
      exit: 0,
      document: { instance: { supervisor: 'systemd', health: 'healthy' }, consent: { collecting: true } },
    });
    expect(installed.document.warnings.map(({ id }: { id: string }) => id)).not.toContain('no-lingering');
    const files = '/home/alice/.config/systemd/user';
    expect(box.run(['cat', `${files}/assent-maildev.service`]).stdout).toContain('NoNewPrivileges=yes');
    const [its, itsSender, itsTimer] = ['service', 'telemetry.service', 'telemetry.timer'].map(
      (end) => `assent-maildev.${end}`,
    );
    expect(units(1000)).toEqual([its, itsSender, itsTimer]);
    expect(asAlice('is-active', String(itsTimer))).toMatchObject({ stdout: 'active\n' });
    expect(asAlice('start', String(itsSender))).toMatchObject({ code: 0 });
    expect(assent(`telemetry off maildev${home}`, 1000)).toMatchObject({ exit: 0 });
    expect(units(1000)).toEqual([its]);
    expect(box.run(['find', files, '-name', '*telemetry*']).stdout).toBe('');
    expect(assent(`uninstall ${change} --purge --ack purge-data${home}`, 1000)).toMatchObject({ exit: 0 });
    expect(box.run(['ls', `${files}/assent-maildev.service`]).code).not.toBe(0);
    expect(to.connections()).toBe(0);
  }, 120_000);

  test('her units stay where her manager looks, whatever XDG_CONFIG_HOME of a later shell says', () => {
    const files = '/home/alice/.config/systemd/user';
    const elsewhere = ['XDG_CONFIG_HOME=/home/alice/.elsewhere'];
    const home = '--home /home/alice/assent';
    const own = `${change} --set webPort=${web} --set smtpPort=${smtp} ${home}`;
    expect(assent(`install maildev@2.2.1 ${own}`, 1000)).toMatchObject({ exit: 0 });
    expect(assent(`upgrade maildev ${change} ${home}`, 1000, elsewhere)).toMatchObject({ exit: 0 });
    expect(box.run(['cat', `${files}/assent-maildev.service`]).stdout).toContain('MailDev 3.0.0');
    expect(asAlice('is-active', 'assent-maildev.trial.timer').stdout).toBe('active\n');
    expect(asAlice('show', '--value', '--property=OnFailure', 'assent-maildev').stdout).toContain('trial.service');
    const ids = assent(`doctor maildev ${home}`, 1000, elsewhere).document.findings.map(({ id }: { id: string }) => id);
    expect(ids).not.toEqual(expect.arrayContaining(['service-file']));
    expect(ids).not.toEqual(expect.arrayContaining(['trial-not-watched']));
    // Its file is gone, and systemd has it all the same.
    expect(box.run(['rm', `${files}/assent-maildev.service`]).code).toBe(0);
    expect(assent(`uninstall maildev ${change} --purge --ack purge-data ${home}`, 1000, elsewhere)).toMatchObject({
      exit: 0,
    });
    expect(units(1000)).toEqual([]);
    const left = box.run(['find', '/home/alice', '-path', '/home/alice/assent', '-prune', '-o', '-name', '*assent-*']);
    expect(left.stdout.replace('/home/alice/assent\n', '')).toBe('');
  }, 120_000);
});
