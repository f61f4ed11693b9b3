/**
 * What a change does to consent, in three operations. Each takes the consent lock, appends to the log, and then writes the
 * record as a copy of what stands there. Each may be repeated at any time: what is in the log already is not said again, so
 * recovery calls them anew with what the opening entry carries.
 *
 *   beginGeneration   right behind the opening entry: an earlier yes is over, a no said in this change stands
 *   recordAnswer      before the new release starts: a yes is on record, and obeyed once the change has finished
 *   voidGeneration    at the end of an undo: no yes is left, and no no is taken back
 *
 * Telemetry never makes a change fail: what can't be written is told in `problem`, and the record is taken away, which is a no.
 */

import { messageOf } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import type { Account } from '../instance/state.ts';
import { statIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import type { GenerationKey, NoticeId } from '../values.ts';
import { keyDigest } from './digests.ts';
import { withConsentLock } from './guard.ts';
import { type Asked, appendLines, isDoubtful, openLog, userDigest } from './log.ts';
import { type LogReading, type NumberedLine, standingOf } from './log-chain.ts';
import { type LineContent, wasWithdrawal } from './log-lines.ts';
import { markedGeneration } from './mark.ts';
import type { Standing, Way } from './resolver.ts';
import { settle, takeAway } from './settle.ts';
import { sharingOf } from './sharing.ts';

/** What was answered, as question.ts hears it and the opening entry carries it. */
export type GivenAnswer =
  | { readonly say: 'yes'; readonly by: Way; readonly noticeId: string }
  | { readonly say: 'no'; readonly by: Way }
  | { readonly say: 'none'; readonly reason: 'not-asked' | 'notice-not-confirmed' };

/** What the opening entry of a change says about consent. */
export interface Raise {
  readonly generation: number;
  readonly key: GenerationKey;
  /** `install`, `upgrade`, ... */
  readonly change: string;
  readonly version: string | null;
  /** Of the release that will run; null where its product declares no telemetry. */
  readonly noticeId: NoticeId | null;
  /** The server's account, as soon as it is known. */
  readonly account: Account | null;
  readonly answer: GivenAnswer;
  /** `askedNow` at the moment in which the question was put: a withdrawal after it beats the yes. Where only the length of the log is known, that has to do. */
  readonly since: Asked['since'];
  readonly head?: Asked['head'] | undefined;
  readonly recorded?: Asked['recorded'] | undefined;
  /** Who answered, where another user recovers the change. Default: who runs this. */
  readonly login?: string;
}

/** `problem` is for people; where it is not null, nothing is on record, and that is a no. */
export interface Recorded {
  readonly problem: string | null;
}

export const beginGeneration = (world: World, paths: InstancePaths, raise: Raise): Promise<Recorded> =>
  recorded(world, paths, raise, 'begin a generation', (scribe) => begin(scribe, raise));

export const recordAnswer = (world: World, paths: InstancePaths, raise: Raise): Promise<Recorded> =>
  recorded(world, paths, raise, 'record the answer', (scribe) => {
    // What began the generation has made a record, also where there had been none.
    begin(scribe, raise, isNewest(scribe.log, raise) || raise.recorded);
    const within = decisionsWithin(scribe.log, raise);
    if (within.length === 0) scribe.append(answerLine(scribe, raise));
  });

export const voidGeneration = (world: World, paths: InstancePaths, raise: Raise): Promise<Recorded> =>
  recorded(world, paths, raise, 'void a generation', (scribe) => {
    begin(scribe, raise, false);
    if (decisionsWithin(scribe.log, raise).at(-1)?.line?.kind !== 'void') scribe.append(voidLine(scribe.log, raise));
  });

interface Scribe {
  log: LogReading;
  /** Whether there was a record before anything was written. */
  readonly recorded: boolean;
  /** True while the log is one of before, and nothing was written behind it yet. */
  isOfBefore(): boolean;
  append(line: LineContent): void;
  user(): string;
}

const recorded = async (
  world: World,
  paths: InstancePaths,
  raise: Raise,
  what: string,
  write: (scribe: Scribe) => void,
): Promise<Recorded> => {
  try {
    return await withConsentLock(world, paths, what, async () => {
      const sharing = sharingOf(world, paths, raise.account);
      const scribe: Scribe = {
        log: openLog(world, paths),
        recorded: statIfThere(paths.consent) !== undefined,
        isOfBefore: () => scribe.log.length > 0 && isDoubtful(paths, scribe.log),
        append: (line) => {
          scribe.log = appendLines(world, paths, [line], sharing);
        },
        user: () => userDigest(world, paths, raise.login ?? world.user.login, sharing),
      };
      refuseOfBefore(paths, scribe.log, raise);
      write(scribe);
      await settle(world, paths, raise, sharing);
      return { problem: null };
    });
  } catch (error) {
    return { problem: problemOf(paths, error) };
  }
};

/**
 * A change that was open when a backup was made, and was ended since, comes back with it, and a yes in its opening entry, too. Its number tells: a change that
 * begins now has a higher one than anything that was marked.
 */
const refuseOfBefore = (paths: InstancePaths, log: LogReading, { generation }: Raise): void => {
  if (generation > markedGeneration(paths) || !isDoubtful(paths, log)) return;
  throw new Error('this change comes from before what was decided last, as after a restored backup');
};

/** The record of before belongs to an earlier generation or disagrees with the log; taking it away only makes that plain. */
const problemOf = (paths: InstancePaths, error: unknown): string => {
  const gone = takeAway(paths) ? '' : ` ${paths.consent} could not be removed either; it counts for nothing.`;
  return `The decision about telemetry could not be recorded: ${messageOf(error)}.${gone}`;
};

/**
 * The generation's line, and what is carried into it: a no said in this change, or a withdrawal that came after the question. `recorded`: there had
 * been a record, and whoever finds none now sees what a withdrawal has left that could not be written.
 */
const begin = (scribe: Scribe, raise: Raise, recorded = raise.recorded): void => {
  if (!isNewest(scribe.log, raise) || scribe.isOfBefore()) {
    const { generation, change, version, noticeId } = raise;
    const since = sinceOf(scribe.log, raise);
    scribe.append({ kind: 'generation', generation, key: keyDigest(raise.key), change, version, noticeId, since });
  }
  if (decisionsWithin(scribe.log, raise).length === 0) {
    const withdrawn = withdrawnBefore(scribe.log, raise);
    if (raise.answer.say === 'no') scribe.append(answerLine(scribe, raise));
    else if (withdrawn) scribe.append({ ...withdrawn, generation: raise.generation });
  }
  const said = decisionsWithin(scribe.log, raise).map(standingOf).at(-1) ?? null;
  const isUnwritten = recorded === true && !scribe.recorded && saysYes(raise);
  if (!isNo(said) && (isUnwritten || isTornNo(scribe.log, raise))) scribe.append(unwrittenNo(raise));
};

/** Nobody knows any more who said it and how: most often it is a command that was typed. */
const unwrittenNo = ({ generation, noticeId, version }: Raise): LineContent => ({
  kind: 'withdrawal',
  generation,
  by: 'flag',
  noticeId,
  version,
  user: '',
});

const answerLine = (scribe: Scribe, raise: Raise): LineContent => {
  const { generation, noticeId, version, answer } = raise;
  const base = { kind: 'answer', generation, noticeId, version } as const;
  if (answer.say === 'none') return { ...base, say: 'none', reason: answer.reason };
  if (answer.say === 'no') return { ...base, say: 'no', by: answer.by, user: scribe.user() };
  // Whoever calls this, a yes to another notice than that of the release that will run is no yes.
  if (noticeId === null) return { ...base, say: 'none', reason: 'not-asked' };
  if (answer.noticeId !== noticeId) return { ...base, say: 'none', reason: 'notice-not-confirmed' };
  return { ...base, say: 'yes', by: answer.by, user: scribe.user() };
};

/** After an undo: a no of this change, else the no of before, else nothing; and whether a yes went with it. */
const voidLine = (log: LogReading, raise: Raise): LineContent => {
  const within = decisionsWithin(log, raise).map(standingOf);
  const before = log.lines.slice(0, indexOfGeneration(log, raise)).map(standingOf).findLast(isThere) ?? null;
  const base = { kind: 'void', generation: raise.generation, version: raise.version } as const;
  const no = within.findLast(isNo) ?? (isNo(before) ? before : undefined);
  if (no) {
    return { ...base, state: no.state, reason: 'not-asked', by: no.by, noticeId: no.noticeId, saidAt: no.at };
  }
  const yes =
    before?.state === 'accepted' || within.some((standing) => standing?.state === 'accepted') || saysYes(raise);
  return {
    ...base,
    state: 'not-asked',
    reason: yes ? 'change-undone' : 'not-asked',
    by: null,
    noticeId: raise.noticeId,
  };
};

const isThere = (standing: Standing | null): standing is Standing => standing !== null;
const isNo = (standing: Standing | null): standing is Standing =>
  standing?.state === 'declined' || standing?.state === 'withdrawn';
const saysYes = ({ answer, noticeId }: Raise): boolean => answer.say === 'yes' && noticeId !== null;

/** The lines behind the generation's own that decide anything. */
const decisionsWithin = (log: LogReading, raise: Raise): NumberedLine[] =>
  log.lines.slice(indexOfGeneration(log, raise) + 1).filter((line) => standingOf(line) !== null);

/** How many lines are older than the question. None, where the log is not the one any more beside which it was put: it was cut, or began anew. */
const sinceOf = ({ lines }: LogReading, { since, head }: Raise): number => {
  const last = lines[since - 1];
  return last !== undefined && (head === undefined || last.hash === head) ? since : 0;
};

/** Whether a withdrawal after the question was torn while it was being written. */
const isTornNo = (log: LogReading, raise: Raise): boolean =>
  log.lines.slice(sinceOf(log, raise)).some(({ line, text }) => line === undefined && wasWithdrawal(text));

const withdrawnBefore = (log: LogReading, raise: Raise) => {
  const between = log.lines.slice(sinceOf(log, raise), indexOfGeneration(log, raise));
  const line = between.map((numbered) => numbered.line).findLast((candidate) => candidate?.kind === 'withdrawal');
  if (line?.kind !== 'withdrawal') return undefined;
  const { kind, by, noticeId, version, user } = line;
  return { kind, by, noticeId, version, user, saidAt: line.saidAt ?? line.at };
};

const isNewest = ({ generation: newest }: LogReading, { generation, key }: Raise): boolean =>
  newest?.generation === generation && newest.key === keyDigest(key);

const indexOfGeneration = ({ lines }: LogReading, { generation, key }: Raise): number => {
  const digest = keyDigest(key);
  return lines.findLastIndex(
    ({ line }) => line?.kind === 'generation' && line.generation === generation && line.key === digest,
  );
};
