/**
 * A scenario: a home of its own with the releases it needs, free ports, and the real command as a stranger would have it: a copy of the
 * program outside of the repository, started through bin/assent, by a user without rights, without a terminal.
 */

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { endProcesses } from './processes.ts';
import { programCopy } from './program-copy.ts';
import { makeSandbox, removeSandbox } from './sandbox.ts';
import { copyStore, lendStore, nobody, seedStore, usersLock } from './seed.ts';
import { inTurn } from './turns.ts';

export interface Run {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
}

/** The document of `--json`, as loosely as tests want to look into it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at any key of the document
export type Document = any;

export interface Scenario {
  readonly folder: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], options?: RunOptions): Promise<Run>;
  /** With --json; fails the test where stdout is not exactly one document. */
  json(args: readonly string[], options?: RunOptions): Promise<Run & { readonly document: Document }>;
  start(args: readonly string[], options?: RunOptions): ChildProcess;
  path(...parts: string[]): string;
}

export interface ScenarioOptions {
  /** Changes remove releases that nobody needs. Otherwise what was lent stays, so that no later change has to fetch it again. */
  readonly prunes?: boolean;
  /** Runs the command as root, with a store of root's own. */
  readonly asRoot?: boolean;
}

/** Stops every server of the home and removes it when the running test ends. */
export const scenario = async (
  releases: readonly string[],
  whenFinished: (end: () => Promise<void>) => void = onTestFinished,
  options: ScenarioOptions = {},
): Promise<Scenario> => {
  const world = await makeScenario(releases, options);
  whenFinished(() => endScenario(world));
  return world;
};

/** For hooks of a whole file, which end it with endScenario. */
export const makeScenario = async (
  releases: readonly string[],
  { prunes = false, asRoot = false }: ScenarioOptions = {},
): Promise<Scenario> => {
  await seedStore(releases);
  const folder = makeSandbox();
  const home = join(folder, 'home');
  await (asRoot ? copyStore : lendStore)(home, releases, !prunes);
  const userHome = join(folder, 'user');
  mkdirSync(userHome);
  const user = asRoot ? undefined : nobody;
  if (user) for (const path of [folder, userHome]) chownSync(path, user.uid, user.gid);
  const env = environment(userHome, home);
  const start = (args: readonly string[], options: RunOptions = {}): ChildProcess =>
    spawn(join(programCopy(), 'bin/assent'), [...args], {
      cwd: options.cwd ?? folder,
      env: { ...env, ...options.env },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...user,
    });
  const run = (args: readonly string[], options: RunOptions = {}): Promise<Run> => {
    const toItsEnd = (): Promise<Run> => ended(start(args, options), options.input);
    const isFirst = asRoot && args[0] === 'install' && !args.includes('--dry-run');
    return isFirst ? inTurn(usersLock, 'installing as root', toItsEnd) : toItsEnd();
  };
  const json = async (args: readonly string[], options: RunOptions = {}) => {
    const result = await run([...args, '--json'], options);
    return { ...result, document: parseOne(result) };
  };
  return { folder, home, env, run, json, start, path: (...parts) => join(home, ...parts) };
};

export const endScenario = async (world: Scenario): Promise<void> => {
  const { document } = await world.json(['status']).catch(() => ({ document: {} as Document }));
  for (const { name } of document.instances ?? []) {
    await world.run(['recover', name]);
    await world.run(['stop', name]);
  }
  endProcesses(world.home);
  removeSandbox(world.folder);
};

const environment = (userHome: string, home: string): Record<string, string> => ({
  PATH: `${join(programCopy(), 'node')}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  HOME: userHome,
  ASSENT_HOME: home,
  LANG: 'C.UTF-8',
  ...(process.env.NODE_EXTRA_CA_CERTS === undefined ? {} : { NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS }),
});

const ended = (child: ChildProcess, input: string | undefined): Promise<Run> =>
  new Promise((resolve, reject) => {
    let [stdout, stderr] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (exit, signal) => resolve({ exit, signal, stdout, stderr }));
    if (input !== undefined) child.stdin?.end(input);
  });

const parseOne = ({ stdout, stderr, exit }: Run): Document => {
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`Not one JSON document (exit ${exit}):\n${stdout}\n--- stderr\n${stderr}`);
  }
};

export const readJson = (path: string): Document => JSON.parse(readFileSync(path, 'utf8'));
