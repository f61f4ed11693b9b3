/**
 * The server that a change finds, on one real server: it is stopped before anything is switched beneath it, also where its release is missing or it was started while
 * the change prepared itself; and it goes on until all that it needs to come up again is there. And what lies in backups/ goes when it may, and not when it is somebody's own.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { atStep, pausedAt } from '../faults/paused.ts';
import { type Looks, leftovers, looksOf } from '../support/oracle.ts';
import { fallibleMailDev } from '../support/quick-product.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Document, endScenario, makeScenario, type Scenario } from '../support/scenario.ts';
import { repository } from '../support/seed.ts';
import { eventually } from '../support/service.ts';
import { answers, change, putFile, refused, set } from '../support/steps.ts';

/** As in field-notes.test.ts: entries of an upgrade's journal. */
const writes = { startBegun: 20, commit: 24 } as const;

let folder: string;
let world: Scenario;
let port: number;
let old: Looks;

beforeAll(async () => {
  folder = makeSandbox();
  const product = fallibleMailDev(folder);
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
beforeEach(async () => {
  expect((await world.run(['start', 'maildev'])).exit).toBe(0);
  expect(await looks()).toEqual(old);
});

const instance = (...parts: string[]): string => world.path('instances/maildev', ...parts);
const looks = (): Promise<Looks> => looksOf(world, 'maildev', async () => String(await answers(port)));
const put = (path: string, text: string): void => putFile(instance(path), text, instance());
const statusOf = async (): Promise<Document> => (await world.json(['status', 'maildev'])).document.instance;
const toRemedy = ({ id, remedy }: Document): string[] => [id, remedy];
const withoutRelease = (): void => {
  const release = join(instance(), readlinkSync(instance('current')));
  rmSync(release, { recursive: true });
};

it('a reinstall of a release that has gone stops its server before it copies and switches the data', async () => {
  withoutRelease();
  const paused = await pausedAt({ world }, atStep('second-copy'), ['reinstall', 'maildev', '--yes', '--telemetry=off']);
  expect(await answers(port)).toBe(false);
  const { exit, stderr } = await paused.end();
  expect(exit, stderr).toBe(0);
  expect(await looks()).toEqual(old);
  expect(leftovers(world, 'maildev')).toEqual([]);
});

it('an upgrade from such a one that fails leaves it stopped and says why; a reinstall brings it back', async () => {
  withoutRelease();
  put('sick-3.0.0', '');
  const { error } = await refused(world, 6, 'change-undone', 'upgrade', 'maildev');
  expect(error.advice).toContain('stopped: its release is missing');
  expect((await world.run(['recover', 'maildev'])).exit).toBe(0);
  expect(await answers(port)).toBe(false);
  rmSync(instance('sick-3.0.0'));
  expect((await change(world, 'reinstall', 'maildev')).instance).toMatchObject({ version: '2.2.1', state: 'running' });
});

it('a server that is started while an upgrade prepares itself is not switched away beneath itself', async () => {
  expect((await world.run(['stop', 'maildev'])).exit).toBe(0);
  const stopped = await looksOf(world, 'maildev', async () => 'nobody is asked');
  const args = ['upgrade', 'maildev', '--yes', '--json', '--telemetry=off'];
  const paused = await pausedAt({ world }, { opening: 'config.next' }, args);
  const foreground = world.start(['run', 'maildev']);
  await eventually(async () => expect(await answers(port)).toBe(true));
  const { exit, stdout } = await paused.end();
  expect({ exit, ...JSON.parse(stdout) }).toMatchObject({
    exit: 3,
    changed: false,
    error: { code: 'refused-changed-meanwhile', message: expect.stringContaining('its server') },
  });
  expect(await answers(port)).toBe(true);
  expect(await looksOf(world, 'maildev', async () => 'nobody is asked')).toEqual(stopped);
  expect(leftovers(world, 'maildev')).toEqual([]);
  foreground.kill('SIGTERM');
  await eventually(async () => expect(await statusOf()).toMatchObject({ version: '2.2.1', state: 'stopped' }));
});

it.each([
  ['missing', undefined],
  ['damaged', '\x7fELF\x02\x01\x01'],
])('goes on while its private Node, which is %s, is replaced, as doctor advises', async (_, text) => {
  const node = world.path('runtimes/node-24.21.0/bin/node');
  spawnSync('cp', ['-al', join(repository, '.test-store/cache/.'), world.path('cache')]);
  // What was lent is a second name of another's file, and is not written.
  rmSync(node);
  if (text !== undefined) writeFileSync(node, text, { mode: 0o555 });
  const about = async () => (await world.json(['doctor', 'maildev'])).document.findings.map(toRemedy);
  expect(await about()).toEqual([['runtime', 'assent reinstall maildev']]);
  expect(await answers(port)).toBe(true);
  const { plan } = await change(world, 'reinstall', 'maildev');
  const steps = plan.map(({ step }: Document) => step);
  expect(steps.slice(0, steps.indexOf('stop'))).toContain('runtime');
  expect(await looks()).toEqual(old);
  expect(await about()).toEqual([]);
});

it('what a reinstall has replaced is kept until the next one, and what an admin has put beside it for good', async () => {
  const backups = (kind: string): string[] => readdirSync(instance('backups')).filter((name) => name.endsWith(kind));
  put('backups/keep-me/dump.sql', 'by hand');
  put('backups/000007-upgrade of mine/dump.sql', 'by hand, too');
  await change(world, 'reinstall', 'maildev');
  const [first = ''] = backups('-reinstall');
  expect(readFileSync(instance('backups', first, 'data/kept.eml'), 'utf8')).toContain('kept');
  await change(world, 'reinstall', 'maildev');
  expect(backups('-reinstall')).toHaveLength(1);
  expect(existsSync(instance('backups', first))).toBe(false);
  for (const own of ['keep-me', '000007-upgrade of mine'])
    expect(readdirSync(instance('backups', own))).toEqual(['dump.sql']);
});

describe('an interrupted upgrade whose releases are both gone', () => {
  const crashAt = join(repository, 'test/support/crash-at.mjs');
  const crash = (entry: number) =>
    world.run(['upgrade', 'maildev', '--yes'], {
      env: { NODE_OPTIONS: `--import=${crashAt}`, ASSENT_TEST_CRASH: String(entry) },
    });
  const withoutReleases = (): void => rmSync(world.path('releases/maildev'), { recursive: true });

  it.each([
    ['undone before its commit', writes.startBegun, '2.2.1'],
    ['finished behind it', writes.commit, '3.0.0'],
  ])('is %s, says that the server is not up, and is mended by a reinstall', async (_, entry, version) => {
    expect((await crash(entry)).signal).toBe('SIGKILL');
    withoutReleases();
    const { exit, document } = await world.json(['recover', 'maildev']);
    expect({ exit, ...document }).toMatchObject({ exit: 0, outcome: 'recovered' });
    expect(document.warnings).toContainEqual(
      expect.objectContaining({ id: 'not-started', message: expect.stringContaining('missing') }),
    );
    const { instance: now } = await change(world, 'reinstall', 'maildev');
    expect(now).toMatchObject({ version, state: 'running', health: 'healthy' });
    expect(readFileSync(instance('data/kept.eml'), 'utf8')).toContain('kept');
  });
});
