/**
 * Under a real systemd, with nobody there to type: changes that a power cut interrupts are ended at boot, before the server starts; a release on trial
 * that dies or turns unwell is rolled back. One box, whose disk survives its power cuts, and one instance that goes through all of it.
 */
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bind, type Box, bootBox, whyNoBox } from '../support/nspawn.ts';
import { mailDevOnTrial } from '../support/quick-product.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import type { Document } from '../support/scenario.ts';
import { copyStore, repository, seedStore } from '../support/seed.ts';
import { eventually } from '../support/service.ts';

const why = whyNoBox();
if (why !== undefined) console.log(`skipped: surviving under a real systemd, for ${why}`);

const patience = 120_000;
const [server, recovery, look, timer] = ['service', 'recover.service', 'trial.service', 'trial.timer'].map(
  (end) => `assent-maildev.${end}`,
) as [string, string, string, string];

let box: Box;
let folder: string;
/** In memory: an overlay may not lie on another one, as a container's /tmp is. */
let disk: string;
let product: string;
let settings: string;
let binds: Bind[];

beforeAll(async () => {
  if (why !== undefined) return;
  folder = makeSandbox();
  disk = makeSandbox('/dev/shm');
  product = mailDevOnTrial(folder, 2);
  const releases = [`${product}@2.2.1`, `${product}@3.0.0`];
  await seedStore(releases);
  await copyStore(join(folder, 'root'), releases, true);
  const [web, smtp] = await freePorts(2);
  settings = `--set webPort=${web} --set smtpPort=${smtp}`;
  binds = [
    { from: join(folder, 'root'), to: '/var/lib/assent' },
    { from: join(folder, 'maildev'), readOnly: true },
  ];
  box = await bootBox(binds, disk);
});

afterAll(async () => {
  await box?.stop();
  for (const made of [folder, disk]) if (made !== undefined) removeSandbox(made);
});

/** The power goes, and comes back. */
const reboot = async (): Promise<void> => {
  await box.cut();
  box = await bootBox(binds, disk);
};

const run = (words: string, env: readonly string[] = []) =>
  box.run(['env', ...env, join(repository, 'bin/assent'), ...words.split(' '), '--json']);

const assent = (words: string): { exit: number | null; document: Document } => {
  const { code, stdout, stderr } = run(words);
  expect(stdout, stderr).not.toBe('');
  return { exit: code, document: JSON.parse(stdout) };
};

const done = (words: string): Document => {
  const { exit, document } = assent(`${words} --yes --telemetry=off`);
  expect(exit, JSON.stringify(document.error)).toBe(0);
  return document;
};

/** Killed right behind that entry of its journal. */
const killedAt = (entry: number, words: string): void => {
  const crash = [`NODE_OPTIONS=--import=${repository}/test/support/crash-at.mjs`, `ASSENT_TEST_CRASH=${entry}`];
  const { code, stdout, stderr } = run(`${words} --yes --telemetry=off`, crash);
  expect([null, 137], stdout + stderr).toContain(code);
};

const property = (unit: string, name: string): string =>
  box.run(['systemctl', 'show', '--value', `--property=${name}`, unit]).stdout.trim();

const here = (...parts: string[]): string => join(folder, 'root/instances/maildev', ...parts);
/** A file of the account that owns the data. */
const writtenByServer = (path: string): void => {
  const { uid, gid } = statSync(here('data'));
  mkdirSync(dirname(here(path)), { recursive: true });
  writeFileSync(here(path), 'Subject: since\n');
  for (const made of [here(path), dirname(here(path))]) chownSync(made, uid, gid);
};
const instance = (): Document => assent('status maildev').document.instance;

const healthy = async (version: string): Promise<Document> => {
  const found = await eventually(() => {
    const now = instance();
    expect(now).toMatchObject({ version, state: 'running', health: 'healthy' });
    expect(now.unfinished).toBeUndefined();
    return now;
  }, patience);
  // The journal is closed before the last steps of a change, in which its unit still holds the instance.
  for (const unit of [recovery, look])
    await eventually(() => expect(property(unit, 'ActiveState')).not.toBe('activating'), patience);
  return found;
};

const unitFiles = (): string[] =>
  box
    .run(['find', '/etc/systemd/system', '-name', '*assent-*', '-printf', '%f\\n'])
    .stdout.split('\n')
    .filter(Boolean)
    .sort();

/** As systemd-analyze has it from inside: ten times the exposure, at most. */
const exposed = (unit: string, threshold: number): void => {
  const { code, stdout } = box.run(['systemd-analyze', 'security', `--threshold=${threshold}`, unit]);
  expect(code, stdout).toBe(0);
};

/** One more look has ended, by the timer or by OnFailure=, that began after this. */
const looked = async (): Promise<void> => {
  const ends = new Set<string>();
  await eventually(() => {
    ends.add(property(look, 'InactiveEnterTimestampMonotonic'));
    expect(ends.size).toBeGreaterThan(2);
  }, patience);
};

