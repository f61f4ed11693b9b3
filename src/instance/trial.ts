/**
 * Probation: a release that an upgrade has committed is on trial for some minutes. What is known of it lies in two places.
 *
 * - The state file says that there is a trial, and until when; it goes with the installation, so every other change ends it, and an undo of
 *   one brings it back. After a rollback that a trial brought about, it says that, too.
 * - `trial.json` is what the looks at the server have seen so far, and what became of it. It is bound to the installation by `changedAt`: one of
 *   another installation, or one that can't be read, is none. The first look then begins anew, which never undoes anything too early.
 */

import { readIfThere, removeFile, writeDurably } from '../system/files.ts';
import type { Version } from '../values.ts';
import { asVersion } from '../values.ts';
import { type Fields, field, oneOf, record, text, whole } from './fields.ts';
import type { InstancePaths } from './paths.ts';
import type { InstanceState } from './state.ts';

export interface Trial {
  /** As the manifest has it; may be a fraction. */
  readonly minutes: number;
  /** When the change held: what was written from then on is somebody's. */
  readonly since: string;
  readonly until: string;
}

/** Why a release is not there any more. */
export interface FailedTrial {
  readonly version: Version;
  readonly at: string;
  /** `it died 3 times`. */
  readonly reason: string;
}

export interface TrialMemory {
  readonly format: 1;
  /** `changedAt` of the installation that it is about. */
  readonly of: string;
  /** Looks in a row at which it was not well, and since when. */
  readonly bad: number;
  readonly badSince: string | null;
  /** The supervisor's count at the last look, and all deaths of the trial. */
  readonly restarts: number;
  readonly deaths: number;
  readonly verdict: { readonly at: string; readonly reason: string } | null;
  /** `acting`: the rollback has begun. `waits`: it is up to a person, and `detail` says why. Null: nothing was done yet. */
  readonly ending: 'acting' | 'waits' | null;
  readonly detail: string;
}

/** A trial of so many minutes that begins now, of a change that has held `since` then. */
export const trialFrom = (minutes: number, now: Date, since = now): Trial => ({
  minutes,
  since: since.toISOString(),
  until: new Date(now.getTime() + minutes * 60_000).toISOString(),
});

/** Seconds between two looks: about twenty in a trial, and never rarer than every 15 seconds. */
export const secondsBetweenLooks = ({ minutes }: Trial): number => Math.min(15, Math.max(1, Math.round(minutes * 3)));

/** What the looks have seen so far. */
export const readMemory = (paths: InstancePaths, { changedAt }: InstanceState): TrialMemory => {
  try {
    const memory = parseMemory(JSON.parse(readIfThere(paths.trial) ?? ''));
    if (memory.of === changedAt) return memory;
  } catch {
    // None, or none that can be read.
  }
  return {
    format: 1,
    of: changedAt,
    ...{ bad: 0, badSince: null, restarts: 0, deaths: 0, verdict: null, ending: null, detail: '' },
  };
};

export const writeMemory = (paths: InstancePaths, memory: TrialMemory): void =>
  writeDurably(paths.trial, `${JSON.stringify(memory)}\n`, { mode: 0o600 });

export const forgetMemory = (paths: InstancePaths): void => removeFile(paths.trial);

/** For the state file, which may be of a time before there were trials. */
export const parseTrials = (at: Fields): { trial?: Trial; failedTrial?: FailedTrial } => ({
  ...(isAbsent(at['trial']) ? {} : { trial: parseTrial(record(at['trial'], 'trial')) }),
  ...(isAbsent(at['failedTrial']) ? {} : { failedTrial: parseFailed(record(at['failedTrial'], 'failedTrial')) }),
});

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

const parseTrial = (at: Fields): Trial => {
  const { minutes } = at;
  if (typeof minutes !== 'number' || !(minutes > 0)) throw new Error('trial.minutes is no number of minutes');
  return { minutes, since: field(at, 'since', moment), until: field(at, 'until', moment) };
};

const parseFailed = (at: Fields): FailedTrial => ({
  version: field(at, 'version', asVersion),
  at: field(at, 'at', moment),
  reason: text(at, 'reason'),
});

const parseMemory = (value: unknown): TrialMemory => {
  const at = record(value, 'the document');
  const verdict = at['verdict'] === null ? null : record(at['verdict'], 'verdict');
  return {
    format: 1,
    of: text(at, 'of'),
    bad: whole(at, 'bad', 0),
    badSince: at['badSince'] === null ? null : field(at, 'badSince', moment),
    restarts: whole(at, 'restarts', 0),
    deaths: whole(at, 'deaths', 0),
    verdict: verdict && { at: field(verdict, 'at', moment), reason: text(verdict, 'reason') },
    ending: at['ending'] === null ? null : oneOf(at, 'ending', ['acting', 'waits']),
    detail: text(at, 'detail'),
  };
};

const moment = (value: string): string | undefined => (Number.isNaN(Date.parse(value)) ? undefined : value);
