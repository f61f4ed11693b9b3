/**
 * A signal that comes while a change does steps of which none waits for anything is heard before its commit, and everything is undone. Behind a commit none is: whoever recovers goes on.
 * Found by the attack `signals`.
 */

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { atStep, pausedAt } from '../faults/paused.ts';
import { crashed } from '../support/crash.ts';
import { freePort } from '../support/sandbox.ts';
import { scenario } from '../support/scenario.ts';
import { repository } from '../support/seed.ts';

const product = `${join(repository, 'test/fixtures/products/json-server/manifest.yaml')}@0.17.4`;

it.each(['current', 'state', 'consent'])('at the step %s of an uninstallation', async (step) => {
  const world = await scenario([product]);
  const yes = ['--yes', '--telemetry=off'];
  const install = ['install', product, '--set', `webPort=${await freePort()}`, ...yes];
  expect(await world.run(install)).toMatchObject({ exit: 0 });
  const paused = await pausedAt({ world }, atStep(step), ['uninstall', 'json-server', ...yes]);
  paused.child.kill('SIGINT');
  expect(await paused.end()).toMatchObject({ exit: 6 });
  const { instance } = (await world.json(['status', 'json-server'])).document;
  expect(instance).toMatchObject({ version: '0.17.4', state: 'running' });
  expect(instance.unfinished).toBeUndefined();
});

it('in a recovery behind the commit turns nothing back', async () => {
  const world = await scenario([product]);
  const yes = ['--yes', '--telemetry=off'];
  const install = ['install', product, '--set', `webPort=${await freePort()}`, ...yes];
  expect(await crashed(world, install, '"entry":"commit"')).toMatchObject({ signal: 'SIGKILL' });
  const paused = await pausedAt({ world }, '"entry":"resume"', ['recover', 'json-server']);
  paused.child.kill('SIGINT');
  expect(await paused.end()).toMatchObject({ exit: 0 });
  const { instance } = (await world.json(['status', 'json-server'])).document;
  expect(instance).toMatchObject({ version: '0.17.4', state: 'running', health: 'healthy' });
  expect(instance.unfinished).toBeUndefined();
});
