/**
 * The real command, stopped (SIGSTOP) right behind a durable write that has a text in it, or before it opens a file: there whoever attacks it has all the time he needs. It is the
 * command itself and not its launcher, so that its pid is known; SIGCONT lets it go on.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { programCopy } from '../support/program-copy.ts';
import type { Run } from '../support/scenario.ts';
import { nobody } from '../support/seed.ts';
import type { Stage } from './stage.ts';

export interface Paused {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Lets it go on; how it ended. */
  readonly end: () => Promise<Run>;
}

/** Where a change begins that step; `commit` is behind the last one. */
export const atStep = (step: string): string =>
  step === 'commit' ? '"entry":"commit"' : `"entry":"begin","step":"${step}"`;

/** The last thing that a change writes before its opening entry. */
export const beforeOpening = 'reserve\n';

export const commandWords = (args: readonly string[]): string[] => [
  join(programCopy(), 'node/node'),
  join(programCopy(), 'dist/main.mjs'),
  ...args,
];

/** With standard output and error as pipes. Throws where it ends before it has written the text. */
export const pausedAt = async (
  { world }: Pick<Stage, 'world'>,
  text: PausedBy,
  args: readonly string[],
): Promise<Paused> => {
  const [node = '', ...words] = commandWords(args);
  const child = spawn(node, words, {
    cwd: world.folder,
    env: { ...world.env, ...pausing(text) },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...nobody,
  });
  const ended = endOf(child);
  await untilStopped(child.pid ?? 0).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  const end = (): Promise<Run> => {
    child.kill('SIGCONT');
    return ended;
  };
  return { pid: child.pid ?? 0, child, end };
};

/** A durable write; or the first opening of a path, not before another one is there. */
export type PausedBy = string | { readonly opening: string; readonly once?: string };

export const pausing = (by: PausedBy): Record<string, string> => ({
  NODE_OPTIONS: `--import=${join(import.meta.dirname, '../support/pause-at.mjs')}`,
  ...(typeof by === 'string' ? { ASSENT_TEST_PAUSE: by } : openingOf(by)),
});

const openingOf = ({ opening, once }: Exclude<PausedBy, string>): Record<string, string> => ({
  ASSENT_TEST_PAUSE_OPENING: opening,
  ...(once === undefined ? {} : { ASSENT_TEST_PAUSE_ONCE: once }),
});

/** Not until its outputs are closed: a server that is left running may hold them open. */
const endOf = (child: ChildProcess): Promise<Run> => {
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (exit, signal) => resolve({ exit, signal, stdout, stderr }));
  });
};

export const untilStopped = async (pid: number): Promise<void> => {
  for (let waited = 0; stateOf(pid) !== 'T'; waited += 10) {
    assert.ok(
      stateOf(pid) !== undefined && waited < patienceMs,
      'it ended, or never came to where it was to be stopped',
    );
    await sleep(10);
  }
};

const patienceMs = 120_000;

/** The letter of /proc/PID/stat; undefined where it has ended. */
const stateOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const state = stat[stat.lastIndexOf(')') + 2];
    return state === 'Z' ? undefined : state;
  } catch {
    return undefined;
  }
};
