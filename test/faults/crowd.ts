/**
 * Several commands at once on one instance. One of them wins; every other one ends at once with exit 9 and names who holds it, or finds that there is nothing to do any more. What
 * happens to the holder meanwhile: nothing, it is stopped, killed, or the file of its lock is replaced by another, or by a link. And `telemetry off`, which nobody can keep
 * waiting: whatever the change then does, the withdrawal stands.
 */

import assert from 'node:assert/strict';
import { chownSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Document } from '../support/scenario.ts';
import { nobody } from '../support/seed.ts';
import type { Attack } from './attack.ts';
import { type Chance, chanceOf } from './chance.ts';
import { changes, deal, type Ready, withStages } from './changes.ts';
import { consentOf } from './consents.ts';
import { atStep, beforeOpening, pausedAt } from './paused.ts';
import { name, purging, reinstall, rollback, type Stage, uninstall, upgrade, versions } from './stage.ts';
import { butFor, generationOf, holds, settled } from './truth.ts';

export const crowd: Attack = {
  name: 'crowd',
  title: '2, 4, 8 commands at once; the holder stopped or killed; the lock replaced; a withdrawal meanwhile',
  atLeast: 100,
  run: async (tally, options) => {
    const all = roundsOf();
    const ids = options.full ? all : chanceOf(options.seed, 'crowd').some(all, quickShare);
    const slowest = { ms: 0 };
    await withStages({ ...changes.upgrade, args: () => upgrade }, options, async (ready) => {
      await deal(ready, ids, async (one, id) => {
        const held = await tally.check(id, () => round(one, id, chanceOf(options.seed, `crowd ${id}`), slowest));
        if (!held || generationOf(one.stage) === 0) await one.stage.layBack('base');
      });
    });
    tally.note(`the last of those turned away was so after ${(slowest.ms / 1000).toFixed(1)} s`);
  },
};

const quickShare = 8;
const crowds = [2, 4, 8] as const;
const steps = [
  'generation',
  'stop',
  'data',
  'config',
  'current',
  'state',
  'service',
  'consent',
  'start',
  'health',
  'commit',
];

/** A hundred and some: each kind of round, at each point, in crowds of each size. */
const roundsOf = (): string[] => [
  ...steps.flatMap((step) => crowds.flatMap((many) => [`stopped:${step}:${many}`, `killed:${step}:${many}`])),
  ...crowds.flatMap((many) => [1, 2, 3, 4].map((time) => `race:${time}:${many}`)),
  ...['opening', 'generation', 'state'].flatMap((point) =>
    ['gone', 'file', 'link'].map((how) => `lock:${point}:${how}`),
  ),
  ...['generation', 'data', 'consent', 'start'].map((step) => `both:${step}`),
  ...['generation', 'answer'].map((line) => `withdrawn-inside:${line}`),
  ...steps.filter((step) => step !== 'commit').map((step) => `withdrawn:${step}`),
];

/** Every command here says a no, and all but the withdrawals are held against nothing else. */
const round = async ({ stage, sides }: Ready, id: string, chance: Chance, slowest: { ms: number }): Promise<void> => {
  const ready = { stage, sides: butFor(sides, 'noes') };
  const [kind = '', point = '', how = ''] = id.split(':');
  const rounds: Record<string, () => Promise<void>> = {
    stopped: () => turnedAway(ready, point, Number(how) - 1, chance, slowest, 'stopped'),
    killed: () => turnedAway(ready, point, Number(how) - 1, chance, slowest, 'killed'),
    race: () => raced(ready, Number(how)),
    lock: () => lockReplaced(ready, point, how as LockFate),
    both: () => bothInside(ready, point),
    withdrawn: () => withdrawn(ready, atStep(point)),
    'withdrawn-inside': () => withdrawn(ready, `"kind":"${point}"`),
  };
  const play = rounds[kind];
  assert.ok(play, `there is no ${kind}`);
  await stage.layBack('base');
  await play();
};

/** The holder stands at a step, and all others come meanwhile. Killed, it leaves the instance to `recover`. */
const turnedAway = async (
  { stage, sides }: Ready,
  step: string,
  many: number,
  chance: Chance,
  slowest: { ms: number },
  fate: 'stopped' | 'killed',
): Promise<void> => {
  const before = generationOf(stage);
  const holder = await pausedAt(stage, atStep(step), upgrade);
  try {
    const others = Array.from({ length: many }, () => chance.one(commands));
    await Promise.all(others.map((words) => isTurnedAway(stage, words, holder.pid, step, slowest)));
    if (fate === 'killed') holder.child.kill('SIGKILL');
    const run = await holder.end();
    assert.equal(fate === 'killed' ? run.signal : run.exit, fate === 'killed' ? 'SIGKILL' : 0, run.stderr);
  } finally {
    holder.child.kill('SIGKILL');
  }
  if (fate === 'stopped') assert.equal(await holds(stage, sides, before), 'new');
  else {
    const next = await stage.world.json(reinstall);
    assert.equal(next.exit, 8, next.stderr);
    assert.equal(await settled(stage, sides, before), step === 'commit' ? 'new' : 'old');
  }
};

const commands: readonly (readonly string[])[] = [
  upgrade,
  reinstall,
  rollback,
  uninstall,
  purging,
  ['start', name],
  ['stop', name],
  ['restart', name],
  ['recover', name],
];

