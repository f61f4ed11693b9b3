/**
 * The power is cut in the middle of a change: what was not synced may be lost, under the rules of power/disk.ts. Afterwards a person looks at `status`, and does what it says. Old or
 * new must be there (truth.ts); where the command had said success before the cut, the new, with every line of the consent log that stood then.
 *
 * A change is recorded once with everything that it and its children did to the disk, and played into the model call by call. A case is a place to cut and a fate of what was not synced
 * there: everything lost, every name there and no contents, or by chance. States that are equal are played once.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { nobody } from '../support/seed.ts';
import type { Attack, AttackOptions, Tally } from './attack.ts';
import { chanceOf } from './chance.ts';
import { type Change, type ChangeName, changes, deal } from './changes.ts';
import { inMemory } from './memory-disk.ts';
import type { Call } from './power/calls.ts';
import type { Fate } from './power/cut.ts';
import { type Disk, makeDisk } from './power/disk.ts';
import { layOut, readFolder, textOf } from './power/folder.ts';
import { copyOf, everything, type Inode } from './power/inodes.ts';
import { record } from './power/record.ts';
import { withdrawal, withdrawn } from './power/withdrawal.ts';
import { endProcesses, makeStage, name, type Stage } from './stage.ts';
import { cannotTrace } from './strace.ts';
import { between, generationOf, type Sides, settled, sideOf } from './truth.ts';

const kinds = ['upgrade', 'rollback', 'reinstall', 'uninstall', 'purge', 'install', 'withdrawal'] as const;
type Kind = ChangeName | 'withdrawal';

export const power: Attack = {
  name: 'power',
  title: 'power lost during a change, and with it what was not synced',
  atLeast: 1000,
  cannot: cannotTrace,
  run: (tally, options) =>
    inMemory(async () => {
      const wanted = kinds.filter((kind) => tally.wants(kind));
      const stages: Stage[] = [];
      try {
        await deal(Array.from({ length: options.jobs }), wanted, async (_, kind) => {
          const stage = await makeStage();
          stages.push(stage);
          await attackOne(stage, kind, tally, options);
        });
      } finally {
        await Promise.all(stages.map((stage) => stage.close()));
      }
    }),
};

/** States of each change in the quick tier, and in the full one. */
const share = { quick: 5, full: 200 };

const attackOne = async (stage: Stage, kind: Kind, tally: Tally, { full, seed }: AttackOptions): Promise<void> => {
  const change: Change = kind === 'withdrawal' ? withdrawal : changes[kind];
  await change.prepare(stage);
  const recorded = await recordChange(stage, change.args(stage));
  const states = await statesOf(stage, recorded, kind, seed);
  const asked = states.filter(({ id }) => tally.wants(id));
  const chance = chanceOf(seed, `power ${kind}`);
  tally.note(`${kind}: ${states.length} states of ${recorded.calls.length} calls`);
  for (const state of asked.length < states.length ? asked : chance.some(states, full ? share.full : share.quick))
    await tally.check(state.id, () => cutAt(stage, kind, recorded, state, seed));
};

interface Recorded {
  readonly base: Inode;
  readonly calls: readonly Call[];
  readonly sides: Sides;
  /** Where the first generation of the change stood. */
  readonly before: number;
  /** The consent log when the command had ended. */
  readonly log: string;
}

const recordChange = async (stage: Stage, args: readonly string[]): Promise<Recorded> => {
  // A server that has just been written to may still be at it: what the cuts are held against has to stand still.
  endProcesses(stage.world.home);
  await startAgain(stage);
  const old = await sideOf(stage);
  const before = generationOf(stage);
  const base = readFolder(stage.world.home, watched);
  const calls = await record(stage.world, args);
  const real = readFolder(stage.world.home, watched);
  // What strace has let go of is refused each call that was recorded: nothing of it is to go on.
  endProcesses(stage.world.home);
  await startAgain(stage);
  const sides = between(old, await sideOf(stage), args);
  const recorded = { base, calls, sides, before, log: logOf(stage) };
  // A model that forgets a call would prove nothing.
  const modelled = diskAt(stage, recorded, calls.length);
  assert.equal(textOf(modelled.top, everything(modelled.top), restless), textOf(real, everything(real), restless));
  return recorded;
};

