/**
 * What goes wrong in this field, tried on one real server: the accidents that other installers' issue trackers are full of. Kills are
 * in kill.test.ts, signals in commands.test.ts, consent in consent.test.ts.
 */

import { once } from 'node:events';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { atStep, pausedAt } from '../faults/paused.ts';
import { type Looks, leftovers, looksOf } from '../support/oracle.ts';
import { fallibleMailDev } from '../support/quick-product.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Document, endScenario, makeScenario, type Scenario } from '../support/scenario.ts';
import { repository } from '../support/seed.ts';
import { answers, change, putFile, refused, set } from '../support/steps.ts';
import { terminal } from '../support/terminal.ts';

const crashAt = join(repository, 'test/support/crash-at.mjs');
/** The writes to an upgrade's journal: the opening entry, two for each of eleven steps, the commit, the end. */
const writes = { secondCopyDone: 7, startBegun: 20, commit: 24 } as const;

let folder: string;
let product: string;
let world: Scenario;
let port: number;
let old: Looks;

beforeAll(async () => {
  folder = makeSandbox();
  product = fallibleMailDev(folder);
  world = await makeScenario([`${product}@2.2.1`, `${product}@3.0.0`]);
  const [webPort = 0, smtpPort = 0] = await freePorts(2);
  port = webPort;
  await change(world, 'install', `${product}@2.2.1`, ...set({ webPort, smtpPort }));
  put('data/kept.eml', 'Subject: kept\n\nmail\n');
  old = await looks();
});
afterAll(async () => {
  await endScenario(world);
  removeSandbox(folder);
});

const instance = (...parts: string[]): string => world.path('instances/maildev', ...parts);
const looks = (): Promise<Looks> => looksOf(world, 'maildev', async () => String(await answers(port)));
const put = (path: string, text: string, base = instance()): void => putFile(join(base, path), text, base);
const statusOf = async (): Promise<Document> => (await world.json(['status', 'maildev'])).document.instance;
const crash = (args: readonly string[], at: number) =>
  world.run(args, { env: { NODE_OPTIONS: `--import=${crashAt}`, ASSENT_TEST_CRASH: String(at) } });

describe('an upgrade whose release does not start', () => {
  afterEach(async () => {
    for (const name of ['sick-3.0.0', 'sick-2.2.1']) rmSync(instance(name), { force: true });
    await world.run(['start', 'maildev']);
    expect(await looks()).toEqual(old);
    expect(leftovers(world, 'maildev')).toEqual([]);
  });

  it('is undone, with what it wrote set aside and its log kept', async () => {
    put('sick-3.0.0', '');
    const { error } = await refused(world, 6, 'change-undone', 'upgrade', 'maildev');
    const [, aside = ''] = /set aside in (\S+)/.exec(error.advice) ?? [];
    expect(readFileSync(join(aside, 'data/kept.eml'), 'utf8')).toContain('kept');
    expect(error.advice).toContain('2.2.1 with its data and configuration is back, running and healthy');
    expect(readFileSync(instance('logs/server.log'), 'utf8')).toContain("can't be started");
    expect(await looks()).toEqual(old);
  });

  it('stays stopped where it was found stopped', async () => {
    await world.run(['stop', 'maildev']);
    put('sick-3.0.0', '');
    const { error } = await refused(world, 6, 'change-undone', 'upgrade', 'maildev');
    expect(error.advice).toContain('stopped as it was found');
    expect(await statusOf()).toMatchObject({ version: '2.2.1', state: 'stopped' });
  });

  it('is as unhealthy as before where it was found so, and not stuck', async () => {
    for (const name of ['sick-2.2.1', 'sick-3.0.0']) put(name, '');
    expect((await world.run(['restart', 'maildev'])).exit).toBe(3);
    const { error } = await refused(world, 6, 'change-undone', 'upgrade', 'maildev');
    expect(error.advice).toContain('as unhealthy as it was found');
    expect(await statusOf()).toMatchObject({ version: '2.2.1', state: 'failed', health: 'unhealthy' });
    rmSync(instance('sick-2.2.1'));
  });
});

it('leftovers of every kind neither block nor are taken for anything', async () => {
  put('data.next/half.eml', 'half', instance());
  put('config.next/maildev.conf', 'half');
  put('backups/000001-upgrade/data/precious.eml', 'from another time');
  put('.step', '9');
  put('journal/open.jsonl', '0123456789abcdef {"at":');
  put('feedfeedfeedfeed/half', 'half', world.path('staging'));
  put('feedfeedfeedfeed.lock', '', world.path('staging'));
  await change(world, 'reinstall', 'maildev');
  expect(existsSync(instance('data/half.eml'))).toBe(false);
  expect(leftovers(world, 'maildev')).toEqual([]);
  expect(await looks()).toEqual(old);
});

