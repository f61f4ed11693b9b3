/**
 * The proof of `telemetry prove`: the server is run twice in a network that leads nowhere, on copies of its instance; once with consent off, when nothing may
 * leave, and once with consent on, when it must be seen that something is counted and sent. The running server is not touched, and
 * nothing of the real instance is written.
 *
 * Here is what happens outside of the namespaces: the copies, tcpdump, and putting together what was seen.
 */

import { dirname, join } from 'node:path';
import { readNotice } from '../../consent/notice-file.ts';
import { Failure } from '../../errors.ts';
import type { InstancePaths } from '../../instance/paths.ts';
import { withScratch } from '../../instance/scratch.ts';
import { type InstanceState, readState } from '../../instance/state.ts';
import { unfinished } from '../../instance/unfinished.ts';
import { ensureProgram, type Program } from '../../release/program.ts';
import { findStored, type StoredRelease } from '../../release/store.ts';
import { readIfThere, statIfThere } from '../../system/files.ts';
import { type Beside, findCommand } from '../../system/namespace.ts';
import type { World } from '../../system/world.ts';
import type { ChildAnswer } from '../prove-child.ts';
import { droppedPackets, parsePackets } from './packets.ts';
import type { RunOrder } from './run-inside.ts';
import { mostClients } from './traffic.ts';
import { judge, type Looking, type Seen, seenIn, type Verdict } from './verdict.ts';

export interface ProveOptions {
  /** How long to watch the server after the traffic. */
  readonly seconds: number;
  /** Told before each run. */
  readonly onRun: (consent: 'off' | 'on') => void;
  readonly until: AbortSignal;
}

export interface Means {
  readonly id: 'packets' | 'calls' | 'lookups' | 'connections';
  /** With what; Debian's package where it is not ours. */
  readonly with: string;
  readonly used: boolean;
  /** Why not, and what it would take; null where it was used. */
  readonly needs: string | null;
}

export interface Proof {
  readonly means: readonly Means[];
  readonly off: Seen;
  /** Null where there is nothing to say yes to. */
  readonly on: Seen | null;
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  readonly seconds: number;
}

/** Failures: 'no-instance', 'change-interrupted', 'refused-permission', 'refused-check' (namespaces can't be made), 'cancelled'. */
export const prove = async (world: World, paths: InstancePaths, options: ProveOptions): Promise<Proof> => {
  const state = stateToProve(world, paths);
  const stored = storedOf(paths, state);
  const notice = state.noticeId === null ? undefined : readNotice(paths, state.noticeId);
  const program = await ensureProgram(world, paths.home);
  const subject: Subject = { world, paths, state, stored, program, options, means: meansHere(world) };
  const k = notice?.smallestGroup ?? 5;
  const counts = (notice?.counters.length ?? 0) > 0;
  if (counts && k >= mostClients) throw tooLarge(k);
  const off = await oneRun(subject, 'no', k + 1);
  const on = state.noticeId === null ? null : await oneRun(subject, 'yes', k + 1);
  return { means: subject.means, off, on, ...judge(off, on, counts), seconds: options.seconds };
};

interface Subject {
  readonly world: World;
  readonly paths: InstancePaths;
  readonly state: InstanceState;
  readonly stored: StoredRelease;
  readonly program: Program;
  readonly options: ProveOptions;
  readonly means: readonly Means[];
}

const stateToProve = (world: World, paths: InstancePaths): InstanceState => {
  const state = readState(paths);
  const open = unfinished(paths);
  if (open !== null && !open.running) {
    const message = `A change (${open.kind}) of ${paths.name} was interrupted at ${open.step}.`;
    throw new Failure('change-interrupted', message, `End it first: assent recover ${paths.name}`);
  }
  if (open !== null)
    throw new Failure('instance-busy', `A change (${open.kind}) is running.`, 'Wait until it has ended.');
  if (state?.installed !== true) {
    throw new Failure('no-instance', `${paths.name} is not installed.`, 'Install it: assent install');
  }
  const owner = statIfThere(paths.folder)?.uid;
  const mayRun = owner === world.user.uid && (owner !== 0 || state.account !== null);
  if (mayRun) return state;
  throw new Failure(
    'refused-permission',
    `${paths.name} belongs to another user (${owner ?? 'unknown'}), or has no system user to run as.`,
    'Run this as the user who has installed it. Nothing was changed.',
  );
};

const storedOf = (paths: InstancePaths, { release }: InstanceState): StoredRelease => {
  const stored = findStored(paths.home, release.product, release.version, release.digest);
  if (stored !== undefined) return stored;
  throw new Failure(
    'refused-check',
    `The release ${release.product} ${release.version} is missing or incomplete in the store.`,
    `Store it again with: assent reinstall ${paths.name}. Nothing was changed.`,
  );
};

const tooLarge = (k: number): Failure =>
  new Failure(
    'refused-check',
    `Numbers with fewer than ${k} clients behind them are dropped, and this can play ${mostClients} at most: it could never be seen that anything is counted.`,
    'Nothing was changed.',
  );

