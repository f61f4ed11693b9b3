/** What an uninstall keeps can be purged later, too; a name of which nothing is left is not there. */

import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { quickProduct } from '../support/quick-product.ts';
import { freePorts, sandbox } from '../support/sandbox.ts';
import { scenario } from '../support/scenario.ts';

it('purges what was kept, once it is acknowledged', async () => {
  const product = quickProduct(sandbox(), 'maildev');
  const world = await scenario([`${product}@2.2.1`]);
  const [web, smtp] = await freePorts(2);
  const settings = ['--set', `webPort=${web}`, '--set', `smtpPort=${smtp}`];
  const done = async (...args: string[]) => expect((await world.run([...args, '--yes'])).exit, args.join(' ')).toBe(0);
  await done('install', `${product}@2.2.1`, ...settings, '--telemetry=off');
  await done('uninstall', 'maildev');
  expect((await world.run(['uninstall', 'maildev', '--yes'])).exit).toBe(10);
  // Whoever looks for it is told where that lies, how it comes back and how it goes.
  const told = [world.path('instances/maildev'), `assent install ${product}`, 'assent uninstall maildev --purge'];
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
  await done('uninstall', 'maildev', '--purge', '--ack', 'purge-data');
  expect(existsSync(world.path('instances/maildev'))).toBe(false);
  expect((await world.json(['status'])).document.hints).toBeUndefined();
  expect((await world.run(['uninstall', 'maildev', '--purge', '--ack', 'purge-data', '--yes'])).exit).toBe(10);
});