it('data that no state file knows of survive an install that is undone', async () => {
  const [webPort = 0, smtpPort = 0] = await freePorts(2);
  const lost = world.path('instances/lost');
  put('data/precious.eml', 'all there is', lost);
  put('backups/000001-install/data/precious.eml', 'and its backup', lost);
  put('sick-3.0.0', '', lost);
  await refused(
    world,
    6,
    'change-undone',
    'install',
    `${product}@3.0.0`,
    '--name',
    'lost',
    ...set({ webPort, smtpPort }),
  );
  expect(readFileSync(join(lost, 'data/precious.eml'), 'utf8')).toBe('all there is');
  expect(readFileSync(join(lost, 'backups/000001-install/data/precious.eml'), 'utf8')).toBe('and its backup');
  expect(readdirSync(join(lost, 'backups'))).toEqual(['000001-install']);
  rmSync(lost, { recursive: true });
});

it.each([
  ['empty', () => ''],
  ['zeros', (text: string) => '\0'.repeat(text.length)],
  ['cut', (text: string) => text.slice(0, -40)],
  ['of another kind', () => '[]'],
])('a state file that is damaged (%s) is refused and not touched', async (_, damage) => {
  const whole = readFileSync(instance('instance.json'), 'utf8');
  const damaged = damage(whole);
  writeFileSync(instance('instance.json'), damaged);
  try {
    for (const line of [`install ${product} --yes`, 'upgrade --yes', 'reinstall --yes', 'uninstall --yes', 'stop']) {
      const run = await world.json(line.split(' '));
      expect({ line, ...run.document.error }).toMatchObject({ code: 'refused-state-damaged', exit: 3 });
    }
    expect(readFileSync(instance('instance.json'), 'utf8')).toBe(damaged);
  } finally {
    writeFileSync(instance('instance.json'), whole);
  }
  expect(await looks()).toEqual(old);
});

it('while one command does its work, five others at once are told by whom', async () => {
  const held = await pausedAt({ world }, atStep('data'), ['reinstall', 'maildev', '--yes']);
  const runs = await Promise.all(Array.from({ length: 5 }, () => world.json(['reinstall', 'maildev', '--yes'])));
  for (const { document, exit } of runs) {
    expect({ exit, ...document.error }).toMatchObject({ exit: 9, code: 'instance-busy' });
    expect(document.error.message).toMatch(new RegExp(`pid ${held.pid}\\b.*step "[\\w-]+".*since \\d{4}-`));
  }
  expect(await held.end()).toMatchObject({ exit: 0 });
  expect(await looks()).toEqual(old);
});

it('what was changed while the plan was looked at is not overwritten', async () => {
  const [written = ''] = readdirSync(instance('config'));
  const before = readFileSync(instance('config', written));
  const screen = terminal(world, ['reinstall', 'maildev', '--telemetry=off']);
  await screen.see('Go ahead? (Y/n)');
  put(join('config', written), 'edited meanwhile');
  screen.type('\r');
  expect(await screen.ended()).toBe(3);
  expect(screen.text()).toContain('was changed meanwhile');
  expect(readFileSync(instance('config', written), 'utf8')).toBe('edited meanwhile');
  writeFileSync(instance('config', written), before);
});

it('what another run changed while the first question was looked at is not overwritten with what was read before it', async () => {
  const settings = () => JSON.parse(readFileSync(instance('instance.json'), 'utf8'));
  const screen = terminal(world, ['reinstall', 'maildev']);
  await screen.see('Count them? (y/N, p to preview)');
  await change(world, 'reinstall', 'maildev', '--set', 'sick=ill');
  const behind = settings();
  screen.type('\r');
  await screen.see('Count them? No');
  expect(await screen.ended()).toBe(3);
  expect(screen.text()).toContain('was changed meanwhile');
  expect(screen.text(), 'no plan is shown that was made from both').not.toContain('Go ahead?');
  expect(settings()).toEqual(behind);
  expect(behind.settings.sick).toBe('ill');
  await change(world, 'reinstall', 'maildev', '--set', 'sick=sick');
  expect(await looks()).toEqual(old);
});

