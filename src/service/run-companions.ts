/**
 * What runs beside a server after a yes, where `assent run` is the supervisor: the same commands as the units have, as children of ours.
 *
 * - `mayRun` is asked every few seconds. While it says yes, who reads the access log runs as the server's account, and once an hour, at a random
 *   moment, a sender runs for a short while; on a no both end.
 * - They are no part of the server: sessions, HOME and PATH of their own keep them out of what `stop` takes for it. They are told to end with
 *   the same signal that ends the server, and killed soon after, so that nothing waits for them.
 * - What a supervisor that was killed left behind is ended first: two who read one log would count everything twice.
 */

import { type Child, startChild } from '../system/child.ts';
import { onSignals, ownCommand } from '../system/own-process.ts';
import { argumentsOf, listProcesses, ownerOf } from '../system/process-table.ts';
import { identify, minimalEnvironment, signalProcess, sleep, waitGone } from '../system/processes.ts';
import type { World } from '../system/world.ts';
import { ownerFor } from './owner.ts';
import type { ServiceSpec } from './spec.ts';

export interface RunningCompanions {
  /** Ends them; returns when they are gone, which is after two seconds at most. Once more changes nothing. */
  end(): Promise<void>;
}

export interface Rhythm {
  /** How often `mayRun` is asked. */
  readonly askMs: number;
  /** Before the follower is started again where it ended. */
  readonly againMs: number;
  /** Between two senders, give or take half of it. */
  readonly sendMs: number;
  readonly graceMs: number;
}

const usual: Rhythm = { askMs: 3_000, againMs: 30_000, sendMs: 3_600_000, graceMs: 1_500 };

/** Begins. What goes wrong with a companion is tried again, and never anybody else's trouble. */
export const runCompanions = (
  world: Pick<World, 'random' | 'env'>,
  spec: ServiceSpec,
  mayRun: () => boolean,
  rhythm: Rhythm = usual,
): RunningCompanions => {
  const { follow, send } = spec.companions;
  const follower = companion(world, spec, follow, true, rhythm, () => rhythm.againMs);
  const sender = companion(world, spec, send, false, rhythm, () => rhythm.sendMs * (0.5 + fraction(world)));
  let isOver = false;
  const loop = async (): Promise<void> => {
    while (!isOver) {
      const may = isYes(mayRun);
      await Promise.all([follower, sender].map((one) => (may && !isOver ? one.ensure() : one.end())));
      await untilNext(rhythm.askMs, () => isOver);
    }
  };
  const end = async (): Promise<void> => {
    isOver = true;
    await Promise.all([follower.end(), sender.end()]);
  };
  const quiet = onSignals(['SIGTERM', 'SIGINT'], () => void end());
  const looping = follow === null && send === null ? Promise.resolve() : loop();
  return {
    end: async () => {
      quiet();
      await end();
      await looping;
      // One that was being started in that very moment.
      await end();
    },
  };
};

interface Companion {
  readonly ensure: () => Promise<void>;
  readonly end: () => Promise<void>;
}

const companion = (
  world: Pick<World, 'env'>,
  spec: ServiceSpec,
  words: readonly string[] | null,
  asAccount: boolean,
  { graceMs }: Rhythm,
  pause: () => number,
): Companion => {
  let child: Child | undefined;
  let isFirst = true;
  // The follower begins at once; a sender's first turn is as random as all others.
  let next = asAccount ? 0 : performance.now() + pause();
  const start = async (command: readonly string[]): Promise<void> => {
    if (isFirst) endLeftovers(spec, command, asAccount);
    isFirst = false;
    next = performance.now() + pause();
    const owner = asAccount ? ownerFor(spec) : undefined;
    const started = await startChild([...ownCommand(), ...command], {
      directory: '/',
      environment: environmentOf(world, spec, asAccount),
      owner,
      output: () => {},
    });
    child = started;
    void started.exited.then(() => {
      if (child === started) child = undefined;
    });
  };
  return {
    ensure: async () => {
      if (words === null || child !== undefined || performance.now() < next) return;
      await start(words).catch(() => {});
    },
    end: async () => {
      const identity = child?.identity;
      if (identity === undefined) return;
      signalProcess(identity, 'SIGTERM');
      if (await waitGone(identity, graceMs)) return;
      signalProcess(identity, 'SIGKILL', { group: true });
      await waitGone(identity, 500);
    },
  };
};

/** HOME is nobody's data folder and PATH begins elsewhere than in our runtimes: by these two a server's processes are known. */
const environmentOf = (
  { env }: Pick<World, 'env'>,
  { environment, host }: ServiceSpec,
  asAccount: boolean,
): Record<string, string> => {
  const veto = environment['DO_NOT_TRACK'] ?? env.DO_NOT_TRACK;
  const authorities = asAccount ? undefined : env['NODE_EXTRA_CA_CERTS'];
  return {
    ...minimalEnvironment,
    HOME: asAccount ? '/' : host.home,
    ...(veto === undefined ? {} : { DO_NOT_TRACK: veto }),
    ...(authorities === undefined ? {} : { NODE_EXTRA_CA_CERTS: authorities }),
  };
};

const endLeftovers = (spec: ServiceSpec, words: readonly string[], asAccount: boolean): void => {
  const uid = (asAccount ? ownerFor(spec)?.uid : undefined) ?? spec.host.uid;
  for (const { pid } of listProcesses()) {
    const isOne = ownerOf(pid) === uid && argumentsOf(pid).slice(-words.length).join('\0') === words.join('\0');
    const identity = isOne ? identify(pid) : undefined;
    if (identity !== undefined) signalProcess(identity, 'SIGTERM');
  }
};

const isYes = (mayRun: () => boolean): boolean => {
  try {
    return mayRun();
  } catch {
    return false;
  }
};

const untilNext = async (milliseconds: number, isOver: () => boolean): Promise<void> => {
  const end = performance.now() + milliseconds;
  while (performance.now() < end && !isOver()) await sleep(Math.min(50, milliseconds));
};

const fraction = (world: Pick<World, 'random'>): number => world.random(4).readUInt32BE() / 2 ** 32;
