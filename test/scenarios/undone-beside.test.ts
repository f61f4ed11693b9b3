/** An undo does not hang on the copy that it no longer needs: where that can't be removed, everything of before is back all the same, and it goes with `recover`. Found by the attack `hostile`. */

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { atStep, pausedAt } from '../faults/paused.ts';
import { name, product, upgrade, versions } from '../faults/stage.ts';
import { freePort, isRoot } from '../support/sandbox.ts';
import { scenario } from '../support/scenario.ts';

test('a copy that can not be removed is told of, and the server of before runs', async ({ skip }) => {
  skip(!isRoot, 'only root can put something in the way that the owner of the data may not remove');
  const world = await scenario([`${product}@${versions.old}`, `${product}@${versions.new}`]);
  const settings = ['--set', `webPort=${await freePort()}`, '--yes', '--telemetry=off'];
  expect(await world.run(['install', `${product}@${versions.old}`, ...settings])).toMatchObject({ exit: 0 });

  const paused = await pausedAt({ world }, atStep('second-copy'), upgrade);
  const copy = world.path('instances', name, 'data.next');
  const held = join(copy, 'held');
  mkdirSync(held);
  writeFileSync(join(held, 'file'), '');
  paused.child.kill('SIGINT');
  const { exit, stderr } = await paused.end();
  expect(stderr).toContain('could not be removed');
  expect(exit).toBe(6);
  const { instance } = (await world.json(['status', name])).document;
  expect(instance).toMatchObject({ version: versions.old, state: 'running', health: 'healthy' });
  expect(instance.unfinished).toBeUndefined();

  expect(existsSync(held)).toBe(true);
  rmSync(held, { recursive: true });
  expect(await world.run(['recover', name])).toMatchObject({ exit: 0 });
  expect(existsSync(copy)).toBe(false);
});
