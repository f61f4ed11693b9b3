/**
 * The real command under strace, which does something to it at the Nth call of a kind (strace counts each system call apart): kills it, or has the call fail. Counted is what
 * the main thread calls, where all of a change's own writes are made; with one thread in libuv's pool and no io_uring a count means the same call in every run.
 *
 * A file that is opened anew is not counted apart: killed before its first write it is there, and empty.
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programCopy } from '../support/program-copy.ts';
import type { Run, Scenario } from '../support/scenario.ts';
import { nobody } from '../support/seed.ts';

/** System calls that change a file, a folder or what is known to be on the disk. */
export const mutating = [
  'write',
  'pwrite64',
  'writev',
  'pwritev',
  'rename',
  'renameat',
  'renameat2',
  'unlink',
  'unlinkat',
  'mkdir',
  'mkdirat',
  'rmdir',
  'link',
  'linkat',
  'symlink',
  'symlinkat',
  'chmod',
  'fchmod',
  'fchmodat',
  'chown',
  'fchown',
  'lchown',
  'fchownat',
  'truncate',
  'ftruncate',
  'fsync',
  'fdatasync',
  'utimensat',
  'copy_file_range',
  'sendfile',
  'fallocate',
] as const; // prettier-ignore

export interface Injection {
  /** `signal=SIGKILL`, `error=ENOSPC`. */
  readonly what: string;
  readonly at: CallAt;
  /** From then on, and not this once. */
  readonly onwards?: boolean;
}

/** The Nth call of its name, from 1. */
export interface CallAt {
  readonly call: string;
  readonly nth: number;
}

export interface Traced extends Run {
  /** The counted calls in their order, as strace prints them with paths: `renameat2(AT_FDCWD</tmp>, ...) = 0`. */
  readonly calls: readonly string[];
}

/** Why there is no strace, for a skip that is printed. */
export const cannotTrace = (): string | undefined => {
  const { error, stderr } = spawnSync('strace', ['-qq', '-e', 'trace=none', 'true'], { encoding: 'utf8' });
  if (error) return 'strace is not installed (apt-get install strace)';
  return stderr === '' ? undefined : `strace does not work here: ${stderr.trim()}`;
};

/** Runs the command to its end, without injection only counting; `others` are counted with those that change anything. strace runs as the command does. */
export const traced = (
  world: Scenario,
  args: readonly string[],
  injection?: Injection,
  env: Readonly<Record<string, string>> = {},
  others: readonly string[] = [],
): Promise<Traced> => {
  const log = join(world.folder, `strace-${serial++}.log`);
  const inject =
    injection === undefined
      ? []
      : ['-e', `inject=${injection.at.call}:${injection.what}:when=${injection.at.nth}${injection.onwards ? '+' : ''}`];
  const words = [
    '-qq',
    '-y',
    '-s',
    '120',
    '-o',
    log,
    '-e',
    `trace=${[...mutating, ...others]}`,
    '-e',
    'signal=none',
    ...inject,
  ];
  // The command itself, and not the launcher's Node: what is counted begins with it.
  const program = [join(programCopy(), 'node/node'), join(programCopy(), 'dist/main.mjs')];
  const child = spawn('strace', [...words, ...program, ...args], {
    cwd: world.folder,
    env: { ...world.env, UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...nobody,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const end = (): void => void spawnSync('pkill', ['-KILL', '-P', String(child.pid)]);
  let hung = false;
  const late = setTimeout(() => {
    hung = true;
    end();
  }, patienceMs);
  const looking =
    injection === undefined ? undefined : setInterval(() => linesIfThere(log).some(isUntold) && end(), lookMs);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => clearTimeout(late));
    child.on('exit', () => clearInterval(looking));
    // Not until its output is closed: a server that is left running holds that open.
    child.on('exit', (exit, signal) => {
      const calls = linesOf(log);
      if (hung && !calls.some(isUntold)) reject(new Error(`it hung, and was killed behind ${calls.at(-1)}: ${stderr}`));
      else resolve({ exit, signal, stdout, stderr, calls });
    });
  });
};

let serial = 0;

/** What takes longer hangs, and is killed: that is no kill of ours, and fails. */
const patienceMs = 120_000;

/** A write that is for another process, thread, or signal handler, and not for a disk. */
export const toSomebody = /^write\(\d+<(pipe:|socket:|anon_inode:)/;

/** Such a write failed, which no disk brings about: Node gives up, or waits for ever, and so it is killed. */
export const isUntold = (line: string): boolean => toSomebody.test(line) && line.endsWith('(INJECTED)');
const lookMs = 2000;

const linesIfThere = (log: string): string[] => (existsSync(log) ? linesOf(log) : []);

const linesOf = (log: string): string[] =>
  readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes('('));

/** A call with what it did in a run that nothing happened to. */
export interface CallMade extends CallAt {
  readonly line: string;
}

/** Each of the counted calls that touch a path, as strace would count it, in their order. */
export const callsTouching = (path: string, calls: readonly string[]): CallMade[] => {
  const seen = new Map<string, number>();
  return calls.flatMap((line) => {
    const call = line.slice(0, line.indexOf('('));
    const nth = (seen.get(call) ?? 0) + 1;
    seen.set(call, nth);
    return line.includes(path) ? [{ call, nth, line }] : [];
  });
};
