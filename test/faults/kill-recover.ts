/**
 * Killed right before system calls of `recover`, behind a change that was killed: backward before its commit (`undo`), forward behind it (`finish`), and forward by hand
 * (`forced`, `--finish` before the commit). One `recover` more, and everything is old or new. And three kills in a row: in the change, in its recovery, and in the recovery of that;
 * and a change that was killed anywhere before its commit, and is finished by hand.
 *
 * A change is killed once for many cases, and what it left is laid back for each: where the way is back or by hand, without the servers, as a reboot leaves it; behind a commit the new
 * server goes on.
 */

import assert from 'node:assert/strict';
import type { Attack, AttackOptions, Tally } from './attack.ts';
import { type Chance, chanceOf } from './chance.ts';
import { type Change, type ChangeName, callsOf, changes, deal, onBase, type Ready, withStages } from './changes.ts';
import { endProcesses, name } from './stage.ts';
import { type CallAt, type CallMade, callsTouching, cannotTrace, type Traced, traced } from './strace.ts';
import { generationOf, holds, isOpen, type Side, settled } from './truth.ts';

export const killRecover: Attack = {
  name: 'kill-recover',
  title: 'kill -9 in `recover` behind a kill, both ways, and in a second one behind that',
  atLeast: 330,
  cannot: cannotTrace,
  run: async (tally, options) => {
    for (const [kind, change] of Object.entries(changes) as [ChangeName, Change][]) {
      const { points, triples, byHand } = sharesOf(kind, options);
      if (points.length + triples === 0 || ![kind, `triple:${kind}`, `by-hand:${kind}`].some(tally.wants)) continue;
      await withStages(change, options, async (ready) => {
        const all = await callsOf(change, ready[0]);
        const chosen = points.flatMap((towards, index) => pointOf(kind, towards, all, options.seed, index) ?? []);
        await deal(ready, chosen, (one, point) => attackPoint(tally, options, change, one, point));
        const numbers = Array.from({ length: triples }, (_, index) => index);
        await deal(ready, numbers, (one, number) => tripleKill(tally, options, change, one, { kind, all, number }));
        const chance = chanceOf(options.seed, `kill-recover by hand ${kind}`);
        const calls = chance.some(beforeCommit(all), byHand);
        await deal(ready, calls, (one, at) => finishByHand(tally, options, change, one, { kind, at }));
      });
    }
  },
};

type Towards = 'undo' | 'finish' | 'forced';

/** Where a change was killed, and which way its recovery goes. */
interface Point {
  readonly id: string;
  readonly towards: Towards;
  readonly at: CallAt;
}

/** Of each change: which ways are tried, each at a call of its own, and how often three kills. */
const shares: Readonly<Record<ChangeName, { undo: number; forced: number; finish: number; triples: number }>> = {
  upgrade: { undo: 7, forced: 3, finish: 3, triples: 10 },
  install: { undo: 3, forced: 1, finish: 1, triples: 5 },
  reinstall: { undo: 2, forced: 1, finish: 1, triples: 4 },
  rollback: { undo: 3, forced: 1, finish: 1, triples: 5 },
  uninstall: { undo: 2, forced: 0, finish: 1, triples: 3 },
  purge: { undo: 1, forced: 0, finish: 2, triples: 3 },
};
/** Kills in the recovery of each point; in the quick tier only those of an upgrade. */
const fullKills = 10;
const quickKills = 2;
/** Kills in a change that is then finished by hand. */
const fullByHand = 30;

interface Shares {
  readonly points: Towards[];
  readonly triples: number;
  readonly byHand: number;
}

const sharesOf = (kind: ChangeName, { full }: AttackOptions): Shares => {
  if (!full && kind !== 'upgrade') return { points: [], triples: 0, byHand: 0 };
  if (!full) return { points: ['undo', 'finish'], triples: 1, byHand: 1 };
  const { undo, forced, finish, triples } = shares[kind];
  const times = (count: number, towards: Towards): Towards[] => Array.from({ length: count }, () => towards);
  return {
    points: [...times(undo, 'undo'), ...times(forced, 'forced'), ...times(finish, 'finish')],
    triples,
    byHand: fullByHand,
  };
};

/** A call between those that open the change (or begin to stop the server, which a reboot does too), commit it, and close it. */
const pointOf = (
  kind: ChangeName,
  towards: Towards,
  all: readonly CallMade[],
  seed: number,
  index: number,
): Point | undefined => {
  const entry = (what: string): number => all.findIndex(({ line }) => line.includes(`\\"entry\\":\\"${what}`));
  const [begin, commit] = [Math.max(entry('open'), entry('begin\\",\\"step\\":\\"stop')), entry('commit')];
  assert.ok(begin >= 0 && commit > begin, 'the calls have the entries of the journal');
  // A purge ends when its folder goes.
  const last = all.findLastIndex(({ line }) => line.includes(`/instances/${name}`));
  const end = entry('close') > commit ? entry('close') : last;
  const among = towards === 'finish' ? all.slice(commit + 1, end + 1) : all.slice(begin + 1, commit + 1);
  const at = chanceOf(seed, `kill-recover ${kind} ${towards} ${index}`).one(exact(among));
  return { id: `${kind}:${at.call}:${at.nth}:${towards}`, towards, at };
};

/** How often a thread is woken differs from run to run, and that is a write, too: behind which entry the Nth one comes is not sure. */
const exact = (calls: readonly CallMade[]): CallMade[] => calls.filter(({ call }) => call !== 'write');

