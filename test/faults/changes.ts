/** The changes that attacks are made on, each with what it begins from; and several stages side by side, that share the cases of one. */

import type { AttackOptions } from './attack.ts';
import { makeStage, product, purging, reinstall, rollback, type Stage, uninstall, upgrade, versions } from './stage.ts';
import { type Sides, sidesOf } from './truth.ts';

export interface Change {
  readonly args: (stage: Stage) => readonly string[];
  /** Brings a new world to where the change begins. */
  readonly prepare: (stage: Stage) => Promise<unknown>;
}

/** The installation before each has a yes to telemetry: whatever happens, it is over. */
export const changes = {
  install: {
    args: () => ['install', `${product}@${versions.old}`, '--yes', '--telemetry=off'],
    prepare: async ({ install, fine }) => {
      await install('yes');
      await fine(...uninstall);
    },
  },
  upgrade: { args: () => upgrade, prepare: ({ install }) => install('yes') },
  reinstall: { args: () => reinstall, prepare: ({ install }) => install('yes') },
  rollback: {
    args: () => rollback,
    prepare: async ({ install, fine }) => {
      await install('no');
      await fine(...upgrade);
    },
  },
  uninstall: { args: () => uninstall, prepare: ({ install }) => install('yes') },
  purge: { args: () => purging, prepare: ({ install }) => install('no') },
} as const satisfies Record<string, Change>;

export type ChangeName = keyof typeof changes;

/** A stage with what the change begins from kept as `base`, and both sides of it. */
export interface Ready {
  readonly stage: Stage;
  readonly sides: Sides;
}

/** As many as there are jobs. All are closed when `work` ends, however it ends. */
export const withStages = async (
  change: Change,
  { jobs }: AttackOptions,
  work: (ready: readonly Ready[]) => Promise<void>,
): Promise<void> => {
  const stages: Stage[] = [];
  try {
    const ready = await Promise.all(
      Array.from({ length: jobs }, async () => {
        const stage = await makeStage();
        stages.push(stage);
        await change.prepare(stage);
        stage.keep('base');
        return { stage, sides: await sidesOf(stage, 'base', change.args(stage)) };
      }),
    );
    await work(ready);
  } finally {
    await Promise.all(stages.map((stage) => stage.close()));
  }
};

/** Deals the things out: whoever is free takes the next one. */
export const deal = async <W, T>(
  workers: readonly W[],
  things: readonly T[],
  each: (worker: W, thing: T) => Promise<void>,
): Promise<void> => {
  const left = [...things];
  await Promise.all(
    workers.map(async (worker) => {
      for (let thing = left.shift(); thing !== undefined; thing = left.shift()) await each(worker, thing);
    }),
  );
};
