/**
 * The window of consent, `telemetry/window.json`: since when it has been in force without a gap. A finished change with a yes writes it, an
 * erasing takes it away with the whole folder; where there is none, nothing may be reported.
 *
 * Only whole days (UTC) inside the window are reported: not the day on which it began, and not today.
 */

import type { InstancePaths } from '../instance/paths.ts';
import { readIfThere, type WriteOptions, writeDurably } from '../system/files.ts';

export interface Window {
  readonly format: 1;
  readonly generation: number;
  /** ISO, UTC. */
  readonly since: string;
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
  const { generation, since } = window;
  writeDurably(paths.window, `${JSON.stringify({ format: 1, generation, since })}\n`, options);
};

/** Those of the days that may be reported now, each once, in order. */
export const reportableDays = (window: Window | undefined, now: Date, days: Iterable<string>): string[] =>
  [...new Set(days)].filter((day) => isReportable(window, now, day)).sort();

const isReportable = (window: Window | undefined, now: Date, day: string): boolean =>
  window !== undefined && day > dayOf(new Date(window.since)) && day < dayOf(now);

/** The day of a time, UTC: `2026-11-25`. */
export const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

const parseWindow = (value: unknown): Window | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  const { format, generation, since } = value as Record<string, unknown>;
  if (format !== 1 || !Number.isSafeInteger(generation) || typeof since !== 'string') return undefined;
  const at = new Date(since);
  if (Number.isNaN(at.getTime()) || at.toISOString() !== since) return undefined;
  return { format, generation: generation as number, since };
};
