/**
 * Killed while data is copied, which a child of the command does, and no call of its main thread tells of: the command, so that its child finds itself alone, or only the child.
 * There is so much data that a part of it lies there when the kill comes.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nobody } from '../../support/seed.ts';
import type { AttackOptions, Tally } from '../attack.ts';
import { chanceOf } from '../chance.ts';
import { type Change, changes, onBase, type Ready, withStages } from '../changes.ts';
import { commandWords } from '../paused.ts';
import type { Stage } from '../stage.ts';
import { generationOf, type Side, settled } from '../truth.ts';

const files = 5000;
const cases = { quick: 1, full: 6 } as const;

/** An upgrade of an instance with many files. */
const heavy: Change = {
  args: changes.upgrade.args,
  prepare: async (stage) => {
    await changes.upgrade.prepare(stage);
    fill(stage);
  },
};

const fill = ({ place }: Stage): void => {
  const folder = place('data/kept');
  mkdirSync(folder);
  const made = Array.from({ length: files }, (_, n) => join(folder, String(n)));
  for (const path of made) writeFileSync(path, Buffer.alloc(2000, path));
  if (nobody) for (const path of [folder, ...made]) chownSync(path, nobody.uid, nobody.gid);
};

export const killWhileCopying = async (tally: Tally, options: AttackOptions): Promise<void> => {
  if (!tally.wants('copy')) return;
  await withStages(heavy, { ...options, jobs: 1 }, async ([one]) => {
    for (let n = 1; n <= (options.full ? cases.full : cases.quick); n += 1) {
      const share = chanceOf(options.seed, `kill copy ${n}`).whole(80) / 100;
      // The last one of them, and the only one where there is one by the day, is the child's.
      const victim = n === cases.full ? 'child' : 'command';
      await tally.check(`copy:${n}`, (missed) => onBase(one, () => killedCopying(one, share, victim, missed)));
    }
  });
};

const killedCopying = async (
  { stage, sides }: Ready,
  share: number,
  victim: 'command' | 'child',
  missed: () => void,
): Promise<Side> => {
  const before = generationOf(stage);
  const command = start(stage);
  const ended = once(command, 'exit');
  const isCopied = (): number => filesIn(stage.place('data.next/kept'));
  while (command.exitCode === null && isCopied() < 1 + files * share) await sleep(1);
  const child = copierOf(command);
  if (child === undefined) missed();
  if (victim === 'command') command.kill('SIGKILL');
  else if (child !== undefined) process.kill(child, 'SIGKILL');
  const [exit, signal] = await ended;
  const told = `${victim} killed at ${isCopied()} of ${files} files: exit ${exit ?? signal}`;
  if (victim === 'child' && child !== undefined) assert.ok([3, 6].includes(exit), told);
  try {
    const side = await settled(stage, sides, before);
    assert.equal(side, exit === 0 ? 'new' : 'old');
    return side;
  } catch (error) {
    throw new Error(told, { cause: error });
  }
};

/** The command itself and not its launcher. */
const start = ({ world }: Stage): ChildProcess => {
  const [node = '', ...words] = commandWords(changes.upgrade.args());
  return spawn(node, words, { cwd: world.folder, env: world.env, stdio: 'ignore', ...nobody });
};

const filesIn = (folder: string): number => (existsSync(folder) ? readdirSync(folder).length : 0);

/** The child that works in trees, where there is one. */
const copierOf = ({ pid }: ChildProcess): number | undefined =>
  textOf(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((one) => textOf(`/proc/${one}/cmdline`).includes('tree-child'))
    .map(Number)[0];

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