const isTurnedAway = async (
  { world }: Stage,
  words: readonly string[],
  pid: number,
  step: string,
  slowest: { ms: number },
): Promise<void> => {
  const started = performance.now();
  const { exit, document, stderr } = await world.json(words);
  const took = performance.now() - started;
  slowest.ms = Math.max(slowest.ms, took);
  const what = `${words[0]}: exit ${exit}: ${stderr}`;
  assert.equal(exit, 9, what);
  assert.equal(document.error.code, 'instance-busy', what);
  for (const word of [`pid ${pid}`, 'upgrade', step === 'commit' ? 'step' : `"${step}"`])
    assert.ok(document.error.message.includes(word), `${word}: ${what}`);
  assert.ok(took < 2000 * overload(), `${words[0]} was turned away after ${Math.round(took)} ms`);
};

/** By how much more is to be done here than the machine can do. */
const overload = (): number => Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());

/** All at once, and nobody is stopped: whoever does not win is turned away, comes too late for its plan, or finds it done. */
const raced = async ({ stage, sides }: Ready, many: number): Promise<void> => {
  const before = generationOf(stage);
  const runs = await Promise.all(Array.from({ length: many }, () => stage.world.json(upgrade)));
  const winners = runs.filter(({ document }) => document.changed === true && document.ok);
  assert.equal(winners.length, 1, JSON.stringify(runs.map(({ exit, document }) => [exit, document.error?.message])));
  for (const { exit, document } of runs) {
    const fine = exit === 0 || exit === 9 || (exit === 3 && document.error.code === 'refused-changed-meanwhile');
    assert.ok(fine, `exit ${exit}: ${document.error?.message}`);
    if (exit === 9) assert.match(document.error.message, /pid \d+.*at step/);
  }
  assert.equal(generationOf(stage), before + 1, 'one change, one generation');
  assert.equal(await holds(stage, sides, before), 'new');
};

type LockFate = 'gone' | 'file' | 'link';

/** Somebody tidies up: the lock's file is another while its holder lives. Still only one of the two changes anything. */
const lockReplaced = async ({ stage, sides }: Ready, point: string, how: LockFate): Promise<void> => {
  const before = generationOf(stage);
  const holder = await pausedAt(stage, point === 'opening' ? beforeOpening : atStep(point), upgrade);
  try {
    const canary = join(stage.world.folder, 'canary');
    writeFileSync(canary, 'what nobody has asked for\n');
    replaceLock(stage, how, canary);
    const other = await stage.world.json(upgrade);
    const first = await holder.end();
    const exits = [first.exit, other.exit];
    const told = JSON.stringify([exits, first.stderr, other.document.error]);
    assert.equal(exits.filter((exit) => exit === 0).length, 1, `exactly one wins: ${told}`);
    assert.ok(
      exits.every((exit) => [0, 3, 9].includes(exit ?? -1)),
      told,
    );
    assert.equal(readFileSync(canary, 'utf8'), 'what nobody has asked for\n');
  } finally {
    holder.child.kill('SIGKILL');
    rmSync(lockOf(stage), { force: true });
  }
  assert.equal(generationOf(stage), before + 1, 'one change, one generation');
  assert.equal(await holds(stage, sides, before), 'new');
};

/** Two are inside, since the lock's file was replaced between them: who comes to the opening entry as the second takes nothing from the first. */
const bothInside = async ({ stage, sides }: Ready, step: string): Promise<void> => {
  const before = generationOf(stage);
  const late = await pausedAt(stage, beforeOpening, upgrade);
  replaceLock(stage, 'file', '');
  const early = await pausedAt(stage, atStep(step), upgrade);
  try {
    const second = await late.end();
    assert.ok([3, 9].includes(second.exit ?? -1), `exit ${second.exit}: ${second.stderr}`);
    const first = await early.end();
    assert.equal(first.exit, 0, first.stderr);
  } finally {
    for (const { child } of [late, early]) child.kill('SIGKILL');
  }
  assert.equal(generationOf(stage), before + 1, 'one change, one generation');
  assert.equal(await holds(stage, sides, before), 'new');
};

const lockOf = ({ world }: Stage): string => world.path('locks', `${name}.lock`);

const replaceLock = (stage: Stage, how: LockFate, canary: string): void => {
  rmSync(lockOf(stage));
  if (how === 'link') symlinkSync(canary, lockOf(stage));
  if (how !== 'file') return;
  writeFileSync(lockOf(stage), '', { mode: 0o600 });
  if (nobody) chownSync(lockOf(stage), nobody.uid, nobody.gid);
};

/** A yes is being carried through, and is taken back while that stands still: whatever it holds, `telemetry off` ends before it goes on. */
const withdrawn = async ({ stage, sides }: Ready, text: string): Promise<void> => {
  const before = generationOf(stage);
  const { document } = await stage.world.json(['telemetry', 'notice', name, '--to', versions.new]);
  const saying = ['--telemetry=on', `--telemetry-notice=${document.notice.id}`];
  const holder = await pausedAt(stage, text, [...upgrade.slice(0, -1), ...saying]);
  try {
    const off = await stage.world.json(['telemetry', 'off', name]);
    assert.equal(off.exit, 0, off.stderr);
    assert.equal((await consentOf(stage)).collecting, false);
    const run = await holder.end();
    assert.equal(run.exit, 0, run.stderr);
  } finally {
    holder.child.kill('SIGKILL');
  }
  const consent: Document = await consentOf(stage);
  assert.equal(consent.state, 'withdrawn', JSON.stringify(consent));
  assert.equal((await stage.world.json(['telemetry', 'history', name])).exit, 0, 'the log is whole');
  assert.equal(await holds(stage, sides, before), 'new');
};
