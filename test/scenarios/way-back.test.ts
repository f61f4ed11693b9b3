/**
 * One real server that was upgraded, and what a rollback needs of it: where that has gone it is refused, and nothing begins with nothing. And a copy of the instance's folder
 * under another name, which is an instance of its own: whatever is done to it, the first one answers.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fallibleMailDev } from '../support/quick-product.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Document, endScenario, makeScenario, readJson, type Scenario } from '../support/scenario.ts';
import { answers, change, putFile, refused, set } from '../support/steps.ts';

let folder: string;
let world: Scenario;
let port: number;
let product: string;

beforeAll(async () => {
  folder = makeSandbox();
  product = fallibleMailDev(folder);
  world = await makeScenario([`${product}@2.2.1`, `${product}@3.0.0`]);
  const [webPort = 0, smtpPort = 0] = await freePorts(2);
  port = webPort;
  await change(world, 'install', `${product}@2.2.1`, ...set({ webPort, smtpPort }));
  putFile(instance('data/kept.eml'), 'Subject: kept\n\nmail\n', instance());
  copied('early');
  await change(world, 'upgrade', 'maildev', '--to', '3.0.0');
});
afterAll(async () => {
  await endScenario(world);
  removeSandbox(folder);
});

const instance = (...parts: string[]): string => world.path('instances/maildev', ...parts);
const copied = (name: string): void =>
  expect(spawnSync('cp', ['-a', instance(), world.path('instances', name)]).status).toBe(0);
const versionOf = async (name: string): Promise<Document> => (await world.json(['status', name])).document.instance;
const findings = async (name: string): Promise<Document> => (await world.json(['doctor', name])).document;

describe('a rollback', () => {
  /** With a part of the backup moved away, and back again. */
  const without = async (part: string, look: () => Promise<void>): Promise<void> => {
    const [backup = ''] = readdirSync(instance('backups'));
    const [path, away] = [join(instance('backups', backup), part), join(folder, 'away')];
    renameSync(path, away);
    await look().finally(() => renameSync(away, path));
  };

  it('that is to take the data of then is refused where they are gone', () =>
    without('data', async () => {
      const { error } = await refused(world, 3, 'refused-check', 'rollback', 'maildev', '--data', 'then');
      expect(error.message).toMatch(/^The data of then, .*\/data, are gone\.$/);
      expect(await versionOf('maildev')).toMatchObject({ version: '3.0.0', state: 'running' });
      const drill = await world.json(['doctor', 'maildev', '--drill']);
      expect(drill.document.error.message).toContain('are gone');
    }));

  it('is refused where its backup is gone, for the configuration of then went with it', () =>
    without('', async () => {
      const { error } = await refused(world, 3, 'refused-check', 'rollback', 'maildev', '--data', 'now');
      expect(error.message).toMatch(/^The backup of a rollback, .*, is gone\.$/);
      expect((await findings('maildev')).findings).toMatchObject([{ id: 'rollback-backup' }]);
    }));
});

describe('a copy of its folder under another name', () => {
  it('is an instance of its own, which stops and starts nothing of the first', async () => {
    const pid = readJson(instance('run/process.json')).child.pid;
    copied('copy');
    expect(await versionOf('copy')).toMatchObject({ name: 'copy', state: 'stopped' });
    for (const args of [
      ['stop', 'copy'],
      ['telemetry', 'off', 'copy'],
    ])
      expect((await world.run(args)).exit).toBe(0);
    for (const word of ['start', 'restart', 'run']) {
      const { exit, document } = await world.json([word, 'copy']);
      expect({ exit, code: document.error?.code }, word).toEqual({ exit: 3, code: 'refused-check' });
      expect(document.error.message).toContain(`copy is a copy of ${instance()}`);
    }
    expect(await answers(port)).toBe(true);
    const [webPort = 0, smtpPort = 0] = await freePorts(2);
    await change(world, 'reinstall', 'copy', ...set({ webPort, smtpPort }));
    expect((await world.run(['start', 'copy'])).exit).toBe(0);
    expect(await versionOf('copy')).toMatchObject({ name: 'copy', version: '3.0.0', state: 'running' });
    expect(await answers(webPort)).toBe(true);
    expect(readFileSync(world.path('instances/copy/data/kept.eml'), 'utf8')).toContain('mail');
    expect(await answers(port)).toBe(true);
    expect(readJson(instance('run/process.json')).child.pid).toBe(pid);
  });

  it('has no rollback, for the configuration of then names the folder of the first', async () => {
    await refused(world, 10, 'no-previous', 'rollback', 'copy');
    expect(await versionOf('copy')).toMatchObject({ previous: null });
    const { findings: toMend, notes } = await findings('copy');
    expect(toMend.filter(({ id }: Document) => id.startsWith('rollback'))).toEqual([]);
    expect(notes).toContainEqual(expect.objectContaining({ id: 'rollback-none' }));
  });

  it('has none either behind an upgrade before its configuration was written anew', async () => {
    const [webPort = 0, smtpPort = 0] = await freePorts(2);
    await change(world, 'upgrade', 'early', '--to', '3.0.0', ...set({ webPort, smtpPort }));
    expect(readJson(world.path('instances/early/instance.json'))).toMatchObject({ previous: null });
    await refused(world, 10, 'no-previous', 'rollback', 'early');
    await change(world, 'uninstall', 'early', '--purge', '--ack', 'purge-data');
    expect(await answers(port)).toBe(true);
  });

  it('goes, and takes nothing of the first with it', async () => {
    await change(world, 'uninstall', 'copy', '--purge', '--ack', 'purge-data');
    expect(existsSync(world.path('instances/copy'))).toBe(false);
    expect(await answers(port)).toBe(true);
    expect((await change(world, 'rollback', 'maildev')).instance).toMatchObject({ version: '2.2.1', state: 'running' });
  });
});
