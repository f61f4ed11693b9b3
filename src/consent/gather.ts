/**
 * Reads what the resolver needs and asks it: the only way from files to an answer. `telemetry status` goes through here, and so does
 * whatever counts or sends, right before it does.
 *
 * Light and read-only: no library, no lock, nothing is made. A file that is a link, belongs to another user than the instance's folder, or can't be
 * read is handed on as such; it never throws. Read while somebody writes: the journal is looked at before and after, and what
 * looks damaged while files are fresh is read again.
 */

import type { InstancePaths } from '../instance/paths.ts';
import { type InstanceState, parseState } from '../instance/state.ts';
import { unfinished } from '../instance/unfinished.ts';
import { readBytesIfThere, statIfThere } from '../system/files.ts';
import { pause, realPath } from '../system/settled-file.ts';
import type { World } from '../system/world.ts';
import { bindingOf, keyDigest } from './digests.ts';
import { readLog } from './log-chain.ts';
import { parseMark } from './mark.ts';
import { storedNoticeId } from './notice-file.ts';
import { parseRecord } from './record.ts';
import { type Answer, type InstanceFacts, type ResolverInput, resolve } from './resolver.ts';
import { isVeto } from './veto.ts';

type AskingWorld = Pick<World, 'now' | 'machineId' | 'env'>;

/**
 * The answer for the running server: for status, receipts and screens. `serverVeto` is DO_NOT_TRACK in the environment of the server's process, where
 * somebody looked it up; what a change wrote for it counts in any case.
 */
export const consentOf = (world: AskingWorld, paths: InstancePaths, serverVeto?: string): Answer =>
  ask(world, paths, [serverVeto]);

/** The answer for whoever is about to count or send: the asking process's own DO_NOT_TRACK counts too. */
export const mayCount = (world: AskingWorld, paths: InstancePaths, serverVeto?: string): Answer =>
  ask(world, paths, [serverVeto, world.env.DO_NOT_TRACK]);

/** What one look gave. Unsettled: the files are being written; nothing may be counted, and the next look may say otherwise. */
export interface Glance {
  readonly answer: Answer;
  readonly settled: boolean;
  /** Of the installation that the answer is about: a yes of another one is another yes. */
  readonly generation: number | null;
}

/** The same answer from one look, for whoever lives in somebody else's event loop and must not stand still there. */
export const mayCountNow = (world: AskingWorld, paths: InstancePaths, serverVeto?: string): Glance =>
  askOnce(world, paths, [serverVeto, world.env.DO_NOT_TRACK]);

/** Changes with whatever the answer depends on, time and the asking process apart: a few stats, cheap enough to be taken several times a second. */
export const consentFingerprint = (paths: InstancePaths): string =>
  `${fingerprint(paths)},${stampOf(paths.openJournal)}`;

const attempts = 16;
const betweenAttemptsMs = 25;
const freshMs = 2_000;

const ask = (world: AskingWorld, paths: InstancePaths, vetoes: readonly (string | undefined)[]): Answer => {
  for (let attempt = 1; ; attempt += 1) {
    const { answer, settled } = askOnce(world, paths, vetoes);
    if (attempt === attempts || settled) return answer;
    pause(betweenAttemptsMs);
  }
};

const askOnce = (world: AskingWorld, paths: InstancePaths, vetoes: readonly (string | undefined)[]): Glance => {
  const before = fingerprint(paths);
  const input = gather(world, paths, vetoes);
  const isStill = before === fingerprint(paths);
  const answer = resolve(isStill ? input : { ...input, record: 'record-unreadable' });
  const { instance } = input;
  const generation = typeof instance === 'object' && instance !== null ? instance.generation : null;
  return { answer, settled: answer.state !== 'invalid' || (isStill && !isFresh(world, paths)), generation };
};

