/**
 * A failed trial's rollback is for the installation that was judged, and for no other: whoever changes the instance while it looks and plans has the
 * last word. One look at a time. The server is down in all of it, so that nobody looks but who is told to.
 */

import { existsSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { pausedAt } from '../faults/paused.ts';
import { mailDevOnTrial } from '../support/quick-product.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Document, endScenario, makeScenario, readJson, type Scenario } from '../support/scenario.ts';
import { eventually } from '../support/service.ts';
import { change, putFile, set } from '../support/steps.ts';

const name = 'maildev';
let folder: string;
let world: Scenario;

beforeAll(async () => {
  folder = makeSandbox();
  const product = mailDevOnTrial(folder, 60);
  world = await makeScenario([`${product}@2.2.1`, `${product}@3.0.0`]);
  const [web, smtp] = await freePorts(2);
  await change(world, 'install', `${product}@2.2.1`, ...set({ webPort: web ?? 0, smtpPort: smtp ?? 0 }));
});

afterAll(async () => {
  await endScenario(world);
  removeSandbox(folder);
});

const inside = (path: string): string => world.path('instances', name, path);
const status = async (): Promise<Document> => (await world.json(['status', name])).document.instance;
const trial = ['trial', name];
/** What a rollback reads first, once it knows from which installation it goes back. */
const resolving = { opening: 'releases/maildev/2.2.1-' };

/** 3.0.0 on trial, and found to have failed it. */
beforeEach(async () => {
  await world.run(['start', name]);
  if ((await status()).version === '3.0.0') await change(world, 'rollback', name);
  await change(world, 'upgrade', name);
  await world.run(['stop', name]);
  const { changedAt } = readJson(inside('instance.json'));
  const verdict = { at: new Date().toISOString(), reason: 'it died 3 times' };
  const seen = { bad: 0, badSince: null, restarts: 3, deaths: 3, verdict, ending: null, detail: '' };
  putFile(inside('trial.json'), JSON.stringify({ format: 1, of: changedAt, ...seen }), inside('.'));
});

it('an admin who has gone back meanwhile is not sent forward again to the failed release', async () => {
  const looking = await pausedAt({ world }, '"ending":"acting"', trial);
  await change(world, 'rollback', name);
  expect(await looking.end()).toMatchObject({ exit: 0, stdout: expect.stringContaining('nothing was looked at') });
  expect(await status()).toMatchObject({ version: '2.2.1', previous: '3.0.0' });
  expect(await status()).not.toHaveProperty('failedTrial');
});

it('one who changes it while the look works out what would be lost finds nothing of the old trial', async () => {
  putFile(inside('data/mail/since.eml'), 'Subject: since\n', inside('data'));
  const looking = await pausedAt({ world }, resolving, trial);
  await change(world, 'reinstall', name);
  expect(await looking.end()).toMatchObject({ exit: 0, stdout: expect.stringContaining('nothing was looked at') });
  expect(existsSync(inside('trial.json'))).toBe(false);
});

it('nobody looks while somebody does, neither by hand nor because the server has been started', async () => {
  const looking = await pausedAt({ world }, resolving, trial);
  expect((await world.run(trial)).stdout).toContain('nothing was looked at');
  expect(await world.run(['start', name])).toMatchObject({ exit: 0 });
  await eventually(
    async () => expect((await world.run(['logs', name])).stdout).toContain('has failed its trial'),
    60_000,
  );
  await new Promise((done) => setTimeout(done, 2000));
  expect(existsSync(inside('run/trial.log'))).toBe(false);
  expect((await looking.end()).exit).toBe(0);
  expect(await status()).toMatchObject({ version: '2.2.1', failedTrial: { version: '3.0.0' } });
});

it('a change that another one has overtaken between its target and its plan is refused', async () => {
  const slow = await pausedAt({ world }, resolving, ['rollback', name, '--yes', '--telemetry=off', '--json']);
  await change(world, 'rollback', name);
  const before = readJson(inside('instance.json'));
  const { exit, stdout } = await slow.end();
  expect([exit, JSON.parse(stdout).error.code]).toEqual([3, 'refused-changed-meanwhile']);
  expect(readJson(inside('instance.json'))).toEqual(before);
});

it('a rollback that holds is brought to its end, whatever tells it to end behind its commit', async () => {
  const looking = await pausedAt({ world }, '"entry":"commit"', trial);
  looking.child.kill('SIGTERM');
  expect(await looking.end()).toMatchObject({ exit: 0, stdout: expect.stringContaining('brought to its end first') });
  expect(await status()).toMatchObject({ version: '2.2.1', failedTrial: { version: '3.0.0' } });
  expect(await status()).not.toHaveProperty('unfinished');
});

it('a server that takes mail while its rollback is prepared is started again with it, and waits for a decision', async () => {
  const verdict = readJson(inside('trial.json'));
  rmSync(inside('trial.json'));
  expect(await world.run(['start', name])).toMatchObject({ exit: 0 });
  const { pid } = readJson(inside('run/process.json')).supervisor;
  process.kill(pid, 'SIGSTOP');
  putFile(inside('trial.json'), JSON.stringify(verdict), inside('.'));
  const looking = await pausedAt({ world }, '"entry":"open"', trial);
  process.kill(pid, 'SIGCONT');
  putFile(inside('data/mail/late.eml'), 'Subject: late\n', inside('data'));
  putFile(inside('sick'), '', inside('.'));
  const { exit, stdout } = await looking.end();
  expect(exit, stdout).toBe(0);
  expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/would be left behind.*assent rollback maildev/);
  rmSync(inside('sick'));
  expect(await status()).toMatchObject({ version: '3.0.0', state: 'running', trial: { waits: expect.any(String) } });
  expect(await status()).not.toHaveProperty('unfinished');
  expect(existsSync(inside('data/mail/late.eml'))).toBe(true);
  expect((await world.run(['recover', name])).exit).toBe(0);
});
