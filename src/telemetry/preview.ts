/**
 * What a report would be now: the same bytes, by the same encoder, that are sent. Where nothing is counted it is an example, and says so
 * beside the bytes, never in them.
 *
 * Of the real numbers it is the next report that is shown: the oldest one that waits in the spool, its very bytes; else that of the oldest period
 * that has reportable days and was not reported yet. What else is there is told as amounts only. Nothing is made, changed or sent here.
 */

import type { Notice } from '../consent/notice.ts';
import { dayOf, readWindow, reportableDays } from '../consent/window.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { exampleParts } from './example.ts';
import { numbersOf, readParts, type StoredPart } from './parts.ts';
import { readReport } from './read-report.ts';
import { makeReport, type Report } from './report.ts';
import { periodOf, readSchedule } from './schedule.ts';
import { lastReportedDay, reportsIn } from './sent.ts';
import { isMarked, readSpooled, spooledAt } from './spool.ts';

export interface Preview {
  readonly example: boolean;
  readonly notice: Notice;
  readonly version: string;
  /** Undefined where there is nothing to report yet. */
  readonly report: Report | undefined;
  /** Null where the report was not made yet. */
  readonly waiting: Waiting | null;
  readonly aside: Aside;
}

/** The report is made, and waits to be sent. */
export interface Waiting {
  /** ISO, UTC. */
  readonly since: string;
  /** How many deliveries have failed in a row. */
  readonly failures: number;
}

/** How many numbers are there that this report does not hold. */
export interface Aside {
  /** Of days that are not over. */
  readonly unfinished: number;
  /** Of days that are never reported: consent was not in force all day, or the day was reported already. */
  readonly never: number;
  /** Of later periods. */
  readonly later: number;
}

export const examplePreview = (notice: Notice, version: string): Preview => ({
  example: true,
  notice,
  version,
  report: makeReport({ notice, version }, exampleParts(notice)),
  waiting: null,
  aside: { unfinished: 0, never: 0, later: 0 },
});

/** `uid`: whose files parts are, as `readParts` has it. */
export const realPreview = (
  paths: InstancePaths,
  { notice, version, uid, now }: { notice: Notice; version: string; uid: number; now: Date },
): Preview => {
  const parts = readParts(paths, notice, uid);
  const reportable = reportableDaysOf(paths, now, parts);
  const [first, ...others] = spooledReports(paths, notice);
  const next = first === undefined ? nextDays(reportable, notice) : [];
  const about = { notice, version };
  const isIn = (day: string) => next.includes(day);
  const today = dayOf(now);
  return {
    ...about,
    example: false,
    report:
      first?.report ??
      makeReport(
        about,
        parts.filter(({ day }) => isIn(day)),
      ),
    waiting: first?.waiting ?? null,
    aside: {
      unfinished: countOf(parts.filter(({ day }) => day >= today)),
      never: countOf(parts.filter(({ day }) => day < today && !reportable.includes(day))),
      later:
        others.reduce((sum, { report }) => sum + report.numbers, 0) +
        countOf(parts.filter(({ day }) => reportable.includes(day) && !isIn(day))),
    },
  };
};

/** What waits, in the order in which it goes. A marked report may have arrived, and is never sent again. */
const spooledReports = (paths: InstancePaths, notice: Notice): { report: Report; waiting: Waiting }[] => {
  const failures = readSchedule(paths).retry?.failures ?? 0;
  return reportsIn(paths.spool)
    .filter((name) => !isMarked(paths, name))
    .flatMap((name) => {
      const bytes = readSpooled(paths, name);
      const since = spooledAt(paths, name);
      if (bytes === undefined || since === undefined) return [];
      return [{ report: readReport(bytes, name, notice), waiting: { since: since.toISOString(), failures } }];
    });
};

/** The reportable days of the oldest period that has some. */
const nextDays = (reportable: readonly string[], { period }: Notice): string[] => {
  const [first] = reportable;
  return first === undefined ? [] : reportable.filter((day) => day < periodOf(first, period).end);
};

/** A day that a report has, whether it waits or was sent, is over: what comes late is not reported. */
const reportableDaysOf = (paths: InstancePaths, now: Date, parts: readonly StoredPart[]): string[] => {
  const last = lastReportedDay(paths, dayOf(now));
  return reportableDays(
    readWindow(paths),
    now,
    parts.map(({ day }) => day).filter((day) => day > last),
  );
};

const countOf = (parts: readonly StoredPart[]): number =>
  parts.reduce((sum, { counters }) => sum + counters.flatMap(numbersOf).length, 0);
