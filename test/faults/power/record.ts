/** Runs the real command under strace with all its children and keeps every call that changes something on a disk, with what was written. */

import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { programCopy } from '../../support/program-copy.ts';
import type { Scenario } from '../../support/scenario.ts';
import { nobody } from '../../support/seed.ts';
import { type Call, parseCalls, tracedCalls } from './calls.ts';

/** A command that has to succeed, always with --json. A server that it leaves running is recorded no longer than the command runs. */
export const record = async (world: Scenario, args: readonly string[]): Promise<Call[]> => {
  const log = join(world.folder, 'recorded.log');
  const words = [
    '-I2',
    '-f',
    '--seccomp-bpf',
    '-q',
    '-y',
    '-xx',
    '-s',
    '100000000',
    '-o',
    log,
    '-e',
    `trace=${tracedCalls}`,
  ];
  const program = [join(programCopy(), 'node/node'), join(programCopy(), 'dist/main.mjs')];
  const child = spawn('strace', [...words, '-e', 'signal=none', ...program, ...args, '--json'], {
    cwd: world.folder,
    env: { ...world.env, UV_USE_IO_URING: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...nobody,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const exit = await exitOfFirst(log, () => child.exitCode !== null);
  // It lets go of the server, which goes on.
  child.kill('SIGTERM');
  await ended;
  child.stdout.destroy();
  child.stderr.destroy();
  if (exit !== 0) throw new Error(`${args.join(' ')}: exit ${exit}: ${said}`);
  const calls = parseCalls(readFileSync(log, 'latin1'));
  rmSync(log);
  return calls;
};

/** Waits for the end of the process that the log begins with. Undefined where strace has ended without telling it. */
const exitOfFirst = async (log: string, hasEnded: () => boolean): Promise<number | undefined> => {
  let [read, tail, first] = [0, '', ''];
  for (;;) {
    const isLast = hasEnded();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const more = readFrom(log, read);
    read += more.length;
    // Before anything is cut off: the first look may come late.
    first ||= /^(\d+) /.exec(tail + more)?.[1] ?? '';
    tail = (tail + more).slice(-200_000);
    const [, exit, signal] =
      new RegExp(`^${first} +\\+\\+\\+ (?:exited with (\\d+)|killed by (\\w+))`, 'm').exec(tail) ?? [];
    if (signal !== undefined) throw new Error(`the recorded command was killed by ${signal}`);
    if (exit !== undefined) return Number(exit);
    if (isLast) return undefined;
  }
};

const readFrom = (path: string, at: number): string => {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const bytes = Buffer.alloc(fstatSync(fd).size - at);
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, at)).toString('latin1');
  } finally {
    closeSync(fd);
  }
};