const gather = (world: AskingWorld, paths: InstancePaths, vetoes: readonly (string | undefined)[]): ResolverInput => {
  const openBefore = changeOf(paths);
  const owner = statOrNothing(paths.folder)?.uid;
  const state = stateOf(paths, owner);
  // Before the log, behind which it is written: read the other way round, a line that is just being added would be missed.
  const mark = fileOf(paths.consentMark, owner);
  const record = fileOf(paths.consent, owner);
  const log = fileOf(paths.consentLog, owner);
  return {
    instance: typeof state === 'object' && state !== null ? factsOf(world, paths, state) : state,
    record: typeof record === 'object' ? parseRecord(record.toString('utf8')) : recordFault[record],
    log: typeof log === 'object' ? readLog(log) : logFault[log],
    mark: typeof mark === 'object' ? parseMark(mark.toString('utf8')) : markFault[mark],
    storedNoticeId: typeof state === 'object' && state?.noticeId ? trustedNoticeId(paths, state.noticeId, owner) : null,
    vetoed: [...vetoes, typeof state === 'object' ? state?.veto : undefined].some(isVeto),
    now: world.now(),
    unfinished: openBefore ?? changeOf(paths),
  };
};

type Unreadable = 'missing' | 'unreadable' | 'foreign';

const recordFault = { missing: 'missing', unreadable: 'record-unreadable', foreign: 'record-foreign' } as const;
const markFault = { missing: 'missing', unreadable: 'mark-unreadable', foreign: 'mark-unreadable' } as const;
const logFault = { missing: 'missing', unreadable: 'log-unreadable', foreign: 'log-foreign' } as const;

/** The bytes of a regular file that belongs to the folder's owner, or why there are none. */
const fileOf = (path: string, owner: number | undefined): Buffer | Unreadable => {
  try {
    const stat = statIfThere(path);
    if (stat === undefined) return 'missing';
    if (stat.kind !== 'file' || stat.uid !== owner) return 'foreign';
    return readBytesIfThere(path) ?? 'missing';
  } catch {
    return 'unreadable';
  }
};

const stateOf = (paths: InstancePaths, owner: number | undefined): InstanceState | 'unreadable' | null => {
  const bytes = fileOf(paths.state, owner);
  if (bytes === 'missing') return null;
  if (typeof bytes === 'string') return 'unreadable';
  try {
    return parseState(JSON.parse(bytes.toString('utf8')));
  } catch {
    return 'unreadable';
  }
};

const factsOf = (world: AskingWorld, paths: InstancePaths, state: InstanceState): InstanceFacts | 'unreadable' => {
  try {
    const place = { name: paths.name, folder: realPath(paths.folder), machine: world.machineId };
    const { installed, generation, noticeId, key } = state;
    return { installed, generation, noticeId, key: keyDigest(key), binding: bindingOf(key, place) };
  } catch {
    return 'unreadable';
  }
};

const trustedNoticeId = (paths: InstancePaths, id: string, owner: number | undefined): string | null => {
  const bytes = fileOf(`${paths.notices}/${id}.json`, owner);
  return typeof bytes === 'object' ? storedNoticeId(bytes) : null;
};

/** A journal that is there and can't be read is an open one, for whoever may not read it: that subtracts. */
const changeOf = (paths: InstancePaths): { running: boolean } | null => {
  try {
    return unfinished(paths);
  } catch {
    return { running: false };
  }
};

const fingerprint = (paths: InstancePaths): string =>
  [paths.state, paths.consent, paths.consentLog, paths.consentMark].map(stampOf).join();

const stampOf = (path: string): string => {
  const stat = statOrNothing(path);
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : '-';
};

const isFresh = (world: AskingWorld, paths: InstancePaths): boolean =>
  [paths.folder, paths.consent, paths.consentLog, paths.consentMark]
    .map((path) => statOrNothing(path))
    .some((stat) => stat !== undefined && Math.abs(world.now().getTime() - stat.mtimeMs) < freshMs);

const statOrNothing = (path: string) => {
  try {
    return statIfThere(path);
  } catch {
    return undefined;
  }
};
