/**
 * The resolver: the one place that says whether anything may be counted, and why. docs/consent.md has the rule in words.
 *
 * Pure, and small enough to run inside a server: it imports nothing but values. gather.ts reads the files and takes the digests; here
 * they are compared, and nowhere else. Whoever counts, sends, or tells people about it asks this function right before.
 *
 * Invariants: every input but a valid acceptance can only subtract. Whatever is missing or can't be trusted is a no. Order is
 * told by generation and log, never by time; no environment variable can turn collection on.
 */

import type { NoticeId } from '../values.ts';

export type Way = 'prompt' | 'flag' | 'answers';
export type RecordedState = 'not-asked' | 'accepted' | 'declined' | 'withdrawn';
export type NotAskedReason = 'change-undone' | 'notice-not-confirmed' | 'not-asked';
export type State = RecordedState | 'invalid';
export type Reason =
  | 'no-telemetry'
  | 'change-unfinished'
  | 'record-invalid'
  | 'declined'
  | 'withdrawn'
  | NotAskedReason
  | 'do-not-track'
  | 'accepted';

/** Why a record can't be trusted. explain.ts has the sentences. */
export type Fault =
  | 'instance-unreadable'
  | 'not-installed'
  | 'record-missing'
  | 'record-damaged'
  | 'record-newer'
  | 'record-unreadable'
  | 'record-foreign'
  | 'record-earlier'
  | 'record-elsewhere'
  | 'record-ahead'
  | 'log-missing'
  | 'log-unreadable'
  | 'log-foreign'
  | 'log-broken'
  | 'log-earlier'
  | 'log-short'
  | 'log-of-before'
  | 'mark-unreadable'
  | 'log-disagrees'
  | 'notice-other'
  | 'notice-altered';

/** Keyed digests of where a record belongs: hex, made with the generation's key, and so comparable on this machine only. */
export interface Binding {
  readonly name: string;
  readonly folder: string;
  readonly machine: string;
}

/** The record, `consent.json`, as record.ts parses it. */
export interface ConsentRecord {
  readonly format: 1;
  readonly state: RecordedState;
  readonly generation: number;
  /** Digest of the generation's key. */
  readonly key: string;
  readonly binding: Binding;
  readonly noticeId: string | null;
  readonly by: Way | null;
  readonly at: string;
  /** The line of the log that the record repeats: how many lines the log had with it, and its digest. */
  readonly log: { readonly length: number; readonly head: string };
}

/** What the log says at last: its newest line that decides anything. */
export interface Standing {
  /** Number of the line, counted from 1. */
  readonly n: number;
  readonly hash: string;
  readonly generation: number;
  readonly state: RecordedState;
  readonly reason: NotAskedReason;
  readonly by: Way | null;
  /** When it was said. */
  readonly at: string;
  readonly noticeId: string | null;
}

/** The log, `consent.log`, as log-chain.ts reads it. */
export interface LogView {
  /** False if a line does not fit the one before it and no repair speaks for it. */
  readonly whole: boolean;
  readonly length: number;
  readonly lines: readonly { readonly hash: string }[];
  /** The newest generation that the log knows, with the digest of its key. */
  readonly generation: { readonly generation: number; readonly key: string } | null;
  readonly standing: Standing | null;
  /** True if a withdrawal was torn while it was being written, after the standing line. */
  readonly tornNo: boolean;
}

/** The mark beside the locks, as mark.ts parses it: the line of the log that decided last, as far as is known. */
export interface ConsentMark {
  readonly format: 1;
  /** The highest that was ever begun. */
  readonly generation: number;
  /** Number of the line, counted from 1, and its digest. */
  readonly line: number;
  readonly hash: string;
}

export interface ResolverInput {
  /** Facts of the instance with the digests that a record of it has to show; null where its state file is missing. */
  readonly instance: InstanceFacts | 'unreadable' | null;
  readonly unfinished: { readonly running: boolean } | null;
  readonly record:
    | ConsentRecord
    | 'missing'
    | 'record-damaged'
    | 'record-newer'
    | 'record-unreadable'
    | 'record-foreign';
  readonly log: LogView | 'missing' | 'log-unreadable' | 'log-foreign';
  /** Missing says nothing: homes of before had none, and a purge takes it away. */
  readonly mark: ConsentMark | 'missing' | 'mark-unreadable';
  /** The id of the notice's stored copy, taken anew from its bytes; null where there is no copy that can be trusted. */
  readonly storedNoticeId: string | null;
  /** True if DO_NOT_TRACK vetoes, in the server's environment or the asking process's own. */
  readonly vetoed: boolean;
  readonly now: Date;
}

export interface InstanceFacts {
  /** False for what an uninstall has kept: it can have no yes. */
  readonly installed: boolean;
  /** Null: the product declares no telemetry. */
  readonly noticeId: NoticeId | null;
  readonly generation: number;
  readonly key: string;
  readonly binding: Binding;
}

/** The answer that everything obeys. */
export interface Answer {
  readonly state: State;
  readonly collecting: boolean;
  readonly reason: Reason;
  /** Of the notice stored with the running release. */
  readonly noticeId: string | null;
  /** In which way and when the decision on record was made; null where there is none to be trusted. */
  readonly by: Way | null;
  readonly at: string | null;
  /** What is wrong where the state is `invalid`. */
  readonly fault: Fault | null;
  /** Only with `change-unfinished`: whether the change is running, or waits for `recover`. */
  readonly running: boolean | null;
}