/** What of a home a change touches, or links to, where the releases are there. */
const watched = ['instances', 'locks', 'runtimes', 'staging'];

/** Written by servers and by whoever watches over them, who were there before the recording; nobody's state hangs on it. */
const restless = /\/(logs|run)(\/|$)|^\/locks\/(?!.*\.consent-mark)/;

const logOf = (stage: Stage): string => {
  const file = stage.place('consent.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

const diskAt = ({ world }: Stage, { base, calls }: Recorded, cut: number): Disk => {
  const disk = makeDisk(
    world.home,
    copyOf(base),
    nobody ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
  );
  for (const call of calls.slice(0, cut)) disk.apply(call);
  return disk;
};

interface State {
  readonly id: string;
  readonly cut: number;
  readonly fate: Fate;
}

/**
 * Each place to cut with each fate, but for those that leave the same behind as one before. It takes longer than what others wait for an answer, and so lets them have
 * their turn: a deadline that had passed meanwhile was taken for a server that was not there.
 */
const statesOf = async (stage: Stage, recorded: Recorded, kind: Kind, seed: number): Promise<State[]> => {
  const seen = new Set<string>();
  const disk = diskAt(stage, recorded, 0);
  const states: State[] = [];
  for (const cut of Array.from({ length: recorded.calls.length + 1 }, (_, at) => at)) {
    await nextTurn();
    const call = recorded.calls[cut - 1];
    if (call !== undefined) disk.apply(call);
    for (const [nth, fate] of fates.entries()) {
      const id = `${kind}:${cut}:${nth}`;
      const text = `${hasSaid(recorded, cut)} ${textOf(disk.top, disk.cut(fate, chanceOf(seed, id)), restless)}`;
      const digest = createHash('sha256').update(text).digest('hex');
      if (!seen.has(digest)) states.push({ id, cut, fate });
      seen.add(digest);
    }
  }
  return states;
};

const fates: readonly Fate[] = ['nothing', 'names', 'chance', 'chance', 'chance', 'chance'];

/** Whether the command had told its success by then. */
const hasSaid = ({ calls }: Recorded, cut: number): boolean =>
  calls.slice(0, cut).some((call) => call.call === 'said' && call.text.includes('"ok":true'));

const cutAt = async (
  stage: Stage,
  kind: Kind,
  recorded: Recorded,
  { id, cut, fate }: State,
  seed: number,
): Promise<void> => {
  const { world } = stage;
  endProcesses(world.home);
  const disk = diskAt(stage, recorded, cut);
  layOut(world.home, disk.top, disk.cut(fate, chanceOf(seed, id)), watched);
  const last = recorded.calls[cut - 1];
  try {
    const said = hasSaid(recorded, cut);
    if (kind === 'withdrawal') await withdrawn(stage, said);
    else {
      const side = await afterwards(stage, recorded);
      if (said) assert.equal(side, 'new', 'it had said success');
    }
    if (said) assert.ok(logOf(stage).startsWith(recorded.log), 'a line of the consent log is lost');
  } catch (error) {
    throw new Error(`cut behind ${JSON.stringify(last)?.slice(0, 300)}`, { cause: error });
  }
};

/** What somebody does whose machine is back: looks, starts what should run where no change is open, recovers. */
const afterwards = async (stage: Stage, { sides, before }: Recorded): Promise<'old' | 'new'> => {
  const { document } = await stage.world.json(['status', name]);
  if (document.instance?.unfinished === undefined) await startAgain(stage);
  return settled(stage, sides, before);
};

const startAgain = async (stage: Stage): Promise<void> => {
  const { document } = await stage.world.json(['status', name]);
  if (document.ok && document.instance?.state !== 'running') await stage.fine('start', name);
};
