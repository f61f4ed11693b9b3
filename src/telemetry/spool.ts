/**
 * Reports that wait, in `telemetry/spool/`: `report-FROM_TO.json`, the exact bytes of the encoder, and beside it `report-FROM_TO.attempt` once it
 * is about to leave. Only Assent writes here; where it is root's, nobody else can.
 *
 * - A report is written durably, then the parts of its days are deleted. What a kill left in between, or a process wrote after its day was
 *   reported, is late: it is discarded, so no day is reported twice.
 * - The mark is removed after the report, never before: a report without a mark was never sent.
 * - The spool has a limit; the oldest reports are dropped. The folder above is never made here: an erasing must not be undone by a writer.
 */

import { join } from 'node:path';
import type { Notice } from '../consent/notice.ts';
import { dayOf, reportableDays, type Window } from '../consent/window.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { codeOf, readBytesIfThere, removeFile, statIfThere, writeDurably } from '../system/files.ts';
import { listForeign } from '../system/foreign-files.ts';
import { makeInnerFolder } from '../system/inner-folder.ts';
import type { World } from '../system/world.ts';
import { dayOfFile, readParts, type StoredPart } from './parts.ts';
import { makeReport } from './report.ts';
import { dueOf, periodOf, type Schedule } from './schedule.ts';
import { lastReportedDay, type ReportName, reportsIn, sizeOf } from './sent.ts';

export interface Source {
  readonly notice: Notice;
  readonly version: string;
  readonly window: Window | undefined;
  /** Whose files parts are. */
  readonly uid: number;
}

export interface Filled {
  readonly schedule: Schedule;
  /** The names of reports that the limit cost. */
  readonly dropped: readonly string[];
}

export const spoolLimits = { bytes: 5 * 1024 * 1024, reports: 60 } as const;

/** Makes reports of what may be reported: of all whole days, or with `onlyDue` of periods whose time has come. */
export const fillSpool = (
  world: Pick<World, 'now' | 'random'>,
  paths: InstancePaths,
  source: Source,
  schedule: Schedule,
  onlyDue: boolean,
): Filled => {
  if (!makeInnerFolder(paths.spool)) return { schedule, dropped: [] };
  const now = world.now();
  const parts = onTime(paths, readParts(paths, source.notice, source.uid), now);
  const due: Record<string, string> = {};
  for (const [start, days] of byPeriod(source, now, parts)) {
    const period = periodOf(start, source.notice.period);
    const time = dueOf(world, schedule, period, source.notice.period);
    const isDue = period.end <= dayOf(now) && time <= now;
    if (onlyDue && !isDue) due[start] = time.toISOString();
    else
      spoolReport(
        paths,
        source,
        parts.filter((part) => days.includes(part.day)),
      );
  }
  return { schedule: { ...schedule, due }, dropped: keepLimit(paths) };
};

/** The bytes of a report that waits; undefined where it is gone. */
export const readSpooled = (paths: InstancePaths, { name }: ReportName): Uint8Array | undefined =>
  readBytesIfThere(join(paths.spool, `${name}.json`));

/** When the report that waits was made; undefined where it is gone. */
export const spooledAt = (paths: InstancePaths, { name }: ReportName): Date | undefined => {
  const stat = statIfThere(join(paths.spool, `${name}.json`));
  return stat === undefined ? undefined : new Date(stat.mtimeMs);
};

/** Says durably that the report is about to leave. Throws where that can't be written: then it must not. */
export const markAttempt = (paths: InstancePaths, { name }: ReportName, at: Date): void =>
  writeDurably(markFile(paths, name), `${at.toISOString()}\n`, { mode: 0o600 });

export const isMarked = (paths: InstancePaths, { name }: ReportName): boolean =>
  statIfThere(markFile(paths, name)) !== undefined;

/** Nothing of it was taken: it waits again. */
export const unmark = (paths: InstancePaths, { name }: ReportName): void => removeFile(markFile(paths, name));

/** Takes the report out of the spool: first the report, then its mark. */
export const takeOut = (paths: InstancePaths, { name }: ReportName): void => {
  removeFile(join(paths.spool, `${name}.json`));
  removeFile(markFile(paths, name));
};

/** Deletes parts that are older than the notice's retention, whatever notice they are of. */
export const pruneParts = (paths: InstancePaths, before: string): void => {
  for (const file of listForeign(paths.counts, mostNames)) {
    const day = dayOfFile(file);
    if (day !== undefined && day < before) removePart(paths, file);
  }
};

const mostNames = 10_000;

/** Deletes reports whose last day is before this one. Of a marked one the copy goes at the same time (sent.ts): nothing is left to be settled. */
export const pruneSpool = (paths: InstancePaths, before: string): void => {
  for (const report of reportsIn(paths.spool)) if (report.to < before) takeOut(paths, report);
};

/** Discards what is late. A name of a day to come was made by a clock that has been put right since, and says nothing. */
const onTime = (paths: InstancePaths, parts: readonly StoredPart[], now: Date): StoredPart[] => {
  const last = lastReportedDay(paths, dayOf(now));
  discard(
    paths,
    parts.filter(({ day }) => day <= last),
  );
  return parts.filter(({ day }) => day > last);
};

/** Reportable days by the first day of their period, in order. */
const byPeriod = ({ notice, window }: Source, now: Date, parts: readonly StoredPart[]): Map<string, string[]> => {
  const periods = new Map<string, string[]>();
  for (const day of reportableDays(
    window,
    now,
    parts.map((part) => part.day),
  )) {
    const { start } = periodOf(day, notice.period);
    periods.set(start, [...(periods.get(start) ?? []), day]);
  }
  return periods;
};

const spoolReport = (paths: InstancePaths, source: Source, parts: readonly StoredPart[]): void => {
  const report = makeReport(source, parts);
  if (report !== undefined) {
    const name = `report-${report.from}_${report.to}`;
    writeDurably(join(paths.spool, `${name}.json`), report.bytes, { mode: 0o600 });
  }
  discard(paths, parts);
};

const discard = (paths: InstancePaths, parts: readonly StoredPart[]): void => {
  for (const { file } of parts) removePart(paths, file);
};

/** The folder is another account's: a folder in the place of a part is its own affair, and stops nobody. */
const removePart = (paths: InstancePaths, file: string): void => {
  try {
    removeFile(join(paths.counts, file));
  } catch (error) {
    if (!['EISDIR', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
  }
};

/** The newest one stays in any case. */
const keepLimit = (paths: InstancePaths): string[] => {
  const waiting = reportsIn(paths.spool).filter((report) => !isMarked(paths, report));
  const sizes = waiting.map(({ name }) => sizeOf(join(paths.spool, `${name}.json`)));
  let bytes = sizes.reduce((sum, size) => sum + size, 0);
  const dropped: string[] = [];
  for (const [at, report] of waiting.slice(0, -1).entries()) {
    if (waiting.length - at <= spoolLimits.reports && bytes <= spoolLimits.bytes) break;
    takeOut(paths, report);
    bytes -= sizes[at] ?? 0;
    dropped.push(report.name);
  }
  return dropped;
};

const markFile = (paths: InstancePaths, name: string): string => join(paths.spool, `${name}.attempt`);
