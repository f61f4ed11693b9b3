/**
 * A part: what one counting process saw in one UTC day, after suppression. It is written once, when the day or the process ends, and
 * holds nothing that has fewer clients behind it than the notice promises (suppress.ts); so whatever is on disk may be read by anyone.
 *
 * A day may have several parts (a restart ends one). Each of them passed by itself, and a report adds them up. The parser trusts nobody: parts
 * are written by the server's account. What is not a part of exactly this form is none.
 */

import { asNoticeId, type NoticeId } from '../values.ts';

/** Families of browsers, a closed list: whatever else somebody sends is `other`. Mobile ones are families of their own. */
export const browsers = [
  ...['chrome', 'edge', 'firefox', 'opera', 'safari', 'samsung', 'other'],
  ...['chrome-mobile', 'edge-mobile', 'firefox-mobile', 'opera-mobile', 'safari-mobile', 'other-mobile'],
] as const;
export type Browser = (typeof browsers)[number];

export interface PartCounter {
  /** The name of a counter of the notice. */
  readonly name: string;
  /** How often; null where it had to be dropped. */
  readonly total: number | null;
  /** How often by family; what had to be dropped is not there. */
  readonly browser: Readonly<Partial<Record<Browser, number>>>;
  /** How often by hour of the day, UTC: `00` to `23`. */
  readonly hour: Readonly<Record<string, number>>;
}

export interface Part {
  readonly format: 1;
  readonly noticeId: NoticeId;
  /** UTC: `2026-11-25`. */
  readonly day: string;
  readonly counters: readonly PartCounter[];
}

/** Longest part that is read, in bytes: 60 counters with everything in them are a fifth of it. */
export const partLimit = 256 * 1024;

/** The part that these bytes are, or undefined. Counters that the notice does not name are dropped: pass their names. */
export const parsePart = (text: string, counters: readonly string[]): Part | undefined => {
  const value = parseObject(text);
  const noticeId = asNoticeId(String(value?.['noticeId']));
  const day = String(value?.['day']);
  if (value?.['format'] !== 1 || noticeId === undefined || !isDay(day) || !Array.isArray(value['counters']))
    return undefined;
  const read = value['counters'].map((each) => parseCounter(each, counters));
  return { format: 1, noticeId, day, counters: read.filter((each) => each !== undefined) };
};

/** Whether the text is a day of the calendar, as in `2026-11-25`. */
export const isDay = (text: string): boolean => {
  const at = new Date(`${text}T00:00:00.000Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
};

const parseCounter = (value: unknown, known: readonly string[]): PartCounter | undefined => {
  const at = asObject(value);
  const name = String(at?.['name']);
  if (at === undefined || !known.includes(name)) return undefined;
  const total = at['total'] === null ? null : count(at['total']);
  if (total === undefined) return undefined;
  const hour = counts(at['hour'], (key) => /^([01]\d|2[0-3])$/.test(key));
  return { name, total, browser: counts(at['browser'], (key) => browsers.includes(key as Browser)), hour };
};

const counts = (value: unknown, isKey: (key: string) => boolean): Record<string, number> =>
  Object.fromEntries(
    Object.entries(asObject(value) ?? {}).flatMap(([key, each]) => {
      const read = count(each);
      return isKey(key) && read !== undefined ? [[key, read]] : [];
    }),
  );

const count = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;

const parseObject = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
};

const asObject = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
