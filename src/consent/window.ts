/**
 * The window of consent, `telemetry/window.json`: since when it has been in force without a gap. A finished change with a yes writes it, an
 * erasing takes it away with the whole folder; where there is none, nothing may be reported.
 *
 * Only whole days (UTC) inside the window are reported: not the day on which it began, and not today. Nor a day in a gap: a yes stays on record while a
 * veto lasts, so whoever starts the server without being allowed to count notes it here, and the next one who is allowed to ends it.
 */

import type { InstancePaths } from '../instance/paths.ts';
import { readIfThere, removeFile, type WriteOptions, writeDurably } from '../system/files.ts';

export interface Window {
  readonly format: 1;
  readonly generation: number;
  /** ISO, UTC. */
  readonly since: string;
  /** In order; absent where there are none. */
  readonly gaps?: readonly Gap[];
}

/** Days, UTC, the first and the last one included. */
export interface Gap {
  readonly from: string;
  /** Null as long as it lasts. */
  readonly to: string | null;
}

/** The window, or undefined where there is none of this form: then nothing may be reported. */
export const readWindow = (paths: InstancePaths): Window | undefined => {
  try {
    return parseWindow(JSON.parse(readIfThere(paths.window) ?? 'null'));
  } catch {
    return undefined;
  }
};

export const writeWindow = (paths: InstancePaths, window: Omit<Window, 'format'>, options: WriteOptions = {}): void => {
  const { generation, since, gaps } = window;
  writeDurably(paths.window, `${JSON.stringify({ format: 1, generation, since, gaps })}\n`, options);
};

/** Begins or ends a gap, if that is anything new. The folder is never made for it; where one that begins can't be written down, the window ends. */
export const noteGap = (paths: InstancePaths, now: Date, collecting: boolean): void => {
  const window = readWindow(paths);
  const gaps = window?.gaps ?? [];
  const last = gaps.at(-1);
  if (window === undefined || (last?.to === null) === !collecting) return;
  const today = dayOf(now);
  try {
    writeWindow(paths, { ...window, gaps: collecting ? ended(gaps, today) : begun(gaps, today) });
  } catch {
    // A gap that goes on only leaves out days.
    if (!collecting) removeWindow(paths);
  }
};

const ended = (gaps: readonly Gap[], today: string): Gap[] =>
  gaps.map(({ from, to }) => ({ from, to: to ?? (today < from ? from : today) }));

/** A second one of a day is the first one, going on; so there are no more of them than days. */
const begun = (gaps: readonly Gap[], today: string): Gap[] => {
  const goesOn = gaps.find(({ from, to }) => from <= today && to !== null && to >= today);
  return [...gaps.filter((gap) => gap !== goesOn), { from: goesOn?.from ?? today, to: null }];
};

/** Without a window nothing is reported. */
const removeWindow = (paths: InstancePaths): void => {
  try {
    removeFile(paths.window);
  } catch {
    // Whoever can do neither may not write here at all, and is not the one who is asked to.
  }
};

/** Those of the days that may be reported now, each once, in order. */
export const reportableDays = (window: Window | undefined, now: Date, days: Iterable<string>): string[] =>
  [...new Set(days)].filter((day) => isReportable(window, now, day)).sort();

const isReportable = (window: Window | undefined, now: Date, day: string): boolean =>
  window !== undefined && day > dayOf(new Date(window.since)) && day < dayOf(now) && !isInGap(window, day);

const isInGap = ({ gaps = [] }: Window, day: string): boolean =>
  gaps.some(({ from, to }) => day >= from && (to === null || day <= to));

/** The day of a time, UTC: `2026-11-25`. */
export const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

const parseWindow = (value: unknown): Window | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  const { format, generation, since, gaps } = value as Record<string, unknown>;
  if (format !== 1 || !Number.isSafeInteger(generation) || typeof since !== 'string') return undefined;
  const at = new Date(since);
  if (Number.isNaN(at.getTime()) || at.toISOString() !== since) return undefined;
  if (gaps === undefined) return { format, generation: generation as number, since };
  return Array.isArray(gaps) && gaps.every(isGap)
    ? { format, generation: generation as number, since, gaps }
    : undefined;
};

const isGap = (value: unknown): value is Gap => {
  const { from, to } = (value ?? {}) as Record<string, unknown>;
  const isDay = (day: unknown): boolean => typeof day === 'string' && /^\d{4}-\d\d-\d\d$/.test(day);
  return isDay(from) && (to === null || isDay(to));
};
