/**
 * A network that tampers with what is fetched for an installation. The command fails with exit 5 and says why, before its deadline; nothing outside of the cache is touched, and
 * everything in the cache is what its name says. The next run meets an honest network: it succeeds, and asks only for what the cache lacks.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, removeSandbox } from '../support/sandbox.ts';
import { endScenario, makeScenario, type Scenario } from '../support/scenario.ts';
import { nobody, repository } from '../support/seed.ts';
import { set } from '../support/steps.ts';
import type { Attack, AttackOptions, Tally } from './attack.ts';
import { chanceOf } from './chance.ts';
import { deal } from './changes.ts';
import { type Archive, archivesOf, isGood, type Registry, startRegistry } from './network/registry.ts';
import { troubles } from './network/spoils.ts';
import { endProcesses, product, versions } from './stage.ts';

export const network: Attack = {
  name: 'network',
  title: 'a registry, and a network before it, that tampers with what is fetched',
  atLeast: 60,
  run: async (tally, options) => {
    const ids = chosen(options);
    if (!ids.some((id) => tally.wants(id))) return;
    const places: Place[] = [];
    try {
      for (let job = 0; job < options.jobs; job++) places.push(await makePlace());
      await deal(places, ids, (place, id) => attackOne(place, id, tally, options));
    } finally {
      for (const place of places) {
        place.registry.close();
        await endScenario(place.world);
      }
    }
  },
};

/** Each trouble three times in the full tier; in the quick one six that end soon. */
const chosen = ({ full, seed }: AttackOptions): string[] => {
  const names = Object.keys(troubles);
  if (full) return [1, 2, 3].flatMap((round) => names.map((name) => `${name}:${round}`));
  const soon = names.filter((name) => !troubles[name]?.waits);
  return chanceOf(seed, 'network')
    .some(soon, 6)
    .map((name) => `${name}:1`);
};

/** A home that has everything but the release that is installed, and a user whose npm knows the registry. */
interface Place {
  readonly world: Scenario;
  readonly registry: Registry;
  readonly archives: readonly Archive[];
  readonly port: number;
}

const makePlace = async (): Promise<Place> => {
  // The test store fetches both; what is lent is only the old one.
  const store = await makeScenario([`${product}@${versions.new}`]);
  await endScenario(store);
  const world = await makeScenario([`${product}@${versions.old}`]);
  const archives = archivesOf(
    join(repository, 'test/fixtures/products/json-server/locks', versions.new, 'package-lock.json'),
  );
  const registry = await startRegistry(archives);
  writeFileSync(join(world.folder, 'user/.npmrc'), `registry=${registry.url}/\n`);
  for (const part of ['instances', 'staging']) {
    mkdirSync(world.path(part), { recursive: true });
    if (nobody) chownSync(world.path(part), nobody.uid, nobody.gid);
  }
  const place = { world, registry, archives, port: await freePort() };
  // So that everything that a first run makes for itself is there.
  assert.equal((await install(place)).exit, 0);
  forget(place);
  return place;
};

const attackOne = async (place: Place, id: string, tally: Tally, { seed }: AttackOptions): Promise<void> => {
  const held = await tally.check(id, () => tamperedWith(place, id, seed));
  if (!held || tally.wants(id)) forget(place);
};

const tamperedWith = async (place: Place, id: string, seed: number): Promise<void> => {
  const { registry, archives, world } = place;
  const chance = chanceOf(seed, `network ${id}`);
  const trouble = troubles[id.slice(0, id.lastIndexOf(':'))];
  assert.ok(trouble, id);
  const victim = chance.one(archives).path;
  const all = chance.whole(3) === 0;
  const before = looksBeside(world);
  registry.spoil = { how: trouble.spoil(chance, archives), whom: (path) => all || path === victim };
  const { exit, document } = await install(place);
  registry.spoil = undefined;
  if (trouble.code === 'none') {
    assert.equal(exit, 0, JSON.stringify(document.error));
    return;
  }
  assert.equal(exit, 5, JSON.stringify(document));
  assert.equal(document.error.code, trouble.code, document.error.message);
  assert.match(document.error.message, trouble.says);
  assert.notEqual(document.error.advice, '');
  assert.equal(looksBeside(world), before, 'something outside of the cache was touched');
  const kept = inCache(world);
  assert.ok(
    kept.every((file) => isGood(world.path('cache'), file)),
    'the cache keeps something that it should not',
  );
  registry.asked.length = 0;
  const again = await install(place);
  assert.equal(again.exit, 0, JSON.stringify(again.document.error));
  assert.equal(registry.asked.length, archives.length - kept.length, 'what the cache had was fetched again');
};

const install = ({ world, port }: Place) =>
  world.json(['install', `${product}@${versions.new}`, ...set({ webPort: port }), '--yes', '--telemetry=off']);

/** Everything as before the installation, and no cache. */
const forget = ({ world }: Place): void => {
  endProcesses(world.home);
  rmSync(world.path('cache'), { recursive: true, force: true });
  for (const part of ['instances', 'staging'])
    for (const name of readdirSync(world.path(part))) rmSync(world.path(part, name), { recursive: true });
  const releases = world.path('releases/json-server');
  for (const name of readdirSync(releases).filter((one) => one.startsWith(versions.new)))
    removeSandbox(join(releases, name));
};

const inCache = (world: Scenario): string[] => {
  const top = world.path('cache/sha512');
  if (!existsSync(top)) return [];
  return readdirSync(top).flatMap((head) => readdirSync(join(top, head)).map((rest) => `${head}/${rest}`));
};

/** What a failed download must leave alone: the user's own files, the home's; of releases and runtimes the names, for they are sealed. */
const looksBeside = (world: Scenario): string => {
  const hash = createHash('sha256');
  const walk = (path: string, depth: number): void => {
    const stat = lstatSync(path);
    hash.update(`${path} ${stat.mode} ${stat.uid}\n`);
    if (stat.isFile() && depth > 3) hash.update(readFileSync(path));
    if (!stat.isDirectory() || depth === 0) return;
    for (const name of readdirSync(path).sort()) walk(join(path, name), depth - 1);
  };
  walk(join(world.folder, 'user'), 20);
  for (const part of ['instances', 'staging']) walk(world.path(part), 20);
  for (const part of ['releases', 'runtimes']) walk(world.path(part), 2);
  hash.update(
    readdirSync(world.home)
      .filter((name) => name !== 'cache')
      .join(),
  );
  return hash.digest('hex');
};
