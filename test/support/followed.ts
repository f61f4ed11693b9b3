/**
 * An instance whose access log is followed, and the real command that follows it. The release is nothing but its seal: what is looked up there
 * is the log. State, record and notice are written by the code that writes them for people.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type Account, readState } from '../../src/instance/state.ts';
import type { AccessLog } from '../../src/product/manifest.ts';
import { releaseFolder } from '../../src/release/layout.ts';
import { type Part, parsePart } from '../../src/telemetry/part.ts';
import { type CaseAnswer, conduct, type Ends, type Home, makeHome, noticeOf, sure } from '../consent/support.ts';
import { awayFromTheFullHour } from './clock.ts';
import { sandbox } from './sandbox.ts';

export const followedInstance = async (
  log: AccessLog,
  say: CaseAnswer['say'] = 'yes',
  ends: Ends = 'finished',
  account?: Account,
): Promise<Home> => {
  const home = makeHome(join(sandbox(), 'home'), account ? { account } : {});
  await conduct(home, { change: 'install', ends, answer: { by: 'flag', say, notice: 'current' } });
  const { release } = sure(readState(home.paths));
  const folder = releaseFolder(home.folder, release);
  const service = { environmentFile: 'server.env' };
  const product = { name: release.product, releases: [{ version: release.version, runtime: '24.21.0', service }] };
  const seal = { product: { ...product, telemetry: { accessLog: log } }, tree: '0'.repeat(64), files: 0, bytes: 0 };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'release.json'), JSON.stringify({ format: 1, ...release, ...seal }));
  mkdirSync(home.paths.config, { recursive: true });
  writeFileSync(join(home.paths.config, 'server.env'), '');
  for (const made of [home.paths.data, home.paths.counts]) {
    mkdirSync(made, { recursive: true });
    if (account) chownSync(made, account.uid, account.gid);
  }
  return home;
};

const main = join(import.meta.dirname, '../../dist/main.mjs');
const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent' };

/** The real `assent telemetry off`. What stands for the release is taken away first: it has no server that could be started without what counts. */
export const withdrawn = (home: Home) => {
  rmSync(join(home.folder, 'releases'), { recursive: true });
  return assent(home, 'telemetry', 'off', home.paths.name);
};

/** The real command, to its end. */
export const assent = (home: Home, ...words: string[]) =>
  spawnSync(process.execPath, [main, ...words, '--home', home.folder], { env, encoding: 'utf8' });

export interface Follower {
  readonly child: ChildProcess;
  /** What it said and how it ended. */
  readonly ended: Promise<{ output: string; code: number | null }>;
}

/** As the instance's account, where it has one. */
export const startFollower = (home: Home): Follower => {
  const { uid, gid } = home.account ?? {};
  const as = uid === undefined || gid === undefined ? {} : { uid, gid };
  const words = ['telemetry', 'follow', home.paths.name, '--home', home.folder];
  const child = spawn(process.execPath, [main, ...words], { env, ...as });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += String(bytes)));
  const ended = once(child, 'close').then(([code]) => ({ output, code: code as number | null }));
  return { child, ended };
};

/** Whether it has this file or folder open. */
export const holds = ({ child }: Follower, path: string): boolean => {
  const fds = `/proc/${child.pid}/fd`;
  try {
    return readdirSync(fds).some((fd) => linkAt(`${fds}/${fd}`) === path);
  } catch {
    return false;
  }
};

const linkAt = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};

/** It counts, and a second has gone by: lines tell no more than their second, and those of the one in which it began are left out. */
export const untilItCounts = async (follower: Follower, home: Home, log: string): Promise<void> => {
  await awayFromTheFullHour();
  await expect.poll(() => holds(follower, home.paths.counts) && holds(follower, log), { timeout: 20_000 }).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 1100));
};

/** Appends that, and waits until it was read: nonsense is appended behind it, of which more is read then than of anything else. */
export const appendRead = async ({ child }: Follower, log: string, text: string): Promise<void> => {
  const all = `${text}${'nonsense\n'.repeat(100_000)}`;
  const read = (): number => Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${child.pid}/io`, 'utf8'))?.[1]);
  const before = read();
  appendFileSync(log, all);
  await expect.poll(() => read() - before, { timeout: 20_000 }).toBeGreaterThanOrEqual(all.length);
};

export const partsOf = (home: Home): Part[] => {
  const names = noticeOf('2.2.1').counters.map(({ name }) => name);
  const files = readdirSync(home.paths.counts);
  return files.map((file) => sure(parsePart(readFileSync(join(home.paths.counts, file), 'utf8'), names)));
};
