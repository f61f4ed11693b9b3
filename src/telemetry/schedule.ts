/**
 * When reports are due: periods, random offsets, backoff; kept in `telemetry/spool/schedule.json`.
 *
 * A period's report is due at the period's end and a random time later, within the length of a period and seven days at most. It is
 * drawn anew for each period: an offset that stays would tell one server from another. What the file says is believed only as far as
 * it could have been written here: a due time outside of its period's span is drawn again, and a pause that is longer than any pause means that
 * the clock was moved.
 */

import { join } from 'node:path';
import type { Notice } from '../consent/notice.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { readIfThere, writeDurably } from '../system/files.ts';
import type { World } from '../system/world.ts';
import { isDay } from './part.ts';

export interface Schedule {
  readonly format: 1;
  /** First day of a period -> when its report is due, ISO. */
  readonly due: Readonly<Record<string, string>>;
  /** After a delivery that failed before anything was taken. */
  readonly retry: Retry | null;
}

export interface Retry {
  readonly at: string;
  /** How many have failed in a row. */
  readonly failures: number;
}

export interface Period {
  /** First day, and the first one behind it. */
  readonly start: string;
  readonly end: string;
}

type Length = Notice['period'];

const minute = 60_000;
const day = 24 * 60 * minute;
const shortestPause = minute;
const longestPause = day;
const longestOffset = 7 * day;
const firstPause = 15 * minute;

/** The period that a day lies in: itself, its week from Monday, or its month; all UTC. */
export const periodOf = (at: string, length: Length): Period => {
  const [year = 0, month = 1, date = 1] = at.split('-').map(Number);
  if (length === 'day') return { start: at, end: later(at, 1) };
  if (length === 'month')
    return { start: dayText(Date.UTC(year, month - 1, 1)), end: dayText(Date.UTC(year, month, 1)) };
  const sinceMonday = (new Date(Date.UTC(year, month - 1, date)).getUTCDay() + 6) % 7;
  return { start: later(at, -sinceMonday), end: later(at, 7 - sinceMonday) };
};

/** When the report of a period that has ended is due: as it was drawn before, or drawn now. */
export const dueOf = (world: Pick<World, 'random'>, schedule: Schedule, period: Period, length: Length): Date => {
  const end = startOf(period.end);
  const following = periodOf(period.end, length);
  const span = Math.min(startOf(following.end) - end, longestOffset);
  const drawn = Date.parse(schedule.due[period.start] ?? '');
  if (drawn >= end && drawn <= end + span) return new Date(drawn);
  return new Date(end + Math.floor(fraction(world) * span));
};

/** Whether a pause after a failure still lasts. */
export const isPausing = ({ retry }: Schedule, now: Date): boolean => {
  const left = Date.parse(retry?.at ?? '') - now.getTime();
  return left > 0 && left <= longestPause;
};

/** The pause after one more failure: what the recipient asked for, or longer each time, with a random half; a minute to a day. */
export const retryAfter = (
  world: Pick<World, 'random' | 'now'>,
  before: Retry | null,
  asked: string | undefined,
): Retry => {
  const failures = Math.min((before?.failures ?? 0) + 1, 1_000);
  const own = firstPause * 2 ** Math.min(failures - 1, 10) * (0.5 + fraction(world) / 2);
  const wanted = askedPause(asked, world.now()) ?? Math.min(own, longestPause);
  const pause = Math.min(Math.max(wanted, shortestPause), longestPause);
  return { at: new Date(world.now().getTime() + pause).toISOString(), failures };
};

/** What is on disk, as far as it has this form; an empty schedule otherwise. */
export const readSchedule = (paths: InstancePaths): Schedule => {
  try {
    return parseSchedule(JSON.parse(readIfThere(scheduleFile(paths)) ?? 'null'));
  } catch {
    return noSchedule;
  }
};

/** Throws where there is no spool (any more): it is never made here. */
export const writeSchedule = (paths: InstancePaths, schedule: Schedule): void =>
  writeDurably(scheduleFile(paths), `${JSON.stringify(schedule)}\n`, { mode: 0o600 });

export const noSchedule: Schedule = { format: 1, due: {}, retry: null };

export const startOf = (date: string): number => Date.parse(`${date}T00:00:00.000Z`);

/** The day that many days later. */
export const later = (date: string, days: number): string => dayText(startOf(date) + days * day);

const scheduleFile = (paths: InstancePaths): string => join(paths.spool, 'schedule.json');

const dayText = (time: number): string => new Date(time).toISOString().slice(0, 10);

const fraction = (world: Pick<World, 'random'>): number => world.random(6).readUIntBE(0, 6) / 2 ** 48;

/** `Retry-After`: whole seconds, or a date as HTTP writes it. */
const askedPause = (asked: string | undefined, now: Date): number | undefined => {
  const text = asked?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  if (!/^[A-Z][a-z]+,? .* GMT$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at - now.getTime();
};

const parseSchedule = (value: unknown): Schedule => {
  const at = asObject(value);
  if (at?.['format'] !== 1) return noSchedule;
  const due = Object.entries(asObject(at['due']) ?? {}).filter(
    (entry): entry is [string, string] => isDay(entry[0]) && isTime(entry[1]),
  );
  return { format: 1, due: Object.fromEntries(due), retry: parseRetry(asObject(at['retry'])) };
};

const parseRetry = (value: Readonly<Record<string, unknown>> | undefined): Retry | null => {
  const { at, failures } = value ?? {};
  if (!isTime(at) || !Number.isSafeInteger(failures) || (failures as number) < 1) return null;
  return { at, failures: failures as number };
};

const isTime = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) && !Number.isNaN(Date.parse(value));

const asObject = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
