/**
 * Killed before its change has begun: nothing is open and nothing has changed, and `recover` removes what had been prepared, what was being written, and what lay in staging. Then
 * there is nothing left for a second one.
 */

import { chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { leftovers } from '../support/oracle.ts';
import { freePort } from '../support/sandbox.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { nobody, repository } from '../support/seed.ts';

const product = join(repository, 'test/fixtures/products/json-server/manifest.yaml');
const name = 'json-server';
const [old, fresh] = [`${product}@0.17.4`, `${product}@1.0.0-beta.15`];

/** Right before the opening entry. */
const killedPreparing = async (world: Scenario, ...args: string[]): Promise<void> => {
  const env = { NODE_OPTIONS: `--import=${join(repository, 'test/support/crash-at.mjs')}`, ASSENT_TEST_CRASH: '-1' };
  expect(await world.run([...args, '--yes', '--telemetry=off'], { env })).toMatchObject({ signal: 'SIGKILL' });
  expect(leftovers(world, name)).toEqual(expect.arrayContaining(['config.next', 'journal/reserve']));
};

const own = (path: string, make: (path: string, content: '') => unknown): void => {
  make(path, '');
  if (nobody) chownSync(path, nobody.uid, nobody.gid);
};

const recovers = async (world: Scenario): Promise<void> => {
  const { exit, document } = await world.json(['recover', name]);
  expect([exit, document.outcome, document.changed]).toEqual([0, 'recovered', true]);
  expect(leftovers(world, name)).toEqual([]);
};

it('an upgrade killed while it prepares leaves what recover removes, once', { timeout: 1_200_000 }, async () => {
  const world = await scenario([old, fresh]);
  const install = ['install', old, '--set', `webPort=${await freePort()}`];
  expect(await world.run([...install, '--yes', '--telemetry=off'])).toMatchObject({ exit: 0 });
  await killedPreparing(world, 'upgrade', name, '--to', '1.0.0-beta.15');
  // What writes that were killed leave: of the state file, of the record of consent; an erasing; and a folder in staging with its lock.
  const instance = (file: string): string => world.path('instances', name, file);
  for (const file of [instance('.instance.json.0123456789abcdef.part'), instance('consent.json.tmp-0123456789abcdef')])
    own(file, writeFileSync);
  own(world.path('staging/0123456789abcdef.lock'), writeFileSync);
  own(world.path('staging/0123456789abcdef'), (path) => mkdirSync(path));
  own(instance('telemetry.gone-0123456789abcdef'), (path) => mkdirSync(path));
  await recovers(world);
  const again = await world.json(['recover', name]);
  expect([again.exit, again.document.outcome, again.document.changed]).toEqual([0, 'unchanged', false]);
  expect((await world.json(['status', name])).document.instance).toMatchObject({ version: '0.17.4', state: 'running' });
});

it('of a first install killed while it prepares nothing is left', { timeout: 1_200_000 }, async () => {
  const world = await scenario([old]);
  await killedPreparing(world, 'install', old, '--set', `webPort=${await freePort()}`);
  await recovers(world);
  expect(readdirSync(world.path('instances'))).toEqual([]);
  expect((await world.json(['recover', name])).exit).toBe(10);
  expect(existsSync(world.path('staging')) ? readdirSync(world.path('staging')) : []).toEqual([]);
});