it('every failure is one document that says what, why and what now', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const portTaken = typeof address === 'object' && address ? String(address.port) : '';
  const [web, smtp] = await freePorts(2);
  const file = world.path('a-file');
  writeFileSync(file, '');
  const cases: [number, string, string][] = [
    [4, 'confirmation-needed', 'upgrade maildev --telemetry=off'],
    [2, 'usage-setting', 'reinstall maildev --yes --set webPrt=1'],
    [2, 'usage-ack', 'upgrade maildev --yes --ack nothing'],
    [2, 'usage-option', 'upgrade maildev --yes --telemetrie=off'],
    [3, 'refused-port', `reinstall maildev --yes --set webPort=${portTaken}`],
    [3, 'refused-danger', 'uninstall maildev --yes --purge'],
    [3, 'refused-check', `install maildev --yes --set webPort=${web} --set smtpPort=${smtp} --home ${file}/home`],
    [10, 'no-previous', 'rollback maildev --yes'],
    [10, 'no-release', 'upgrade maildev --yes --to 9.9.9'],
    [10, 'no-instance', 'upgrade maildex --yes'],
  ];
  for (const [exit, code, line] of cases) {
    const run = await world.json(line.split(' '));
    expect({ line, ...run.document.error }).toMatchObject({ exit, code, message: /./, advice: /./ });
    expect({ line, exit: run.exit, ok: run.document.ok }).toEqual({ line, exit, ok: false });
  }
  taken.close();
  const nothing = await world.json(['recover', 'maildev']);
  expect(nothing).toMatchObject({ exit: 0, document: { outcome: 'unchanged', changed: false } });
  expect(await looks()).toEqual(old);
});

it('data behind a link are refused before anything is done', async () => {
  const elsewhere = join(world.folder, 'elsewhere');
  await world.run(['stop', 'maildev']);
  renameSync(instance('data'), elsewhere);
  symlinkSync(elsewhere, instance('data'));
  const { error } = await refused(world, 3, 'refused-check', 'upgrade', 'maildev');
  expect(error.message).toContain('is a link');
  rmSync(instance('data'));
  renameSync(elsewhere, instance('data'));
  await world.run(['start', 'maildev']);
  expect(await looks()).toEqual(old);
});

it('a release that has gone is stored anew by a reinstall, and no uninstall gets stuck on it', async () => {
  const release = join(instance(), readlinkSync(instance('current')));
  renameSync(release, `${release}-gone`);
  await refused(world, 3, 'refused-check', 'uninstall', 'maildev');
  expect((await statusOf()).unfinished).toBeUndefined();
  // The server still runs, on files that have no name: its own ports stand in nobody's way.
  const plan = await world.json(['reinstall', 'maildev', '--dry-run']);
  expect(plan.document).toMatchObject({ outcome: 'planned' });
  expect(plan.document.plan.map(({ id }: { id: string }) => id)).toContain('fetch');
  renameSync(`${release}-gone`, release);
  expect(await looks()).toEqual(old);
});

it('an interrupted upgrade is undone without the release that it was to', async () => {
  expect((await crash(['upgrade', 'maildev', '--yes'], writes.startBegun)).signal).toBe('SIGKILL');
  const release = join(instance(), readlinkSync(instance('current')));
  renameSync(release, `${release}-gone`);
  expect(await world.json(['recover', 'maildev'])).toMatchObject({ exit: 0, document: { outcome: 'recovered' } });
  renameSync(`${release}-gone`, release);
  expect(await looks()).toEqual(old);
});

it('recover goes no way that is closed, and loses nothing that a server wrote meanwhile', async () => {
  expect((await crash(['upgrade', 'maildev', '--yes'], writes.secondCopyDone)).signal).toBe('SIGKILL');
  // As a server does that a boot has started: the copy was made before.
  put('data/meanwhile.eml', 'Subject: meanwhile');
  expect((await world.run(['recover', 'maildev', '--finish'])).exit).toBe(0);
  expect(readFileSync(instance('data/meanwhile.eml'), 'utf8')).toContain('meanwhile');
  await change(world, 'rollback', 'maildev');
  expect((await crash(['upgrade', 'maildev', '--yes'], writes.commit)).signal).toBe('SIGKILL');
  const undo = await world.json(['recover', 'maildev', '--undo']);
  expect(undo).toMatchObject({ exit: 2, document: { error: { code: 'usage-option' } } });
  const recovered = await world.json(['recover', 'maildev']);
  expect(recovered).toMatchObject({ exit: 0, document: { outcome: 'recovered', instance: { version: '3.0.0' } } });
  // Rollback goes to and fro; a reinstallation in between keeps what can be gone back to, and its release.
  for (const version of ['2.2.1', '3.0.0', '2.2.1']) {
    expect((await change(world, 'rollback', 'maildev')).instance.version).toBe(version);
  }
  put('config/foreign.conf', 'theirs');
  expect(await change(world, 'reinstall', 'maildev')).toMatchObject({ instance: { previous: '3.0.0' } });
  expect(readFileSync(instance('config/foreign.conf'), 'utf8')).toBe('theirs');
});

it('no secret stands anywhere but in its own files', () => {
  const password = readFileSync(instance('secrets/webPassword'), 'utf8').trim();
  const own = /^(secrets|config|config\.base|backups\/[^/]+\/(secrets|config|config\.base))\//;
  const found = readdirSync(instance(), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(password))
    .map((path) => path.slice(instance().length + 1));
  expect(found).toContain('secrets/webPassword');
  expect(found.filter((path) => !own.test(path))).toEqual([]);
});
