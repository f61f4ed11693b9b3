/**
 * What was sent, for the admin to read: `reports/report-FROM_TO.json`, the very bytes, and `report-FROM_TO.outcome.json`, what became of
 * them. They survive a withdrawal, for they say what left the machine before it; they go when the
 * notice's retention is over (old-copies.ts).
 *
 * A copy is there before the first byte leaves: so it outlives a sender that is killed on the way, and a withdrawal that erases the report meanwhile.
 * A copy that the recipient refused tells of an attempt and of no report: its days can still be reported, and the next attempt writes over it.
 *
 * Light: `telemetry status` comes through here.
 */

import { join } from 'node:path';
import type { InstancePaths } from '../instance/paths.ts';
import { listFolder, readBytesIfThere, readIfThere, removeFile, statIfThere, writeDurably } from '../system/files.ts';
import { isDay } from './part.ts';

export interface ReportName {
  /** `report-FROM_TO` */
  readonly name: string;
  /** First and last day, UTC. */
  readonly from: string;
  readonly to: string;
}

export interface Outcome {
  /**
   * `sent`: taken by the recipient. `uncertain`: may have been; it counts as sent. `discarded`: the recipient did not want it. `refused`: it reached the
   * recipient, who took nothing of it then; it waits for another attempt.
   */
  readonly outcome: 'sent' | 'uncertain' | 'discarded' | 'refused';
  /** The answer's status, where there was a whole one. */
  readonly status: number | null;
  readonly detail: string;
}

export interface OutcomeRecord extends Outcome {
  readonly format: 1;
  readonly at: string;
  readonly recipient: string;
  readonly endpoint: string;
  readonly bytes: number;
}

/** The names of reports in a folder (`spool/` or `reports/`), the oldest first. */
export const reportsIn = (folder: string): ReportName[] =>
  listFolder(folder).flatMap((file) => {
    const [, name = '', from = '', to = ''] = /^(report-([\d-]{10})_([\d-]{10}))\.json$/.exec(file) ?? [];
    return isDay(from) && isDay(to) && from <= to ? [{ name, from, to }] : [];
  });

/** Keeps a copy with its outcome. The folder is never made here: it was there before the first byte, or the instance is gone. */
export const keepCopy = (paths: InstancePaths, { name }: ReportName, bytes: Uint8Array, record: OutcomeRecord): void =>
  writeCopy(paths, name, bytes, `${JSON.stringify(record, null, 2)}\n`);

/**
 * What brings back what stands now, the copy of an attempt before or none, for a report that stays here after all. It never throws: a copy that can't be
 * taken back says that more may have left than did, which is no harm.
 */
export const copyRestorer = (paths: InstancePaths, { name }: ReportName): (() => void) => {
  const [copy, outcome] = [copyFile(paths, name), outcomeFile(paths, name)];
  const [bytes, text] = [readBytesIfThere(copy), readBytesIfThere(outcome)];
  return () => {
    try {
      if (bytes !== undefined && text !== undefined) return writeCopy(paths, name, bytes, text);
      for (const file of [outcome, copy]) removeFile(file);
    } catch {
      // See above.
    }
  };
};

const writeCopy = (paths: InstancePaths, name: string, bytes: Uint8Array, outcome: Uint8Array | string): void => {
  writeDurably(copyFile(paths, name), bytes, { mode: 0o600 });
  writeDurably(outcomeFile(paths, name), outcome, { mode: 0o600 });
};

/** Whether it was settled for good what became of the report. */
export const isSettled = (paths: InstancePaths, report: ReportName): boolean =>
  statIfThere(outcomeFile(paths, report.name)) !== undefined &&
  outcomeOf(paths, report.name).outcome !== 'refused' &&
  !isForetold(paths, report);

/** Whether the copy says no more than could be said before the first byte. */
export const isForetold = (paths: InstancePaths, { name }: ReportName): boolean => {
  const { outcome, status } = outcomeOf(paths, name);
  return outcome === 'uncertain' && status === null;
};

/** The last day before this one that a report has, whether it waits or left; up to there all is told. '' where none has. */
export const lastReportedDay = (paths: InstancePaths, today: string): string => {
  const ended = (folder: string) => reportsIn(folder).filter(({ to }) => to < today);
  const left = ended(paths.reports).filter(({ name }) => outcomeOf(paths, name).outcome !== 'refused');
  return [...ended(paths.spool), ...left].reduce((last, { to }) => (to > last ? to : last), '');
};

/** Removes copies whose last day is before this one. */
export const pruneCopies = (paths: InstancePaths, before: string): void => {
  for (const { name, to } of reportsIn(paths.reports)) {
    if (to >= before) continue;
    removeFile(outcomeFile(paths, name));
    removeFile(copyFile(paths, name));
  }
};

export interface LastReports {
  /** When the newest report left for good, ISO; null where none did. */
  readonly left: string | null;
  /** When the recipient refused a newer one, ISO. */
  readonly refused: string | null;
}

/** Undefined where that can't be seen. */
export const lastReports = (paths: InstancePaths): LastReports | undefined => {
  try {
    const outcomes: Told[] = [];
    for (const { name } of reportsIn(paths.reports).reverse()) {
      outcomes.push(outcomeOf(paths, name));
      if (outcomes.at(-1)?.outcome !== 'refused') break;
    }
    const refused = outcomes.flatMap(({ outcome, at }) => (outcome === 'refused' && at !== null ? [at] : []));
    const left = outcomes.find(({ outcome }) => outcome !== 'refused')?.at ?? null;
    return { left, refused: refused.sort().at(-1) ?? null };
  } catch {
    return undefined;
  }
};

/** How many bytes wait to be sent; undefined where that can't be seen. */
export const bytesWaiting = (paths: InstancePaths): number | undefined => {
  try {
    return reportsIn(paths.spool).reduce((sum, { name }) => sum + sizeOf(join(paths.spool, `${name}.json`)), 0);
  } catch {
    return undefined;
  }
};

export const sizeOf = (file: string): number => statIfThere(file)?.size ?? 0;

const copyFile = (paths: InstancePaths, name: string): string => join(paths.reports, `${name}.json`);

const outcomeFile = (paths: InstancePaths, name: string): string => join(paths.reports, `${name}.outcome.json`);

interface Told {
  readonly outcome: unknown;
  readonly status: unknown;
  readonly at: string | null;
}

/** As much as can be told. A copy whose outcome can't be read is none that was refused: it may have been taken. */
const outcomeOf = (paths: InstancePaths, name: string): Told => {
  try {
    const { outcome, status, at } = JSON.parse(readIfThere(outcomeFile(paths, name)) ?? '{}');
    return { outcome, status, at: typeof at === 'string' && !Number.isNaN(Date.parse(at)) ? at : null };
  } catch {
    return { outcome: undefined, status: undefined, at: null };
  }
};
