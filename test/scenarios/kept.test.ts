/** What an uninstall keeps can be purged later, too; a name of which nothing is left is not there. And an older release is given it only where that is accepted. */

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { editManifest, fallibleMailDev, quickProduct } from '../support/quick-product.ts';
import { freePorts, sandbox } from '../support/sandbox.ts';
import { type Document, readJson, scenario } from '../support/scenario.ts';
import { repository } from '../support/seed.ts';
import { change, putFile, refused, set } from '../support/steps.ts';

it('purges what was kept, once it is acknowledged, whatever has become of its product since', async () => {
  const product = quickProduct(sandbox(), 'maildev');
  const world = await scenario([`${product}@2.2.1`]);
  const [web, smtp] = await freePorts(2);
  const settings = ['--set', `webPort=${web}`, '--set', `smtpPort=${smtp}`];
  const done = async (...args: string[]) => expect((await world.run([...args, '--yes'])).exit, args.join(' ')).toBe(0);
  await done('install', `${product}@2.2.1`, ...settings, '--telemetry=off');
  // What a later version of its manifest wants to know is no matter of an uninstall.
  editManifest(product, ({ settings: all }) =>
    Object.assign(all as object, { later: { type: 'text', title: 'Later' } }),
  );
  await done('uninstall', 'maildev');
  expect((await world.run(['uninstall', 'maildev', '--yes'])).exit).toBe(10);
  // Whoever looks for it is told where that lies, how it comes back and how it goes.
  const told = [world.path('instances/maildev'), `assent install ${product}@2.2.1`, 'assent uninstall maildev --purge'];
  const { exit, document } = await world.json(['status', 'maildev']);
  expect({ exit, code: document.error.code }).toEqual({ exit: 10, code: 'no-instance' });
  const all = await world.json(['status']);
  expect(all).toMatchObject({ exit: 0, document: { instances: [] } });
  for (const part of told) {
    expect(document.error.advice).toContain(part);
    expect(all.document.hints.join()).toContain(part);
  }
  // What was agreed to can be asked for as long as its record is kept.
  for (const about of ['history', 'receipt']) {
    expect((await world.run(['telemetry', about, 'maildev'])).exit, about).toBe(0);
  }
  expect((await world.run(['uninstall', 'maildev', '--purge', '--yes'])).exit).toBe(3);
  expect(existsSync(world.path('instances/maildev/data'))).toBe(true);
  rmSync(product);
  rmSync(world.path('releases'), { recursive: true });
  await done('uninstall', 'maildev', '--purge', '--ack', 'purge-data');
  expect(existsSync(world.path('instances/maildev'))).toBe(false);
  expect((await world.json(['status'])).document.hints).toBeUndefined();
  expect((await world.run(['uninstall', 'maildev', '--purge', '--ack', 'purge-data', '--yes'])).exit).toBe(10);
});

it('of what was counted nothing is kept: recover erases what an uninstall could not', async () => {
  const product = join(repository, 'test/fixtures/products/json-server/manifest.yaml');
  const world = await scenario([`${product}@0.17.4`]);
  const [webPort = 0] = await freePorts(1);
  await change(world, 'install', `${product}@0.17.4`, ...set({ webPort }));
  await change(world, 'uninstall', 'json-server');
  const counts = world.path('instances/json-server/telemetry');
  putFile(join(counts, 'counts/2026-01-01.0123456789abcdef.json'), '{}', counts);
  const { exit, stdout, stderr } = await world.run(['recover', 'json-server']);
  expect(exit, stderr).toBe(0);
  expect(existsSync(counts)).toBe(false);
  // What comes next is what an uninstall says: there is nothing to be started.
  expect(stdout).toMatch(/JSON Server is not installed\..*brings it\s+back with what was kept/s);
  expect((await world.json(['recover', 'json-server'])).exit).toBe(10);
});

it('is given to an older release, which may not read it, only where that danger is accepted, and is then kept as it was', async () => {
  const product = fallibleMailDev(sandbox());
  const world = await scenario([`${product}@2.2.1`, `${product}@3.0.0`]);
  const instance = (...parts: string[]): string => world.path('instances/maildev', ...parts);
  const [webPort = 0, smtpPort = 0] = await freePorts(2);
  await change(world, 'install', `${product}@3.0.0`, ...set({ webPort, smtpPort }));
  putFile(instance('data/kept.eml'), 'in the format of 3.0.0', instance());
  await change(world, 'uninstall', 'maildev');
  const kept = readFileSync(instance('instance.json'), 'utf8');
  const older = ['install', `${product}@2.2.1`, '--name', 'maildev'];
  const { error } = await refused(world, 3, 'refused-danger', ...older);
  expect(error.message).toContain('[data-format] The data that was kept is in the format of 3.0.0');
  expect(readFileSync(instance('instance.json'), 'utf8')).toBe(kept);

  await change(world, ...older, '--ack', 'data-format');
  await change(world, 'reinstall', 'maildev');
  const [backup = ''] = readdirSync(instance('backups')).filter((name) => name.endsWith('-install'));
  expect(readFileSync(instance('backups', backup, 'data/kept.eml'), 'utf8')).toBe('in the format of 3.0.0');

  await change(world, 'uninstall', 'maildev');
  const { dangers } = await change(world, 'install', `${product}@3.0.0`, '--name', 'maildev');
  expect(dangers, 'a newer one reads what older ones wrote').toEqual([]);

  // As a release would have left it that knew other settings: what is not taken over is named, with what comes instead.
  const state = readJson(instance('instance.json'));
  const settings = { ...state.settings, sick: 'Well', gone: 7, webPassword: 'was plain' };
  putFile(instance('instance.json'), JSON.stringify({ ...state, settings }), instance());
  const { document, stdout } = await world.json(['reinstall', 'maildev', '--dry-run']);
  const dropped = document.warnings.filter(({ id }: Document) => id === 'setting-dropped');
  expect(dropped.map(({ message, remedy }: Document) => `${message} ${remedy}`)).toEqual([
    'The setting gone is not taken over to MailDev 3.0.0: this release has no such setting. Nothing to do, unless something of yours relies on it.',
    'The setting webPassword is not taken over to MailDev 3.0.0: it is a secret in this release. To choose it yourself: --set webPassword=@file:PATH.',
    'The setting sick is not taken over to MailDev 3.0.0: "Well" is not valid in this release, and becomes "sick". To choose it yourself: --set sick=VALUE.',
  ]);
  expect(stdout).not.toContain('was plain');
  expect((await world.run(['reinstall', 'maildev', '--dry-run'])).stdout).toContain(
    'The setting sick is not taken over',
  );
});
