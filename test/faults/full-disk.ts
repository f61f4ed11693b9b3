/**
 * Disks that are really full, of bytes or of inodes: a filesystem in memory is given a size between far too small and just enough, and an upgrade is made on it. It succeeds, or is
 * refused beforehand with nothing touched, or is undone; what fails must have been refused beforehand in at least 95 of 100 cases, which the full tier alone has enough of to judge. Others have the disk fill up behind an entry of the
 * journal, so that nothing is left for the undo: it needs nothing.
 *
 * Each filesystem by itself: the instances' own, the home's with the instances elsewhere (releases, staging and cache), and one for all.
 */

import assert from 'node:assert/strict';
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { changeSteps } from '../../src/change/plan.ts';
import { cachePath } from '../../src/source/artifact.ts';
import { parseNpmLock } from '../../src/source/npm-lock.ts';
import { realWorld } from '../../src/system/world.ts';
import { removeSandbox } from '../support/sandbox.ts';
import { nobody, repository } from '../support/seed.ts';
import { touchedDigest } from '../support/steps.ts';
import type { Attack, AttackOptions, Tally } from './attack.ts';
import { type Chance, chanceOf } from './chance.ts';
import { cannotMount, inMemory, mountTmpfs, resizeTmpfs, unmount } from './memory-disk.ts';
import { endProcesses, makeStage, type Stage, upgrade, versions } from './stage.ts';
import { between, butFor, holds, type Sides, sideOf } from './truth.ts';

const layouts = ['instances', 'store', 'home'] as const;
type Layout = (typeof layouts)[number];

export const fullDisk: Attack = {
  name: 'full-disk',
  title: 'disks without bytes or inodes for an upgrade, before it and in the middle of it',
  atLeast: 100,
  cannot: cannotMount,
  run: async (tally, options) => {
    const count: Count = { failed: 0, refused: 0 };
    for (const layout of layouts) {
      if (!tally.wants(layout)) continue;
      await inMemory(async (point) => {
        assert.ok(point, 'a filesystem in memory');
        await attackOne(layout, point, tally, options, count);
      });
    }
    if (count.failed === 0) return;
    const share = Math.floor((100 * count.refused) / count.failed);
    tally.note(`${share} % of what had no room was refused beforehand`);
    if (count.failed >= enough) assert.ok(share >= 95, `refused beforehand: ${count.refused} of ${count.failed}`);
  },
};

/** Cases that could not succeed for their size, and how many of them were refused beforehand. */
interface Count {
  failed: number;
  refused: number;
}

/** Of fewer no share can be told; a choice of cases has about ten. */
const enough = 40;

const shares = { quick: { sizes: 4, filled: 1 }, full: { sizes: 36, filled: 8 } };

interface Place {
  readonly stage: Stage;
  readonly sides: Sides;
  readonly layout: Layout;
  /** The filesystem whose size is changed. */
  readonly disk: string;
  /** What the plan says it needs there. */
  readonly needs: Room;
}

interface Room {
  readonly bytes: number;
  readonly inodes: number;
}

const attackOne = async (
  layout: Layout,
  point: string,
  tally: Tally,
  options: AttackOptions,
  count: Count,
): Promise<void> => {
  const stage = await makeStage();
  const instances = stage.world.path('instances');
  mkdirSync(instances, { recursive: true });
  if (layout !== 'home') assert.equal(mountTmpfs(instances, 'size=1g,mode=0755'), undefined);
  try {
    if (nobody) chownSync(instances, nobody.uid, nobody.gid);
    const place = await prepare(stage, layout, layout === 'instances' ? instances : point);
    const { sizes, filled } = options.full ? shares.full : shares.quick;
    for (let n = 0; n < sizes; n++)
      await play(place, `${layout}:size:${n}`, tally, options, (chance) => ofSize(place, chance, count));
    for (let n = 0; n < filled; n++)
      await play(place, `${layout}:filled:${n}`, tally, options, (chance) => filledUp(place, chance));
  } finally {
    endProcesses(stage.world.home);
    if (layout !== 'home') unmount(instances);
    await stage.close();
  }
};

const play = async (
  place: Place,
  id: string,
  tally: Tally,
  { seed }: AttackOptions,
  work: (chance: Chance) => Promise<boolean>,
): Promise<void> => {
  let isTouched = true;
  await tally.check(id, async () => {
    isTouched = await work(chanceOf(seed, `full-disk ${id}`));
  });
  resizeTmpfs(place.disk, ample);
  if (isTouched && tally.wants(id)) await layBack(place);
};

const ample = 'size=4g,nr_inodes=1000000';

/** An installation with data that weigh something; the release to upgrade to lies in the cache, but where the instances alone are short of room. */
const prepare = async (stage: Stage, layout: Layout, disk: string): Promise<Place> => {
  await stage.install('no');
  const data = stage.place('data');
  for (let n = 0; n < 60; n++) putFile(join(data, 'kept', `${n}`), Buffer.alloc(100_000, n));
  if (layout !== 'instances') lendArchives(stage);
  stage.keep('base');
  const old = await sideOf(stage);
  await stage.fine(...upgrade);
  const sides = butFor(between(old, await sideOf(stage), upgrade), 'unwritten');
  const unmeasured = { stage, sides, layout, disk, needs: { bytes: 0, inodes: 0 } };
  await layBack(unmeasured);
  return { ...unmeasured, needs: await needsOf(unmeasured) };
};

const putFile = (path: string, bytes: Uint8Array): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  if (nobody) for (const one of [path, dirname(path)]) chownSync(one, nobody.uid, nobody.gid);
};