/** Those before which the change is open, whatever is killed there. */
const whileOpen = (calls: readonly CallMade[]): CallMade[] => {
  const isEntry =
    (what: string) =>
    ({ line }: CallMade) =>
      line.includes(`\\"entry\\":\\"${what}\\"`);
  const closing = calls.findIndex(isEntry('close'));
  const last = calls.findLastIndex(({ line }) => line.includes(`/instances/${name}`));
  return exact(calls.slice(calls.findIndex(isEntry('open')) + 1, closing === -1 ? last + 1 : closing));
};

/** Those before which the change is open and not committed. */
const beforeCommit = (all: readonly CallMade[]): CallMade[] =>
  whileOpen(
    all.slice(
      0,
      all.findIndex(({ line }) => line.includes('\\"entry\\":\\"commit')),
    ),
  );

const wayOf = (towards: Towards): string[] => ['recover', name, ...(towards === 'forced' ? ['--finish'] : [])];

const attackPoint = async (
  tally: Tally,
  { full, seed }: AttackOptions,
  change: Change,
  ready: Ready,
  { id, towards, at }: Point,
): Promise<void> => {
  if (!tally.wants(id)) return;
  const { stage, sides } = ready;
  await stage.layBack('base');
  const before = generationOf(stage);
  await killed(ready, change.args(stage), at);
  assert.ok(isOpen(stage), `${id} leaves a change open`);
  if (towards !== 'finish') endProcesses(stage.world.home);
  stage.keep('open');
  const again = async (): Promise<void> => {
    if (towards === 'finish' && sides.fresh.current !== null) stage.freshen('open');
    else await stage.layBack('open');
  };
  const side = towards === 'undo' ? 'old' : 'new';
  await wholly(ready, towards);
  assert.equal(await holds(stage, sides, before), side, `${id} is where it says, where nothing is killed`);
  await again();
  // Some of what the first one did stays done, whatever is laid back.
  const calls = await wholly(ready, towards);
  for (const call of chanceOf(seed, id).some(calls, full ? fullKills : quickKills)) {
    await tally.check(`${id}:${call.call}:${call.nth}`, async (missed) => {
      await again();
      const run = await killed(ready, wayOf(towards), call);
      const isKilled = run.signal === 'SIGKILL';
      if (!isKilled) missed();
      const ended = await settledOrTold(ready, before, run);
      // A recovery by hand that is killed has not said yet which way it goes.
      if (towards !== 'forced' || !isKilled) assert.equal(ended, side, 'the way that the commit, or a hand, decides');
    });
  }
  await stage.layBack('base');
};

/** The calls of a recovery that nothing happens to. */
const wholly = async ({ stage }: Ready, towards: Towards): Promise<CallMade[]> => {
  const { exit, stderr, calls } = await traced(stage.world, wayOf(towards));
  assert.equal(exit, 0, `${towards}: ${stderr}`);
  return callsTouching(stage.world.home, calls);
};

const tripleKill = async (
  tally: Tally,
  { seed }: AttackOptions,
  change: Change,
  ready: Ready,
  { kind, all, number }: { kind: ChangeName; all: readonly CallMade[]; number: number },
): Promise<void> => {
  const id = `triple:${kind}:${number}`;
  const chance = chanceOf(seed, id);
  await tally.check(id, (missed) =>
    onBase(ready, async () => {
      const before = generationOf(ready.stage);
      const runs = [await killed(ready, change.args(ready.stage), chance.one(whileOpen(all)))];
      while (runs.length < 3 && isOpen(ready.stage)) runs.push(await killedInRecovery(ready, chance));
      const isMissed = runs.length < 3 || runs.some(({ signal }) => signal !== 'SIGKILL');
      if (isMissed) missed();
      return settledOrTold(ready, before, ...runs);
    }),
  );
};

/** With the servers as the kill left them, or without, as a reboot does. */
const finishByHand = async (
  tally: Tally,
  { seed }: AttackOptions,
  change: Change,
  ready: Ready,
  { kind, at }: { kind: ChangeName; at: CallAt },
): Promise<void> => {
  const id = `by-hand:${kind}:${at.call}:${at.nth}`;
  await tally.check(id, (missed) =>
    onBase(ready, async () => {
      const { stage, sides } = ready;
      const before = generationOf(stage);
      const run = await killed(ready, change.args(stage), at);
      const open = isOpen(stage);
      // The first of these calls may come before the opening entry in one run and behind it in another.
      if (!open) missed();
      if (chanceOf(seed, id).whole(2) === 1) endProcesses(stage.world.home);
      const side = await settled(stage, sides, before, ...(open ? ['--finish'] : []));
      assert.equal(side, open || run.exit === 0 ? 'new' : 'old', 'what a hand has finished holds');
      return side;
    }),
  );
};

/** Which calls this recovery makes is counted first, and what it began from laid back: without the servers, as a reboot leaves it. */
const killedInRecovery = async (ready: Ready, chance: Chance): Promise<Traced> => {
  const { stage } = ready;
  endProcesses(stage.world.home);
  stage.keep('open');
  const calls = await wholly(ready, 'undo');
  stage.layStill('open');
  return killed(ready, wayOf('undo'), chance.one(whileOpen(calls)));
};

/** A recovery that was at its end before it came to that call has ended well. */
const killed = async ({ stage }: Ready, args: readonly string[], at: CallAt): Promise<Traced> => {
  const run = await traced(stage.world, args, { what: 'signal=SIGKILL', at });
  assert.ok(run.signal === 'SIGKILL' || run.exit === 0, `exit ${run.exit}: ${run.stderr}`);
  return run;
};

const settledOrTold = async ({ stage, sides }: Ready, before: number, ...runs: Traced[]): Promise<Side> => {
  try {
    return await settled(stage, sides, before);
  } catch (error) {
    throw new Error(runs.map(({ calls }) => `killed before ${calls.at(-1)}`).join('\n'), { cause: error });
  }
};
