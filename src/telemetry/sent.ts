/**
 * What was sent, for the admin to read: `reports/report-FROM_TO.json`, the very bytes, and `report-FROM_TO.outcome.json`, what became of
 * them. They survive a withdrawal, for they say what left the machine before it; they go when the
 * notice's retention is over (old-copies.ts).
 *
 * Light: `telemetry status` comes through here.
 */

import { join } from 'node:path';
import type { InstancePaths } from '../instance/paths.ts';
import { listFolder, readIfThere, removeFile, statIfThere, writeDurably } from '../system/files.ts';
import { isDay } from './part.ts';

export interface ReportName {
  /** `report-FROM_TO` */
  readonly name: string;
  /** First and last day, UTC. */
  readonly from: string;
  readonly to: string;
}

export interface Outcome {
  /** `sent`: taken by the recipient. `uncertain`: may have been; it counts as sent. `discarded`: the recipient did not want it. */
  readonly outcome: 'sent' | 'uncertain' | 'discarded';
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
export const keepCopy = (
  paths: InstancePaths,
  { name }: ReportName,
  bytes: Uint8Array,
  record: OutcomeRecord,
): void => {
  writeDurably(join(paths.reports, `${name}.json`), bytes, { mode: 0o600 });
  writeDurably(outcomeFile(paths, name), `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
};

export const hasOutcome = (paths: InstancePaths, { name }: ReportName): boolean =>
  statIfThere(outcomeFile(paths, name)) !== undefined;

/** Removes copies whose last day is before this one. */
export const pruneCopies = (paths: InstancePaths, before: string): void => {
  for (const { name, to } of reportsIn(paths.reports)) {
    if (to >= before) continue;
    removeFile(outcomeFile(paths, name));
    removeFile(join(paths.reports, `${name}.json`));
  }
};

/** When the newest report left, ISO; null where none did, undefined where that can't be seen. */
export const lastReport = (paths: InstancePaths): string | null | undefined => {
  try {
    const newest = reportsIn(paths.reports).at(-1);
    return newest === undefined ? null : timeOf(readIfThere(outcomeFile(paths, newest.name)) ?? 'null');
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

const outcomeFile = (paths: InstancePaths, name: string): string => join(paths.reports, `${name}.outcome.json`);

const timeOf = (text: string): string | null => {
  const { at } = (JSON.parse(text) ?? {}) as { readonly at?: unknown };
  return typeof at === 'string' && !Number.isNaN(Date.parse(at)) ? at : null;
};
