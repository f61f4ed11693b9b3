/** Looks that no kill takes: each plays an upgrade on the stage from `base`, and throws where the program does not do what it has to. */

import assert from 'node:assert/strict';
import { chownSync, existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readEntries } from '../../../src/instance/unfinished.ts';
import { crashed } from '../../support/crash.ts';
import { nobody } from '../../support/seed.ts';
import { name, type Stage, upgrade } from '../stage.ts';
import { callsTouching, traced } from '../strace.ts';

export type Look = (stage: Stage) => Promise<void>;

/** A line of the journal is on the disk before anything else of the home is touched. */
export const syncedAtOnce: Look = async ({ world }) => {
  const calls = callsTouching(world.home, (await traced(world, upgrade)).calls);
  const isJournal = (line: string | undefined): boolean => line?.includes('journal/open.jsonl>') === true;
  const writes = calls.flatMap(({ call, line }, index) => (call === 'write' && isJournal(line) ? [index] : []));
  assert.ok(writes.length > 10, 'the journal has its entries');
  for (const index of writes) {
    const next = calls[index + 1];
    assert.ok(next?.call === 'fsync' && isJournal(next.line), `synced before ${next?.line}`);
  }
};

/** What the server writes between the first copy of its data and its end comes over. */
export const lastWritesArrive: Look = async ({ place, fine }) => {
  const done = fine(...upgrade);
  const late = place('data/late');
  while (!existsSync(place('data.next/db.json'))) await pause(2);
  // The copy takes a moment more than its first file.
  await pause(50);
  writeFileSync(late, 'written while the first copy stood');
  if (nobody) chownSync(late, nobody.uid, nobody.gid);
  await done;
  assert.equal(existsSync(late) && readFileSync(late, 'utf8'), 'written while the first copy stood');
};

/** The new server can't make a folder of its data, and so does not answer. */
export const healthCounts: Look = async ({ world, place }) => {
  const inTheWay = place('data/public');
  writeFileSync(inTheWay, '');
  try {
    const { exit, stderr } = await world.run(upgrade);
    assert.equal(exit, 6, `exit ${exit}: ${stderr}`);
  } finally {
    rmSync(inTheWay, { force: true, recursive: true });
  }
};

export const secretsAreKept: Look = async ({ place, fine }) => {
  await fine(...upgrade);
  const files = readdirSync(place('secrets')).map((name) => join(place('secrets'), name));
  assert.ok(files.length > 0, 'there is a secret');
  for (const file of files) assert.equal(lstatSync(file).mode & 0o077, 0, `${file} is for its owner alone`);
};

/** What was begun last is undone first: otherwise the server of before starts on data that is not its own yet. */
export const undoneBackwards: Look = async ({ world, place, fine }) => {
  const { signal } = await crashed(world, upgrade, '"entry":"begin","step":"health"');
  assert.equal(signal, 'SIGKILL');
  await fine('recover', name);
  const { entries } = readEntries(place('journal/000002-upgrade.jsonl'));
  const stepsOf = (kind: string): unknown[] => entries.filter(({ entry }) => entry === kind).map(({ step }) => step);
  assert.ok(stepsOf('begin').length > 5, 'it had come far');
  assert.deepEqual(stepsOf('undone'), stepsOf('begin').toReversed());
};
