/** The real command over a home that a test has made, in a process of its own, with --json; on the clock of these tests, and as another user where that is said. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { sandbox } from './sandbox.ts';
import type { Document } from './scenario.ts';

export interface RealCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly exit: number | null; readonly document: Document; readonly stderr: string }>;
}

export interface RealCommandOptions {
  /** Default: as in test/telemetry/sender.ts. */
  readonly now?: Date;
  readonly uid?: number;
}

export const realCommand = (
  home: string,
  words: readonly string[],
  { now = new Date('2026-11-25T12:00:00.000Z'), uid }: RealCommandOptions = {},
): RealCommand => {
  const script = join(sandbox(), 'assent.ts');
  const source = (path: string) => JSON.stringify(resolve('src', path));
  writeFileSync(
    script,
    `import { runCommandLine } from ${source('cli/run.ts')};
     import { realWorld } from ${source('system/world.ts')};
     const now = () => new Date(${now.getTime()});
     const world = Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(realWorld()), now: { value: now } });
     process.exit(await runCommandLine(world, ${JSON.stringify([...words, '--home', home, '--json'])}, '0.1.0'));`,
  );
  const child = spawn(process.execPath, [script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { HOME: '/', PATH: process.env.PATH },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, ended: endOf(child) };
};

const endOf = async (child: ChildProcess): RealCommand['ended'] => {
  const told = { out: '', err: '' };
  child.stdout?.on('data', (chunk) => (told.out += chunk));
  child.stderr?.on('data', (chunk) => (told.err += chunk));
  const exit = await new Promise<number | null>((done) => child.on('close', done));
  try {
    return { exit, document: JSON.parse(told.out), stderr: told.err };
  } catch {
    throw new Error(`Not one JSON document (exit ${exit}):\n${told.out}\n--- stderr\n${told.err}`);
  }
};