/** As somebody has left it who has stopped it. */
const restsThroughBoot = async (version: string): Promise<void> => {
  expect(property(server, 'UnitFileState')).toBe('disabled');
  await reboot();
  expect(property(server, 'ActiveState')).toBe('inactive');
  expect(instance()).toMatchObject({ version, state: 'stopped' });
  const { findings } = assent('doctor maildev').document;
  expect(findings.map(({ id }: Document) => id)).not.toContain('server-up');
};

/** Its server hears no signal but KILL. */
const deaf = (isDeaf: boolean): void => {
  const file = `/etc/systemd/system/${server}.d/90-deaf.conf`;
  const written = `mkdir -p ${dirname(file)} && printf '[Service]\nKillSignal=SIGURG\nTimeoutStopSec=1\n' > ${file}`;
  box.run(['sh', '-c', isDeaf ? written : `rm ${file}; rmdir --ignore-fail-on-non-empty ${dirname(file)}`]);
  expect(box.run(['systemctl', 'daemon-reload']).code).toBe(0);
};

const runsAsItsUser = (): void => {
  const { stdout } = box.run(['ps', '-o', 'user:32=', '-p', property(server, 'MainPID')]);
  expect(stdout.trim()).toBe('assent-maildev');
};

describe.skipIf(why !== undefined)('nobody types anything', () => {
  test('a first install that a power cut interrupts is undone at boot, and leaves no unit', async () => {
    killedAt(6, `install ${product}@2.2.1 ${settings}`);
    expect(unitFiles()).toContain(recovery);
    await reboot();
    await eventually(() => expect(unitFiles()).toEqual([]), patience);
    expect(existsSync(here('instance.json'))).toBe(false);
    expect(existsSync(here('journal/open.jsonl'))).toBe(false);
    expect(box.run(['id', 'assent-maildev']).code).not.toBe(0);
  }, 300_000);

  test('an upgrade cut off with half of its data switched: no server until it is undone, by the next boot that can', async () => {
    done(`install ${product}@2.2.1 ${settings}`);
    expect(property(recovery, 'UnitFileState')).toBe('enabled');
    exposed(server, 15);
    exposed(recovery, 35);
    writeFileSync(here('data/kept'), 'of 2.2.1');
    killedAt(9, 'upgrade maildev');
    // Something that keeps the undo from renaming: a recovery that fails.
    const backup = readdirSync(here('backups')).find((name) => name.endsWith('-upgrade')) ?? '';
    const inTheWay = here(`backups/${backup}.set-aside/data/in-the-way`);
    mkdirSync(inTheWay, { recursive: true });
    await reboot();
    await eventually(() => expect(property(recovery, 'ActiveState')).toBe('failed'), patience);
    expect(box.run(['systemctl', 'status', recovery]).stdout).toContain('assent recover maildev --undo');
    expect(box.run(['systemctl', 'start', server]).code).toBe(0);
    expect([property(server, 'ActiveState'), property(server, 'ConditionResult')]).toEqual(['inactive', 'no']);
    expect(instance()).toMatchObject({ state: 'stopped', unfinished: { kind: 'upgrade', running: false } });

    rmSync(join(inTheWay, '../..'), { recursive: true });
    await reboot();
    await healthy('2.2.1');
    expect(property(recovery, 'ActiveState')).toBe('inactive');
    expect(readdirSync(here('data'))).toContain('kept');
    expect(readdirSync(here()).filter((name) => name.endsWith('.next'))).toEqual([]);
    runsAsItsUser();
    // A boot without an open change does nothing.
    expect(assent('recover maildev').document.outcome).toBe('unchanged');
  }, 300_000);

  test('a server that systemctl had stopped is not started by hand while its upgrade is cut off', async () => {
    expect(box.run(['systemctl', 'stop', server]).code).toBe(0);
    killedAt(7, 'upgrade maildev');
    expect(existsSync(here('journal/open.jsonl'))).toBe(true);
    expect(box.run(['systemctl', 'start', server]).code).toBe(0);
    expect(property(server, 'ActiveState')).toBe('inactive');
    expect(assent('recover maildev').exit).toBe(0);
    expect(instance()).toMatchObject({ version: '2.2.1', state: 'stopped' });
    expect(assent('start maildev').exit).toBe(0);
    await healthy('2.2.1');
  }, 300_000);

  test('an upgrade cut off behind its commit is finished at boot: it runs, and is on trial', async () => {
    killedAt(24, 'upgrade maildev');
    await reboot();
    expect((await healthy('3.0.0')).trial).toEqual({ until: expect.any(String) });
    expect(property(timer, 'ActiveState')).toBe('active');
    exposed(look, 35);
    runsAsItsUser();
  }, 300_000);

  test('a release on trial that dies too often is rolled back by OnFailure=, however long that takes', async () => {
    expect(property(server, 'OnFailure')).toBe(look);
    // What systemd gives a start by itself is over before the rollback is: its 90 seconds are those of a rollback with much data.
    const short = '/etc/systemd/system.conf.d/short.conf';
    box.run(['sh', '-c', `mkdir -p ${dirname(short)} && printf '[Manager]\nDefaultTimeoutStartSec=3\n' > ${short}`]);
    box.run(['systemctl', 'daemon-reload']);
    expect(box.run(['systemctl', 'show', '--value', '--property=DefaultTimeoutStartUSec']).stdout.trim()).toBe('3s');
    writeFileSync(here('dead'), '');
    box.kill(Number(property(server, 'MainPID')));
    const { failedTrial, consent } = await healthy('2.2.1');
    expect(failedTrial).toMatchObject({ version: '3.0.0', reason: expect.stringMatching(/died/) });
    expect(consent).toMatchObject({ state: 'not-asked', collecting: false });
    await eventually(() => expect(property(look, 'ActiveState')).toBe('inactive'), patience);
    // Its own file a look has to leave; nothing starts it any more.
    expect(unitFiles()).toEqual([recovery, server, server, recovery, look].sort());
    expect(property(look, 'Result')).toBe('success');
    box.run(['rm', short]);
    box.run(['systemctl', 'daemon-reload']);
    expect(property(server, 'OnFailure')).toBe('');
    expect(box.run(['journalctl', '--no-pager', '-u', look]).stdout).toContain('3.0.0 has failed its trial');
    rmSync(here('dead'));
  }, 300_000);

  test('a release on trial that somebody restarts again and again by systemctl stays, and is no less on trial', async () => {
    done('upgrade maildev');
    const codes = [1, 2, 3, 4, 5].map(() => box.run(['systemctl', 'restart', server]).code);
    // The limit of the trial counts these starts, too.
    expect(codes).toContain(1);
    const { trial } = await healthy('3.0.0');
    expect(trial).toEqual({ until: expect.any(String) });
    expect(JSON.parse(readFileSync(here('trial.json'), 'utf8'))).toMatchObject({ deaths: 0, verdict: null });

    deaf(true);
    box.run(['systemctl', 'stop', server]);
    expect(property(server, 'ActiveState')).toBe('failed');
    await looked();
    expect(instance()).toMatchObject({ version: '3.0.0', state: 'stopped', trial: { until: expect.any(String) } });
    deaf(false);
    expect(assent('start maildev').exit).toBe(0);
    done('rollback maildev');
    await healthy('2.2.1');
  }, 300_000);

  test('a server on trial that somebody has stopped stays stopped: where it took KILL, through a boot, and a rollback', async () => {
    done('upgrade maildev');
    deaf(true);
    expect(assent('stop maildev').exit).toBe(0);
    expect(property(server, 'ActiveState')).toBe('inactive');
    await looked();
    expect(instance()).toMatchObject({ version: '3.0.0', state: 'stopped', trial: { until: expect.any(String) } });
    deaf(false);
    await restsThroughBoot('3.0.0');
    done('rollback maildev');
    await restsThroughBoot('2.2.1');
    expect(assent('start maildev').exit).toBe(0);
    expect(property(server, 'UnitFileState')).toBe('enabled');
    await healthy('2.2.1');
  }, 300_000);

  test('one whose rollback would leave data behind stays, says so, and waits', async () => {
    done('upgrade maildev');
    writtenByServer('data/mail/written-since.eml');
    writeFileSync(here('sick'), '');
    const { trial } = await eventually(() => {
      const now = instance();
      expect(now.trial?.waits).toBeDefined();
      return now;
    }, patience);
    expect(trial.waits).toMatch(/would be left behind.*assent rollback maildev/);
    const said = (): string => box.run(['journalctl', '--no-pager', '-u', look]).stdout;
    await eventually(() => expect(said()).toContain('until you decide'), patience);
    // Nobody looks any more.
    await eventually(() => expect(property(timer, 'ActiveState')).toBe('inactive'), patience);
    expect(instance()).toMatchObject({ version: '3.0.0', state: 'running', trial: { waits: expect.any(String) } });
    rmSync(here('sick'));
    expect(unitFiles()).toContain(look);
    done('rollback maildev');
    expect((await healthy('2.2.1')).trial).toBeUndefined();
    expect(unitFiles()).toEqual([recovery, server, server, recovery].sort());
  }, 300_000);

  test('one that turns unwell is rolled back by its timer; an uninstall takes every unit away', async () => {
    done('upgrade maildev');
    writeFileSync(here('sick'), '');
    expect((await healthy('2.2.1')).failedTrial.reason).toMatch(/^it was unwell at \d+ looks in a row/);
    done('uninstall maildev --purge --ack purge-data');
    expect(unitFiles()).toEqual([]);
    for (const unit of [server, recovery, look, timer]) expect(property(unit, 'LoadState')).toBe('not-found');
    expect(spawnSync('find', [here()]).stdout.toString()).toBe('');
  }, 300_000);
});
