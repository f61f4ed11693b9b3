/**
 * A child that stays with us: a server below `assent run`. It leads a session and process group of its own, so that one signal
 * reaches all that it started; it runs as the account it was given, without supplementary groups (libuv drops them together with
 * root); and its environment is exactly what was given.
 *
 * Its output comes to us as bytes. If we are killed, the child lives on and its next write to the closed pipe fails;
 * whoever looks after the service next finds it by its identity.
 */

import { constants } from 'node:os';
import type { ProcessIdentity } from './processes.ts';
import { identify } from './processes.ts';

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  /** Undefined if the child was gone again before it could be looked at. */
  readonly identity: ProcessIdentity | undefined;
  readonly exited: Promise<ChildExit>;
}

export interface ChildOptions {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  readonly input?: 'inherit' | 'ignore';
  readonly output: (bytes: Buffer, stream: 'out' | 'err') => void;
}

/** Starts the child; rejects where it can't be started at all (no such program, no right to). */
export const startChild = (command: readonly string[], options: ChildOptions): Promise<Child> => {
  const [program, ...rest] = command;
  if (program === undefined) return Promise.reject(new Error('an empty command'));
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(program, rest, {
    cwd: options.directory,
    env: { ...options.environment },
    detached: true,
    stdio: [options.input ?? 'ignore', 'pipe', 'pipe'],
    ...(options.owner === undefined ? {} : { uid: options.owner.uid, gid: options.owner.gid }),
  });
  child.stdout?.on('data', (bytes: Buffer) => options.output(bytes, 'out'));
  child.stderr?.on('data', (bytes: Buffer) => options.output(bytes, 'err'));
  const exited = new Promise<ChildExit>((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('spawn', () => {
      const pid = child.pid as number;
      resolve({ pid, identity: identify(pid), exited });
    });
  });
};

/** The exit code by which a shell tells this end: the code, or 128 and the signal's number. */
export const exitCodeOfChild = ({ code, signal }: ChildExit): number =>
  code ?? 128 + (signal === null ? 0 : constants.signals[signal]);

/** Lines of a command's output as they come, without their ends, until it ends or the signal aborts it. */
export async function* readLines(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  until?: AbortSignal,
): AsyncGenerator<string> {
  const [program = '', ...rest] = command;
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(program, rest, { env: { ...environment }, stdio: ['ignore', 'pipe', 'inherit'] });
  const abort = (): void => void child.kill('SIGTERM');
  until?.addEventListener('abort', abort);
  const failed = new Promise<never>((_, reject) => child.on('error', reject));
  failed.catch(() => {});
  const decoder = new TextDecoder();
  let torn = '';
  try {
    const chunks = child.stdout[Symbol.asyncIterator]();
    for (;;) {
      const { value, done } = await Promise.race([chunks.next(), failed]);
      if (done === true) break;
      const parts = (torn + decoder.decode(value as Buffer, { stream: true })).split('\n');
      torn = parts.pop() ?? '';
      yield* parts;
    }
    if (torn !== '') yield torn;
  } finally {
    until?.removeEventListener('abort', abort);
    child.kill('SIGTERM');
  }
}