/** What the test store has fetched of the release, as if it had been fetched here. */
const lendArchives = ({ world }: Stage): void => {
  const file = join(repository, 'test/fixtures/products/json-server/locks', versions.new, 'package-lock.json');
  for (const { integrity } of parseNpmLock(readFileSync(file, 'utf8'), file, realWorld()).packages) {
    const to = cachePath(world.path('cache'), integrity);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(cachePath(join(repository, '.test-store/cache'), integrity), to);
    const made = [to, dirname(to), dirname(dirname(to)), world.path('cache')];
    if (nobody) for (const one of made) chownSync(one, nobody.uid, nobody.gid);
  }
};

const layBack = async ({ stage, layout }: Pick<Place, 'stage' | 'layout'>): Promise<void> => {
  await stage.layBack('base');
  if (layout === 'instances') return;
  const releases = stage.world.path('releases/json-server');
  for (const name of readdirSync(releases).filter((one) => one.startsWith(versions.new)))
    removeSandbox(join(releases, name));
};

/** As the refusals on a disk with nothing left tell it. */
const needsOf = async (place: Place): Promise<Room> => {
  const ask = async (room: Partial<Room>): Promise<string> => {
    leave(place.disk, room);
    const { document } = await place.stage.world.json([...upgrade, '--dry-run']);
    resizeTmpfs(place.disk, ample);
    assert.equal(document.error?.code, 'refused-space', JSON.stringify(document));
    return document.error.message;
  };
  const bytes = /(\d+) MB are needed/.exec(await ask({ bytes: 0 }))?.[1];
  const inodes = /, (\d+) are needed/.exec(await ask({ inodes: 0 }))?.[1];
  return { bytes: Number(bytes) * 1e6, inodes: Number(inodes) };
};

/** Gives the filesystem a size that leaves this much; what is not named is ample. */
const leave = (disk: string, { bytes, inodes }: Partial<Room>): void => {
  const { blocks, bfree, bsize, files, ffree } = statfsSync(disk);
  const size = bytes === undefined ? '4g' : String((blocks - bfree) * bsize + Math.max(bytes, 0));
  const most = inodes === undefined ? 1_000_000 : files - ffree + inodes;
  resizeTmpfs(disk, `size=${size},nr_inodes=${most}`);
};

/** A size by chance, from nothing to a little more than what is needed. True where the instance has been changed. */
const ofSize = async (place: Place, chance: Chance, count: Count): Promise<boolean> => {
  const { stage, disk, needs } = place;
  const kind = chance.one(['bytes', 'bytes', 'inodes'] as const);
  leave(disk, { [kind]: chance.whole(Math.round(needs[kind] * 1.15)) });
  const before = stillOf(stage);
  const { exit, document } = await stage.world.json([...upgrade]);
  const full = stillOf(stage);
  resizeTmpfs(disk, ample);
  if (exit === 0) {
    assert.equal(await holds(stage, place.sides, 1), 'new');
    return true;
  }
  count.failed += 1;
  if (exit === 3 && document.error.code === 'refused-space') {
    if (/^There is not enough space/.test(document.error.message)) count.refused += 1;
    assert.equal(full, before, `refused, and something was touched: ${document.error.message}`);
    return false;
  }
  assert.equal(exit, 6, `exit ${exit}: ${JSON.stringify(document.error)}`);
  assert.equal(await holds(stage, place.sides, 1), 'old');
  return true;
};

/** The disk fills up behind an entry of the journal, and stays full until the command has ended. */
const filledUp = async (place: Place, chance: Chance): Promise<boolean> => {
  const { stage, disk, sides } = place;
  const step = chance.one(changeSteps.filter((one) => one !== 'account' && one !== 'rest'));
  const env = { NODE_OPTIONS: `--import=${pauseAt}`, ASSENT_TEST_PAUSE: `"entry":"begin","step":"${step}"` };
  const running = stage.world.json([...upgrade], { env });
  const pid = await Promise.race([pausedIn(stage.place('journal/open.jsonl')), running.then(() => undefined)]);
  if (pid === undefined) throw new Error(`it never came to ${step}: ${JSON.stringify((await running).document.error)}`);
  leave(disk, { [chance.one(['bytes', 'inodes'] as const)]: 0 });
  process.kill(pid, 'SIGCONT');
  const { exit, document } = await running;
  assert.ok(exit === 0 || exit === 6, `full at ${step}: exit ${exit}: ${JSON.stringify(document.error)}`);
  assert.equal(document.instance?.unfinished, undefined);
  assert.equal(await holds(stage, sides, 1), exit === 0 ? 'new' : 'old');
  return true;
};

const pauseAt = join(repository, 'test/support/pause-at.mjs');

/** Who holds the journal, once it stands still. */
const pausedIn = async (journal: string): Promise<number | undefined> => {
  for (let waited = 0; waited < 6000; waited++) {
    const pid = /"pid":(\d+)/.exec(existsSync(journal) ? readFileSync(journal, 'utf8') : '')?.[1];
    if (pid && /^State:\s+T/m.test(statusOf(pid))) return Number(pid);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
};

const statusOf = (pid: string): string => {
  const file = `/proc/${pid}/status`;
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

/**
 * Everything of the instance but what its server writes while it runs, with times of files and inodes: nothing of it may change where a change is refused. What has been prepared
 * may have been made and removed again: the room is looked at a second time behind that.
 */
const stillOf = ({ world, place }: Stage): string =>
  [
    touchedDigest(place(), ['logs', 'run'], { times: 'files' }),
    readdirSync(world.path('releases/json-server')).join(),
  ].join(' ');
