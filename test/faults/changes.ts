/** The changes that attacks are made on, each with what it begins from; and several stages side by side, that share the cases of one. */

import assert from 'node:assert/strict';
import { readJson } from '../support/scenario.ts';
import type { AttackOptions, Tally } from './attack.ts';
import { chanceOf } from './chance.ts';
import { makeStage, product, purging, reinstall, rollback, type Stage, uninstall, upgrade, versions } from './stage.ts';
import { type CallMade, callsTouching, traced } from './strace.ts';
import { type Side, type Sides, sidesOf } from './truth.ts';

export interface Change {
  readonly args: (stage: Stage) => readonly string[];
  /** Brings a new world to where the change begins. */
  readonly prepare: (stage: Stage) => Promise<unknown>;
}

/** The installation before has a yes to telemetry, which is over once a change has begun; a rollback has a no before it, and brings a yes of its own. */
export const changes = {
  install: {
    args: () => ['install', `${product}@${versions.old}`, '--yes', '--telemetry=off'],
    prepare: async ({ install, fine }) => {
      await install('yes');
      await fine(...uninstall);
    },
  },
  upgrade: { args: () => silent(upgrade), prepare: ({ install }) => install('yes') },
  reinstall: { args: () => reinstall, prepare: ({ install }) => install('yes') },
  rollback: {
    args: (stage) => [...silent(rollback), '--telemetry=on', `--telemetry-notice=${noticeBefore(stage)}`],
    prepare: async ({ install, fine }) => {
      await install('no');
      await fine(...upgrade);
    },
  },
  uninstall: { args: () => silent(uninstall), prepare: ({ install }) => install('yes') },
  purge: { args: () => purging, prepare: ({ install }) => install('no') },
} as const satisfies Record<string, Change>;

const silent = (args: readonly string[]): string[] => args.filter((arg) => !arg.startsWith('--telemetry'));

/** Of the release that a rollback goes back to. */
const noticeBefore = ({ place }: Stage): string => readJson(place('instance.json')).previous.noticeId;

export type ChangeName = keyof typeof changes;

/** In the quick tier an upgrade and one of the others; all of them in the full one, and where a case is asked for. */
export const changesFor = (name: string, tally: Tally, { full, seed }: AttackOptions): [ChangeName, Change][] => {
  const all = Object.entries(changes) as [ChangeName, Change][];
  const isAsked = !tally.wants('any');
  const other = chanceOf(seed, name).one(all.filter(([kind]) => kind !== 'upgrade'));
  const chosen = full || isAsked ? all : all.filter((each) => each[0] === 'upgrade' || each === other);
  return chosen.filter(([kind]) => tally.wants(kind));
};

/** A stage with what the change begins from kept as `base`, and both sides of it. */
export interface Ready {
  readonly stage: Stage;
  readonly sides: Sides;
}

/** As many as there are jobs, each where the change begins. All are closed when `work` ends, however it ends. */
export const withStages = async (
  change: Change,
  { jobs }: AttackOptions,
  work: (ready: readonly [Ready, ...Ready[]]) => Promise<void>,
): Promise<void> => {
  const stages: Stage[] = [];
  try {
    const ready = await Promise.all(
      Array.from({ length: jobs }, async () => {
        const stage = await makeStage();
        stages.push(stage);
        await change.prepare(stage);
        stage.keep('base');
        const sides = await sidesOf(stage, 'base', change.args(stage));
        await stage.layBack('base');
        return { stage, sides };
      }),
    );
    await work(ready as [Ready, ...Ready[]]);
  } finally {
    await Promise.all(stages.map((stage) => stage.close()));
  }
};

/** Runs a case of this change on the stage, which afterwards is again as the change begins from. */
export const onBase = async ({ stage }: Ready, work: () => Promise<Side>): Promise<void> => {
  let side: Side | undefined;
  try {
    side = await work();
  } finally {
    if (side === 'old') stage.freshen('base');
    else await stage.layBack('base');
  }
};

/** The calls that touch the home, from a run of the change that nothing happens to, on a stage that is where it begins. */
export const callsOf = async (
  change: Change,
  { stage }: Ready,
  others: readonly string[] = [],
): Promise<CallMade[]> => {
  const { exit, calls, stderr } = await traced(stage.world, change.args(stage), undefined, {}, others);
  assert.equal(exit, 0, stderr);
  await stage.layBack('base');
  return callsTouching(stage.world.home, calls);
};

/** Deals the things out: whoever is free takes the next one. Where one throws, the others end first: nobody's stage is closed under him. */
export const deal = async <W, T>(
  workers: readonly W[],
  things: readonly T[],
  each: (worker: W, thing: T) => Promise<void>,
): Promise<void> => {
  const left = [...things];
  const ended = await Promise.allSettled(
    workers.map(async (worker) => {
      for (let thing = left.shift(); thing !== undefined; thing = left.shift()) await each(worker, thing);
    }),
  );
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
};