const meansHere = ({ user }: World): Means[] => {
  const tcpdump = findCommand('tcpdump') !== undefined;
  const strace = findCommand('strace') !== undefined;
  const packets = tcpdump && user.uid === 0;
  return [
    {
      id: 'packets',
      with: 'tcpdump',
      used: packets,
      needs: packets ? null : tcpdump ? 'to be run as root' : 'the package tcpdump, and root',
    },
    { id: 'calls', with: 'strace', used: strace, needs: strace ? null : 'the package strace' },
    { id: 'lookups', with: 'a name server of its own', used: true, needs: null },
    { id: 'connections', with: 'listeners of its own', used: true, needs: null },
  ];
};

const uses = ({ means }: Subject, id: Means['id']): boolean => means.some((one) => one.id === id && one.used);

const left = {
  without: ['backups', 'telemetry', 'reports', 'data.next', 'config.next', 'config.base.next', 'secrets.next'],
  empty: ['logs', 'run', 'journal'],
} as const;

const oneRun = async (subject: Subject, say: 'yes' | 'no', clients: number): Promise<Seen> => {
  const { world, paths, options, stored, program } = subject;
  options.onRun(say === 'no' ? 'off' : 'on');
  return withScratch(world, paths, left, async ({ out, run }) => {
    const order: RunOrder = {
      home: paths.home,
      name: paths.name,
      say,
      program,
      out,
      requests: stored.product.telemetry?.traffic ?? ['GET /'],
      clients,
      seconds: options.seconds,
      port: freeOf(subject),
      traced: uses(subject, 'calls'),
    };
    const result = await run([program.node, join(dirname(program.main), 'prove-child.mjs')], {
      input: JSON.stringify(order),
      timeoutMs: patienceMs(subject, order),
      until: options.until,
      ...(uses(subject, 'packets') ? { beside: tcpdump(out) } : {}),
    });
    if (options.until.aborted) throw new Failure('cancelled', 'Stopped.', 'Nothing was changed, and nothing is left.');
    if (result.timedOut) throw brokeOff(`it took longer than ${Math.round(patienceMs(subject, order) / 1000)} s`);
    const answer = parsed(result.stdout);
    if (answer === undefined) throw brokeOff(result.stderr.trim().slice(-500) || `code ${result.code}`);
    if ('error' in answer) throw new Failure('refused-check', answer.error.message, answer.error.advice);
    return seenIn(answer.report, uses(subject, 'packets') ? packetsIn(out) : null, lookingAt(subject, order));
  });
};

/** Everything but loopback's own; what the kernel itself says about failures is told apart later. */
const tcpdump = (out: string): Beside => ({
  command: [
    ...['tcpdump', '-i', 'lo', '-n', '-tt', '-l', '--immediate-mode', '-Z', 'root'],
    'not (src net 127.0.0.0/8 and dst net 127.0.0.0/8) and not (src host ::1 and dst host ::1)',
  ],
  stdout: join(out, 'packets'),
  stderr: join(out, 'tcpdump'),
  ready: 'listening on',
});

const packetsIn = (out: string) => {
  const dropped = droppedPackets(readIfThere(join(out, 'tcpdump')) ?? '');
  if (dropped !== 0) throw brokeOff(`tcpdump has ${dropped === null ? 'not ended well' : `lost ${dropped} packets`}`);
  return parsePackets(readIfThere(join(out, 'packets')) ?? '');
};

/** A port for reports that the server does not want. */
const freeOf = ({ state }: Subject): number =>
  [4318, 43180, 43181, 43182].find((port) => !Object.values(state.settings).includes(port)) ?? 43183;

const patienceMs = ({ stored }: Subject, { seconds, requests, clients }: RunOrder): number => {
  const { startSeconds, stopSeconds } = stored.release.service;
  return (3 * startSeconds + 3 * stopSeconds + seconds + requests.length * clients + 120) * 1000;
};

const lookingAt = ({ paths, state }: Subject, { port }: RunOrder): Looking => {
  const ports = Object.values(state.settings).filter((value) => typeof value === 'number');
  const hosts = Object.values(state.urls).map(hostOf);
  return { folder: paths.folder, port, own: hosts.flatMap((address) => ports.map((one) => ({ address, port: one }))) };
};

/** `http://[::1]:80/x` and `10.0.0.1:25` alike. */
const hostOf = (url: string): string => {
  const full = url.includes('://') ? url : `tcp://${url}`;
  return URL.canParse(full) ? new URL(full).hostname.replace(/^\[(.*)\]$/, '$1') : '';
};

const parsed = (text: string): ChildAnswer | undefined => {
  try {
    return JSON.parse(text) as ChildAnswer;
  } catch {
    return undefined;
  }
};

const brokeOff = (why: string): Failure =>
  new Failure('refused-check', `The proof broke off: ${why}.`, 'Run it again. Nothing was changed.');
