/**
 * The lines of the log, `consent.log`: what each kind holds, and their one parser.
 *
 * A line is a JSON object whose first members are always `n` (its number, from 1), `kind` and `prev` (the digest of the line before), so that
 * even a torn line usually tells what it was going to be. `n` counts every line of the file, torn ones too.
 */

import type { NotAskedReason, RecordedState, Way } from './resolver.ts';

export type LineContent =
  /** A change began. `since`: how many lines the log had when its question was put. */
  | {
      kind: 'generation';
      generation: number;
      key: string;
      change: string;
      version: string | null;
      noticeId: string | null;
      since: number;
    }
  /** The question was put to somebody at a terminal. */
  | { kind: 'question'; noticeId: string; version: string | null; user: string }
  | {
      kind: 'answer';
      generation: number;
      say: 'yes' | 'no';
      by: Way;
      noticeId: string | null;
      version: string | null;
      user: string;
    }
  /** Nobody answered in this change. */
  | {
      kind: 'answer';
      generation: number;
      say: 'none';
      reason: NotAskedReason;
      noticeId: string | null;
      version: string | null;
    }
  /** `saidAt` where an earlier withdrawal is carried into the generation that it belongs to. */
  | {
      kind: 'withdrawal';
      generation: number;
      by: Way;
      noticeId: string | null;
      version: string | null;
      user: string;
      saidAt?: string;
    }
  /** A change was undone; this is what stands after it. */
  | {
      kind: 'void';
      generation: number;
      state: RecordedState;
      reason: NotAskedReason;
      by: Way | null;
      noticeId: string | null;
      version: string | null;
      saidAt?: string;
    }
  /** `torn`: digests of the torn lines right before. `broken`: digest of all bytes before, where they don't hold together any more. */
  | { kind: 'repair'; torn: string[] }
  | { kind: 'repair'; broken: string; lost: number };

export type LogLine = { n: number; prev: string; at: string } & LineContent;

/** The bytes of a line, without the newline. */
export const writeLine = (n: number, prev: string, at: string, { kind, ...rest }: LineContent): string =>
  JSON.stringify({ n, kind, prev, at, ...rest });

/** The line, or undefined where the text is none. */
export const parseLine = (text: string): LogLine | undefined => {
  const value = parseObject(text);
  if (value === undefined || !isText(value.prev) || !isText(value.at) || !isCount(value.n)) return undefined;
  const fits = Object.hasOwn(shapes, String(value.kind)) && shapes[value.kind as LogLine['kind']](value);
  return fits ? (value as unknown as LogLine) : undefined;
};

/** Whether a torn line was going to be a withdrawal, as far as it still shows. */
export const wasWithdrawal = (torn: string): boolean => /^\{"n":\d+,"kind":"w/.test(torn);

type Fields = Readonly<Record<string, unknown>>;

const shapes: Record<LogLine['kind'], (at: Fields) => boolean> = {
  generation: (at) => isCount(at.generation) && isText(at.key) && isText(at.change) && about(at) && isCount(at.since),
  question: (at) => isText(at.noticeId) && isTextOrNull(at.version) && isText(at.user),
  answer: (at) => isCount(at.generation) && about(at) && (at.say === 'none' ? isReason(at.reason) : isSaid(at)),
  withdrawal: (at) => isCount(at.generation) && about(at) && isWay(at.by) && isText(at.user),
  void: (at) =>
    isCount(at.generation) && about(at) && isState(at.state) && isReason(at.reason) && (at.by === null || isWay(at.by)),
  repair: (at) =>
    Array.isArray(at.torn) ? at.torn.length > 0 && at.torn.every(isText) : isText(at.broken) && isCount(at.lost),
};

const about = (at: Fields): boolean =>
  isTextOrNull(at.noticeId) && isTextOrNull(at.version) && (at.saidAt === undefined || isText(at.saidAt));

const isSaid = (at: Fields): boolean => (at.say === 'yes' || at.say === 'no') && isWay(at.by) && isText(at.user);

const parseObject = (text: string): Fields | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
};

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
export const isWay = (value: unknown): value is Way => ['prompt', 'flag', 'answers'].includes(value as string);
export const isState = (value: unknown): value is RecordedState =>
  ['not-asked', 'accepted', 'declined', 'withdrawn'].includes(value as string);
const isReason = (value: unknown): boolean =>
  ['change-undone', 'notice-not-confirmed', 'not-asked'].includes(value as string);
