/**
 * A signal that comes while a change does steps of which none waits for anything is heard before its commit, and everything is undone; before the journal is opened nothing is left.
 * Behind a commit none is: whoever recovers goes on.
 * Found by the attack `signals`.
 */

import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { atStep, pausedAt } from '../faults/paused.ts';
import { endProcesses } from '../faults/stage.ts';
import { crashed } from '../support/crash.ts';
import { editManifest } from '../support/quick-product.ts';
import { freePort, sandbox } from '../support/sandbox.ts';
import { scenario } from '../support/scenario.ts';
import { repository } from '../support/seed.ts';

const original = join(repository, 'test/fixtures/products/json-server');
const product = `${original}/manifest.yaml@0.17.4`;

/** The same with a server that has to stay healthy for three seconds: so long it takes at least to start it. */
const slowProduct = (): string => {
  const folder = join(sandbox(), 'json-server');
  cpSync(original, folder, { recursive: true });
  editManifest(join(folder, 'manifest.yaml'), (manifest) => {
    for (const { health } of (manifest as { releases: { health: { stableSeconds: number } }[] }).releases)
      health.stableSeconds = 3;
  });
  return `${join(folder, 'manifest.yaml')}@0.17.4`;
};

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

it('behind the preparations, right before anything is opened, ends the change with nothing left of them', async () => {
  const world = await scenario([product]);
  const install = ['install', product, '--set', `webPort=${await freePort()}`, '--yes', '--telemetry=off', '--json'];
  const instance = world.path('instances/json-server');
  const paused = await pausedAt({ world }, { opening: 'release.json', once: join(instance, 'config.next') }, install);
  expect(readdirSync(instance)).toContain('data.next');
  paused.child.kill('SIGTERM');
  const { exit, stdout } = await paused.end();
  expect(JSON.parse(stdout)).toMatchObject({ changed: false, error: { code: 'cancelled', exit } });
  expect(existsSync(instance)).toBe(false);
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

it('in a recovery that is starting the server lets it come up, and is no word of nothing having changed', async () => {
  const slow = slowProduct();
  const world = await scenario([slow]);
  const port = await freePort();
  const yes = ['--yes', '--telemetry=off'];
  expect(await crashed(world, ['install', slow, '--set', `webPort=${port}`, ...yes], '"entry":"close"')).toMatchObject({
    signal: 'SIGKILL',
  });
  endProcesses(world.home);
  const supervised = world.path('instances/json-server/run/process.json');
  rmSync(supervised);
  const recovery = world.start(['recover', 'json-server', '--json']);
  const ended = new Promise((resolve) => recovery.once('exit', resolve));
  await expect.poll(() => existsSync(supervised), { interval: 5 }).toBe(true);
  expect(recovery.exitCode, 'it runs when the signal comes').toBe(null);
  expect(recovery.kill('SIGTERM')).toBe(true);
  expect(await ended).toBe(0);
  expect((await world.json(['status', 'json-server'])).document.instance).toMatchObject({
    state: 'running',
    health: 'healthy',
  });
});
