/**
 * A release on trial, where `assent run` is the supervisor: one that dies, one that turns unwell and whose supervisor was killed, one whose rollback
 * would leave data behind, and a trial that is over. One instance goes through all of it; only the trials are short.
 */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { editManifest, mailDevOnTrial } from '../support/quick-product.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Document, endScenario, makeScenario, readJson, type Scenario } from '../support/scenario.ts';
import { eventually } from '../support/service.ts';
import { change, expectHealthy, putFile, set } from '../support/steps.ts';

const name = 'maildev';
const patience = 120_000;
const minutes = 2;

let folder: string;
let product: string;
let world: Scenario;

beforeAll(async () => {
  folder = makeSandbox();
  product = mailDevOnTrial(folder, minutes);
  world = await makeScenario([`${product}@2.2.1`, `${product}@3.0.0`]);
  const [web, smtp] = await freePorts(2);
  await change(world, 'install', `${product}@2.2.1`, ...set({ webPort: web ?? 0, smtpPort: smtp ?? 0 }));
});

afterAll(async () => {
  await endScenario(world);
  removeSandbox(folder);
});

const inside = (path: string): string => world.path('instances', name, path);
const put = (file: 'sick' | 'dead'): void => writeFileSync(inside(file), '');
const take = (file: 'sick' | 'dead'): void => rmSync(inside(file), { force: true });
const status = async (): Promise<Document> => (await world.json(['status', name])).document.instance;
const shown = async (): Promise<string> => (await world.run(['status', name])).stdout.replaceAll(/\s+/g, ' ');
const findings = async (): Promise<Document[]> => {
  const { document } = await world.json(['doctor', name]);
  return [...document.findings, ...document.notes];
};
const found = (id: string, level: string) => expect.objectContaining({ id, level });

const rolledBack = async (): Promise<Document> => {
  const instance = await eventually(async () => {
    const now = await status();
    expect(now).toMatchObject({ version: '2.2.1', state: 'running', health: 'healthy' });
    expect(now.unfinished).toBeUndefined();
    return now;
  }, patience);
  take('sick');
  take('dead');
  // The journal is closed before the last steps of the rollback, which still hold the instance.
  await eventually(async () => expect((await world.run(['recover', name])).exit).toBe(0), patience);
  return instance;
};

describe('a release on trial', () => {
  it('that dies again and again is rolled back by itself, once, and its yes is void', async () => {
    const planned = await world.json(['upgrade', name, '--dry-run']);
    expect(planned.document.plan.map(({ step }: Document) => step)).toContain('trial');
    const { notice } = (await world.json(['telemetry', 'notice', name, '--to', '3.0.0'])).document;
    const yes = ['--telemetry=on', `--telemetry-notice=${notice.id}`];
    const { exit, document, stderr } = await world.json(['upgrade', name, '--yes', ...yes]);
    expect(exit, stderr).toBe(0);
    expect(document).toMatchObject({ outcome: 'upgraded', consent: { collecting: true } });
    expect(document.instance.trial).toEqual({ until: expect.any(String) });
    expect(await findings()).toContainEqual(found('on-trial', 'note'));

    put('dead');
    process.kill(readJson(inside('run/process.json')).child.pid, 'SIGKILL');
    const instance = await rolledBack();
    expect(instance.failedTrial).toMatchObject({
      version: '3.0.0',
      reason: expect.stringMatching(/^it died \d times$/),
    });
    expect(instance).toMatchObject({ previous: '3.0.0', consent: { collecting: false, state: 'not-asked' } });
    expect(instance).not.toHaveProperty('trial');
    expect(readFileSync(inside('logs/server.log'), 'utf8')).toContain('3.0.0 has failed its trial: it died');
    expect(readFileSync(inside('run/trial.log'), 'utf8')).toContain('MailDev 2.2.1 is running');
    expect(await shown()).toContain('3.0.0 failed its trial and was rolled back by itself');
    expect(await findings()).toContainEqual(found('undone-by-trial', 'note'));
    // A rollback's own release is not on trial.
    expect((await world.run(['trial', name])).stdout).toContain('nothing is on trial');
  });

  it('that turns unwell without dying is rolled back: not for one bad look, but also where its supervisor was killed', async () => {
    await change(world, 'upgrade', name);
    expect(await status()).not.toHaveProperty('failedTrial');
    put('sick');
    const memory = () => readJson(inside('trial.json'));
    await eventually(() => expect(memory()).toMatchObject({ bad: 1, verdict: null }), patience);
    take('sick');
    await eventually(() => expect(memory()).toMatchObject({ bad: 0, verdict: null }), patience);
    await expectHealthy(world, name, '3.0.0');

    process.kill(readJson(inside('run/process.json')).supervisor.pid, 'SIGKILL');
    expect(await status()).toMatchObject({ version: '3.0.0', state: 'running', trial: {} });
    expect((await world.run(['restart', name])).exit).toBe(0);
    put('sick');
    expect((await rolledBack()).failedTrial.reason).toMatch(/^it was unwell at \d+ looks in a row/);
  });

  it('is not rolled back where data would be left behind: it says so, and waits', async () => {
    await change(world, 'upgrade', name);
    putFile(inside('data/mail/written-since.eml'), 'Subject: since\n', inside('data'));
    put('sick');
    const { trial } = await eventually(async () => {
      const instance = await status();
      expect(instance.trial?.waits).toBeDefined();
      return instance;
    }, patience);
    expect(trial.failed.reason).toMatch(/unwell/);
    expect(trial.waits).toMatch(/would be left behind.*assent rollback maildev/);
    expect(await shown()).toContain('3.0.0 failed its trial');
    expect(await findings()).toContainEqual(found('trial-failed', 'problem'));
    // It stays so, whoever looks again.
    expect((await world.run(['trial', name])).stdout).toContain('until you decide');
    expect(await status()).toMatchObject({ version: '3.0.0', state: 'running' });
    await change(world, 'rollback', name);
    expect(await status()).not.toHaveProperty('trial');
    take('sick');
  });

  it('stays once its trial is over, however it is then', async () => {
    editManifest(product, (manifest) => {
      for (const release of manifest['releases'] as { probation?: number }[])
        if (release.probation !== undefined) release.probation = 0.05;
    });
    await change(world, 'upgrade', name);
    await eventually(async () => expect(await status()).not.toHaveProperty('trial'), patience);
    expect((await world.run(['trial', name])).stdout).toContain('the trial is over');
    put('sick');
    for (let look = 0; look < 3; look += 1) {
      expect((await world.run(['trial', name])).exit).toBe(0);
      await new Promise((done) => setTimeout(done, 1500));
    }
    expect(await status()).toMatchObject({ version: '3.0.0', state: 'running', health: 'unhealthy' });
    expect(await findings()).not.toContainEqual(expect.objectContaining({ id: 'trial-failed' }));
  });
});
