/**
 * The log as a file. It is only ever appended to, one synced line at a time, under the consent lock.
 *
 * A line torn by a crash is closed by a newline and then spoken for by a `repair` line; so is a log that somebody damaged or cut, and
 * then whatever was decided in it is over. The names of those who answered are in `consent.users`, for the owner alone: the log, which
 * the server's account can read, has only a salted digest of each.
 *
 * Behind each append the mark follows, so that a log of before is known for one. To go on with such a log is to speak for it, as for a damaged one.
 */

import type { InstancePaths } from '../instance/paths.ts';
import { appendDurably } from '../system/append.ts';
import { readBytesIfThere, readIfThere, renameDurably, statIfThere } from '../system/files.ts';
import { settleFile } from '../system/settled-file.ts';
import type { World } from '../system/world.ts';
import { sha256 } from './digests.ts';
import { type LogReading, noLine, readLog } from './log-chain.ts';
import { type LineContent, writeLine } from './log-lines.ts';
import { raiseMark, readMark } from './mark.ts';
import { parseRecord } from './record.ts';
import { isBehind } from './resolver.ts';
import type { Sharing } from './sharing.ts';

/** For whoever is about to write: what is no file is moved away first. */
export const openLog = (world: World, paths: InstancePaths): LogReading => {
  setAsideWhatIsNoFile(world, paths);
  return loadLog(paths);
};

export const loadLog = (paths: InstancePaths): LogReading =>
  readLog(readBytesIfThere(paths.consentLog) ?? new Uint8Array());

/** What there was of consent when a question was put: by that a change tells what was done after it. */
export interface Asked {
  /** How many lines the log had, and the digest of the last: a line of that number with another digest is of another log. */
  readonly since: number;
  readonly head: string;
  /** Whether there was a record. */
  readonly recorded: boolean;
}

/** As it is now. Without a log, and where it can't be read, everything in it comes later. */
export const askedNow = (paths: InstancePaths): Asked => {
  const recorded = statIfThere(paths.consent) !== undefined;
  try {
    const { length, head } = loadLog(paths);
    return { since: length, head, recorded };
  } catch {
    return { since: 0, head: noLine, recorded };
  }
};

/** Appends the lines in their order, raises the mark, and says what the log is then. Throws the system's error. */
export const appendLines = (
  world: World,
  paths: InstancePaths,
  contents: readonly LineContent[],
  sharing: Sharing,
): LogReading => {
  const log = appendUnmarked(world, paths, contents, sharing);
  raiseMark(paths, log, sharing);
  return log;
};

/** The same without the mark, for whoever goes on where that can't be written. */
export const appendUnmarked = (
  world: World,
  paths: InstancePaths,
  contents: readonly LineContent[],
  sharing: Sharing,
): LogReading => {
  const log = openLog(world, paths);
  if (contents.length === 0) return log;
  const repairs = repairOf(log, paths);
  let { length, head } = log;
  for (const content of [...repairs, ...contents]) {
    length += 1;
    const line = writeLine(length, head, world.now().toISOString(), content);
    appendDurably(paths.consentLog, line, { mode: 0o600 });
    head = sha256(line);
  }
  settleFile(paths.consentLog, sharing.mode, sharing.owner);
  return loadLog(paths);
};

/** What goes into the log for the user: a digest that only consent.users can turn back into a name. */
export const userDigest = (world: World, paths: InstancePaths, login: string, sharing: Sharing): string => {
  const salt = world.random(16).toString('hex');
  const user = sha256(`${salt} ${login}`).slice(0, 32);
  appendDurably(paths.consentUsers, JSON.stringify({ user, salt, login }), { mode: 0o600 });
  settleFile(paths.consentUsers, 0o600, sharing.owner);
  return user;
};

/** Digest -> login name, as far as this process may know. */
export const knownUsers = (paths: InstancePaths): ReadonlyMap<string, string> => {
  try {
    return new Map((readIfThere(paths.consentUsers) ?? '').split('\n').flatMap(parseUser));
  } catch {
    return new Map();
  }
};

const parseUser = (line: string): [string, string][] => {
  try {
    const { user, salt, login } = JSON.parse(line) as Record<string, unknown>;
    return sha256(`${String(salt)} ${String(login)}`).startsWith(String(user)) ? [[String(user), String(login)]] : [];
  } catch {
    return [];
  }
};

const repairOf = (log: LogReading, paths: InstancePaths): LineContent[] => {
  if (isLost(paths, log)) {
    const lost = Math.max(0, recordedLength(paths) - log.length, markedLine(paths) - log.length);
    return [{ kind: 'repair', broken: digestBeforeNext(paths), lost }];
  }
  return log.torn.length > 0 ? [{ kind: 'repair', torn: [...log.torn] }] : [];
};

/** Whether what the log says is over: it was altered or cut, or is one of before. Of no log there is nothing to be over. */
export const isLost = (paths: InstancePaths, log: LogReading): boolean =>
  !log.whole || recordedLength(paths) > log.length || (log.length > 0 && isDoubtful(paths, log));

/** Whether the mark says that the log is one of before, or can't be read and so says nothing that could be relied on. */
export const isDoubtful = (paths: InstancePaths, log: LogReading): boolean => {
  const mark = readMark(paths);
  return mark === 'mark-unreadable' || isBehind(log, mark);
};

const markedLine = (paths: InstancePaths): number => {
  const mark = readMark(paths);
  return typeof mark === 'object' ? mark.line : 0;
};

/** Of all bytes that will stand before the next line: a torn end gets its newline first. */
const digestBeforeNext = (paths: InstancePaths): string => {
  const bytes = readBytesIfThere(paths.consentLog) ?? Buffer.alloc(0);
  const closed = bytes.length === 0 || bytes.at(-1) === 0x0a;
  return sha256(closed ? bytes : Buffer.concat([bytes, Buffer.from('\n')]));
};

const recordedLength = (paths: InstancePaths): number => {
  if (statIfThere(paths.consent)?.kind !== 'file') return 0;
  const record = parseRecord(readIfThere(paths.consent) ?? '');
  return typeof record === 'object' ? record.log.length : 0;
};

/** A link, a folder or a pipe in the log's place would make every later append fail: it is moved away and nothing of it is lost. */
const setAsideWhatIsNoFile = (world: World, paths: InstancePaths): void => {
  const stat = statIfThere(paths.consentLog);
  if (stat === undefined || stat.kind === 'file') return;
  renameDurably(paths.consentLog, `${paths.consentLog}.set-aside-${world.random(4).toString('hex')}`);
};
