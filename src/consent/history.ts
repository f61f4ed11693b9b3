/**
 * `telemetry history`: every line of the log in words, and whether the chain holds. Read-only. A broken log is still shown as far as it can
 * be; that it is broken is a Failure of its own, thrown behind the printing.
 */

import { Failure } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { knownUsers, loadLog } from './log.ts';
import type { LogReading, NumberedLine } from './log-chain.ts';
import type { LogLine } from './log-lines.ts';
import { readMark } from './mark.ts';
import { isBehind } from './resolver.ts';

export interface HistoryEntry {
  readonly n: number;
  /** ISO 8601, UTC; null for a torn line. */
  readonly at: string | null;
  readonly kind: LogLine['kind'] | 'torn';
  readonly text: string;
  readonly generation: number | null;
  readonly version: string | null;
  readonly noticeId: string | null;
  readonly by: string | null;
  /** Login name of who answered, where this process may know it. */
  readonly user: string | null;
  readonly hash: string;
}

export interface History {
  readonly entries: readonly HistoryEntry[];
  readonly whole: boolean;
  /** What is wrong with the chain, for people. */
  readonly fault: string | null;
  readonly head: string;
}

/** The history, oldest first; no entries where there is no log. Throws the system's error where it can't be read. */
export const historyOf = (paths: InstancePaths): History => {
  const log = loadLog(paths);
  const users = knownUsers(paths);
  const fault = faultOf(paths, log);
  const yesBefore = yesesBefore(log.lines);
  return {
    entries: log.lines.map((line, at) => entryOf(line, users, yesBefore[at] === true)),
    whole: fault === null,
    fault,
    head: log.head,
  };
};

/** An entry each for people: its number and time, and what it says; names only where they are known. */
export const renderHistory = ({ entries }: History): { readonly when: string; readonly text: string }[] =>
  entries.map(({ n, at, text, user, noticeId }) => {
    const about = [user === null ? '' : `by ${user}`, noticeId === null ? '' : `notice ${noticeId}`].filter(
      (part) => part !== '',
    );
    return { when: `${String(n).padStart(4)}  ${at ?? '(torn line)'}`, text: [text, ...about].join(', ') };
  });

/** Throws 'refused-history' where the chain does not hold. */
export const assertWhole = (paths: InstancePaths, { fault }: History): void => {
  if (fault === null) return;
  throw new Failure(
    'refused-history',
    `The history in ${paths.consentLog} was altered: ${fault}.`,
    `Whatever was decided there counts as no until the next change asks anew. Compare it with a copy or a receipt that you kept; then: assent reinstall ${paths.name}.`,
  );
};

/** What is wrong with the log, for people; null where it is whole. */
export const faultOf = (paths: InstancePaths, log: LogReading): string | null =>
  log.fault?.message ?? faultOfBefore(paths, log);

/** What an intact chain does not tell: that it once went on otherwise. */
const faultOfBefore = (paths: InstancePaths, log: LogReading): string | null => {
  const mark = readMark(paths);
  if (typeof mark === 'string' || log.length === 0 || !isBehind(log, mark)) return null;
  const lacks =
    log.length < mark.line
      ? `it ends with line ${log.length}, and line ${mark.line} was written, too`
      : `line ${mark.line} is not the one that was written`;
  return `${lacks}; most likely a backup was restored`;
};

/** For each line whether a yes stood when it was written. */
const yesesBefore = (lines: readonly NumberedLine[]): boolean[] => {
  let stands = false;
  return lines.map(({ line }) => {
    const before = stands;
    if (line?.kind === 'answer') stands = line.say === 'yes';
    else if (line !== undefined && line.kind !== 'question' && !('torn' in line)) stands = false;
    return before;
  });
};

const entryOf = (
  { n, hash, line }: NumberedLine,
  users: ReadonlyMap<string, string>,
  yesBefore: boolean,
): HistoryEntry => {
  const nothing = { generation: null, version: null, noticeId: null, by: null, user: null };
  if (line === undefined) {
    return { ...nothing, n, hash, at: null, kind: 'torn', text: 'not written to its end (a crash, or damage)' };
  }
  const digest = 'user' in line ? line.user : '';
  return {
    n,
    hash,
    at: line.at,
    kind: line.kind,
    text: textOf(line, yesBefore),
    generation: 'generation' in line ? line.generation : null,
    version: 'version' in line ? line.version : null,
    noticeId: 'noticeId' in line ? line.noticeId : null,
    by: 'by' in line ? line.by : null,
    user: users.get(digest) ?? null,
  };
};

const textOf = (line: LogLine, yesBefore: boolean): string => {
  switch (line.kind) {
    case 'generation':
      return `${beginning(line)}${yesBefore ? '; the yes of before is over' : ''}`;
    case 'question':
      return 'the question was put';
    case 'answer':
      return answerText(line);
    case 'withdrawal':
      return `withdrawn (${line.by})${line.saidAt === undefined ? '' : `, said at ${line.saidAt}`}`;
    case 'void':
      return `installation ${line.generation} was undone; what stands: ${line.state}${line.state === 'not-asked' ? ` (${line.reason})` : ''}`;
    case 'repair':
      return 'torn' in line
        ? `the log goes on behind ${line.torn.length === 1 ? 'a torn line' : `${line.torn.length} torn lines`}`
        : `the log was found damaged and goes on anew; what was decided before is over${line.lost > 0 ? `; ${line.lost === 1 ? 'one line is' : `${line.lost} lines are`} missing` : ''}`;
  }
};

const beginning = ({ generation, change, version }: Extract<LogLine, { kind: 'generation' }>): string =>
  `installation ${generation} begins (${version === null ? change : `${change}, ${version}`})`;

const answerText = (line: Extract<LogLine, { kind: 'answer' }>): string => {
  if (line.say === 'none')
    return line.reason === 'not-asked' ? 'nobody was asked' : 'on was said, but not confirmed with the notice';
  return `${line.say === 'yes' ? 'accepted' : 'declined'} (${line.by})`;
};
