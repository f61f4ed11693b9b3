/**
 * Files that an instance lives by, damaged while nothing runs: torn, a bit flipped, empty, zeros, two in one, of a later format, from another host. Damage is told
 * apart from absence, in words and by its code; nothing is counted; whatever would build on it refuses; and not a byte of it is lost.
 *
 * What is damaged and what then has to hold is beside this file: state.ts, records.ts (consent), store.ts.
 */

import assert from 'node:assert/strict';
import { chmodSync, chownSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readJson } from '../support/scenario.ts';
import type { Attack } from './attack.ts';
import { type Chance, chanceOf } from './chance.ts';
import { deal } from './changes.ts';
import type { Harm, Harmed } from './damage/harms.ts';
import { log, mark, record } from './damage/records.ts';
import { makeScene } from './damage/scene.ts';
import { instance, journal, tail } from './damage/state.ts';
import { seal, secret } from './damage/store.ts';
import { type Stage, upgrade } from './stage.ts';
import { between, type Sides, sideOf } from './truth.ts';

export interface Target {
  /** What it lies in: an instance that is stopped, or one in the middle of a change. */
  readonly from: 'base' | 'open';
  /** Below the instance's folder, or wherever it is. */
  readonly file: string | ((stage: Stage) => string);
  readonly harms: Readonly<Record<string, Harm>>;
  readonly holds: (scene: Scene) => Promise<void>;
}

export interface Scene {
  readonly stage: Stage;
  readonly whole: Buffer;
  readonly harmed: Harmed;
  /** The instance before the damage, and before the change that is open; there is no other side. */
  readonly sides: Sides;
  /** The manifest that it was installed from. */
  readonly manifest: string;
  /** For what can't be told to be damage. */
  readonly note: (what: string) => void;
}

const targets: Readonly<Record<string, Target>> = { instance, journal, tail, record, log, mark, secret, seal };

export const damage: Attack = {
  name: 'damage',
  title: 'damaged state: torn, a bit flipped, empty, zeros, joined, of a later format, from another host',
  atLeast: 60,
  run: async (tally, options) => {
    const all = Object.entries(targets).flatMap(([of, { harms }]) =>
      Object.keys(harms).flatMap((kind) => repeated(of, kind)),
    );
    const ids = options.full ? all : chanceOf(options.seed, 'damage').some(all, quickShare);
    const stages: Stage[] = [];
    const undetected: string[] = [];
    try {
      const scenes = await Promise.all(
        Array.from({ length: options.jobs }, async () => {
          const stage = await makeScene();
          stages.push(stage);
          stage.layStill('base');
          const side = await sideOf(stage);
          return { stage, sides: between(side, side, upgrade) };
        }),
      );
      await deal(scenes, ids, async ({ stage, sides }, id) => {
        await tally.check(id, () =>
          damaged(stage, sides, id, chanceOf(options.seed, `damage ${id}`), (what) => undetected.push(what)),
        );
      });
    } finally {
      await Promise.all(stages.map((stage) => stage.close()));
    }
    if (undetected.length > 0)
      tally.note(`${undetected.length} times a value was another valid one, which nothing could tell`);
  },
};

const quickShare = 14;

/** What chance decides is tried more than once. */
const repeated = (of: string, kind: string): string[] =>
  kind.startsWith('flipped')
    ? [1, 2, 3, 4].map((time) => `${of}:${kind}:${time}`)
    : kind === 'torn'
      ? [1, 2, 3].map((time) => `${of}:${kind}:${time}`)
      : [`${of}:${kind}`];

const damaged = async (
  stage: Stage,
  sides: Sides,
  id: string,
  chance: Chance,
  note: (what: string) => void,
): Promise<void> => {
  const [of = '', kind = ''] = id.split(':');
  const target = targets[of];
  const harm = target?.harms[kind];
  assert.ok(target && harm, `there is no ${id}`);
  stage.layStill(target.from);
  const { manifest } = readJson(stage.place('instance.json'));
  const file = typeof target.file === 'string' ? stage.place(target.file) : target.file(stage);
  const whole = readFileSync(file);
  const harmed = harm(whole, chance);
  assert.ok(!harmed.bytes.equals(whole), 'it is damaged');
  const mend = replace(file, harmed.bytes);
  harmed.beside?.(stage);
  try {
    await target.holds({ stage, whole, harmed, sides, manifest, note });
  } catch (error) {
    throw new Error(`${file}: ${harmed.what}`, { cause: error });
  } finally {
    if (typeof target.file !== 'string') mend();
  }
};

/** A new file, and not the old one written into: a release's files are hard links of others. Returns what puts the old bytes back. */
const replace = (file: string, bytes: Buffer): (() => void) => {
  const [before, { uid, gid, mode }] = [readFileSync(file), statSync(file)];
  const write = (content: Buffer): void => {
    rmSync(file);
    writeFileSync(file, content);
    chownSync(file, uid, gid);
    chmodSync(file, mode);
  };
  write(bytes);
  return () => write(before);
};