const toleratedAheadMs = 5 * 60 * 1000;

/** The one answer. Never throws. */
export const resolve = (input: ResolverInput): Answer => {
  const found = whatStands(input);
  const reason = firstReason(input, found);
  const decided = found.state !== 'invalid' && found.state !== 'not-asked' && typeof input.record === 'object';
  return {
    state: found.state,
    collecting: reason === 'accepted',
    reason,
    noticeId: factsOf(input)?.noticeId ?? null,
    by: decided ? found.by : null,
    at: decided ? found.at : null,
    fault: found.fault,
    running: reason === 'change-unfinished' ? (input.unfinished?.running ?? false) : null,
  };
};

interface Found {
  readonly state: State;
  readonly reason: NotAskedReason;
  readonly by: Way | null;
  readonly at: string | null;
  readonly fault: Fault | null;
}

const firstReason = (input: ResolverInput, found: Found): Reason => {
  if (factsOf(input)?.noticeId === null) return 'no-telemetry';
  if (input.unfinished !== null) return 'change-unfinished';
  if (found.state === 'invalid') return 'record-invalid';
  if (found.state === 'declined' || found.state === 'withdrawn') return found.state;
  if (found.state === 'not-asked') return found.reason;
  return input.vetoed ? 'do-not-track' : 'accepted';
};

const whatStands = (input: ResolverInput): Found => {
  const nobodyAsked: Found = { state: 'not-asked', reason: 'not-asked', by: null, at: null, fault: null };
  if (input.record === 'missing' && input.log === 'missing') return nobodyAsked;
  if (input.instance === null && isHarmless(input.log)) return standingOf(input) ?? nobodyAsked;
  const fault = firstFault(input);
  if (fault === null) return standingOf(input) ?? nobodyAsked;
  const betweenGenerations = fault === 'record-earlier' || fault === 'log-earlier';
  if (betweenGenerations && input.unfinished !== null) return nobodyAsked;
  return { ...nobodyAsked, state: 'invalid', fault };
};

const standingOf = ({ log }: ResolverInput): Found | null =>
  typeof log === 'object' && log.standing !== null ? { ...log.standing, fault: null } : null;

/** Of an undone first install only the log is left. What it says may be told as long as it is no yes. */
const isHarmless = (log: ResolverInput['log']): boolean =>
  typeof log === 'object' && log.whole && !log.tornNo && log.standing?.state !== 'accepted';

const firstFault = (input: ResolverInput): Fault | null => {
  const { instance, record, log, mark } = input;
  if (instance === null || instance === 'unreadable') return 'instance-unreadable';
  if (typeof record === 'string' && record !== 'missing') return record;
  if (log === 'missing') return 'log-missing';
  if (typeof log === 'string') return log;
  if (!log.whole) return 'log-broken';
  if (mark === 'mark-unreadable') return mark;
  if (isBehind(log, mark)) return 'log-of-before';
  if (log.generation?.generation !== instance.generation || log.generation.key !== instance.key) return 'log-earlier';
  if (record === 'missing') return log.tornNo || isDecision(log.standing) ? 'record-missing' : null;
  return faultOfRecord(record, log, instance, input);
};

/** Whether the log lacks what was decided last: a backup of it was restored, or another put in its place. */
export const isBehind = (log: LogView, mark: ConsentMark | 'missing'): boolean =>
  mark !== 'missing' && log.lines[mark.line - 1]?.hash !== mark.hash;

const faultOfRecord = (
  record: ConsentRecord,
  log: LogView,
  instance: InstanceFacts,
  { now, storedNoticeId }: ResolverInput,
): Fault | null => {
  if (record.generation !== instance.generation || record.key !== instance.key) return 'record-earlier';
  if (!sameBinding(record.binding, instance.binding)) return 'record-elsewhere';
  if (record.log.length > log.length) return 'log-short';
  if (log.standing === null || log.tornNo || !agree(record, log.standing)) return 'log-disagrees';
  if (isAhead(record.at, now) || isAhead(log.standing.at, now)) return 'record-ahead';
  if (record.state !== 'accepted') return null;
  if (!instance.installed) return 'not-installed';
  if (record.noticeId !== instance.noticeId) return 'notice-other';
  return storedNoticeId === record.noticeId ? null : 'notice-altered';
};

const agree = (record: ConsentRecord, standing: Standing): boolean =>
  record.log.length === standing.n &&
  record.log.head === standing.hash &&
  record.state === standing.state &&
  record.generation === standing.generation &&
  record.noticeId === standing.noticeId &&
  record.by === standing.by;

const sameBinding = (one: Binding, other: Binding): boolean =>
  one.name === other.name && one.folder === other.folder && one.machine === other.machine;

/** A time that can't be read is as good as one from the future. */
const isAhead = (at: string, now: Date): boolean => !(Date.parse(at) <= now.getTime() + toleratedAheadMs);

const isDecision = (standing: Standing | null): boolean => standing !== null && standing.state !== 'not-asked';

const factsOf = ({ instance }: ResolverInput): InstanceFacts | null => (typeof instance === 'object' ? instance : null);
