/**
 * One attempt to hand a report over, and what is kept of it in `reports/`.
 *
 * - Before the first byte the report gets its mark in the spool and its copy, which says that it may have arrived; then the resolver is asked once more. What
 *   can't be written is not sent, and on a no both are taken back.
 * - So from the first byte on there is a copy, whoever is killed then and whatever a withdrawal erases. What became of the report is written over it.
 */

import { mayCount } from '../consent/gather.ts';
import type { Recipient } from '../consent/notice.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { serverVetoOf } from '../service/server-veto.ts';
import type { Delivery } from '../system/deliver.ts';
import { statIfThere } from '../system/files.ts';
import { makeInnerFolder } from '../system/inner-folder.ts';
import type { World } from '../system/world.ts';
import type { Again } from './judge.ts';
import { reportContentType } from './report.ts';
import type { Idle, SendOptions, SendPorts, SentReport } from './sending.ts';
import {
  copyRestorer,
  isForetold,
  isSettled,
  keepCopy,
  type Outcome,
  type OutcomeRecord,
  type ReportName,
} from './sent.ts';
import { markAttempt, readSpooled, takeOut, unmark } from './spool.ts';

export interface Attempt {
  readonly world: World;
  readonly paths: InstancePaths;
  readonly ports: SendPorts;
  readonly options: SendOptions;
  readonly recipient: Recipient;
}

const answerLimit = 64 * 1024;
const deadlineMs = 30_000;

export const deliverOne = (attempt: Attempt, report: ReportName, body: Uint8Array): Promise<Delivery> => {
  const { ports, options, recipient } = attempt;
  return ports.deliver({
    url: recipient.endpoint,
    body,
    contentType: reportContentType,
    timeoutMs: deadlineMs,
    maxBytes: answerLimit,
    ...(options.until === undefined ? {} : { giveUp: options.until }),
    beforeFirstByte: () => mayLeave(attempt, report, body),
  });
};

/** Throws where mark or copy can't be written: then it must not leave. */
const mayLeave = (attempt: Attempt, report: ReportName, bytes: Uint8Array): boolean => {
  const { world, paths } = attempt;
  // Made now, while there is an instance: afterwards nothing makes a folder.
  if (!makeInnerFolder(paths.reports)) return false;
  const restoreCopy = copyRestorer(paths, report);
  markAttempt(paths, report, world.now());
  let leaves = false;
  try {
    keepCopy(paths, report, bytes, recordOf(attempt, bytes, onItsWay));
    leaves = refusal(world, paths) === null;
    return leaves;
  } finally {
    if (!leaves) {
      restoreCopy();
      unmark(paths, report);
    }
  }
};

const onItsWay: Outcome = {
  outcome: 'uncertain',
  status: null,
  detail: 'it was on its way, and what became of it is not known; it may have arrived, so it is not sent again',
};

/** The copy first, then it leaves the spool: a kill in between settles it once more, to the same end. */
export const settle = (attempt: Attempt, report: ReportName, bytes: Uint8Array, outcome: Outcome): SentReport => {
  keep(attempt, report, bytes, outcome);
  takeOut(attempt.paths, report);
  return { ...report, ...outcome, bytes: bytes.length };
};

/** What a kill left between its mark and its outcome may have arrived: it counts as sent. A copy from before the first byte knows when that was, and stays. */
export const settleKilled = (attempt: Attempt, report: ReportName): SentReport[] => {
  const { paths } = attempt;
  const bytes = readSpooled(paths, report);
  const isKnown = bytes === undefined || isSettled(paths, report);
  if (!isKnown && !isForetold(paths, report)) keep(attempt, report, bytes, stopped);
  takeOut(paths, report);
  return isKnown ? [] : [{ ...report, ...stopped, bytes: bytes.length }];
};

const stopped: Outcome = {
  outcome: 'uncertain',
  status: null,
  detail: 'the sender was stopped before it knew; it may have arrived, so it is not sent again',
};

/** It waits again. What was answered has left the machine before, and a copy tells of it; that one can't be kept makes nobody have taken it. */
export const turnedAway = (
  attempt: Attempt,
  report: ReportName,
  bytes: Uint8Array,
  { status }: Again,
): SentReport | null => {
  const detail = 'the recipient took nothing of it; it waits, and is sent again';
  const outcome: Outcome = { outcome: 'refused', status, detail };
  try {
    if (status !== null) keep(attempt, report, bytes, outcome);
  } finally {
    unmark(attempt.paths, report);
  }
  return status === null ? null : { ...report, ...outcome, bytes: bytes.length };
};

const keep = (attempt: Attempt, report: ReportName, bytes: Uint8Array, outcome: Outcome): void => {
  const { paths } = attempt;
  // Without its folder the instance is being deleted, and nothing is made anew for it.
  if (statIfThere(paths.reports)?.kind !== 'folder') return;
  keepCopy(paths, report, bytes, recordOf(attempt, bytes, outcome));
};

const recordOf = ({ world, recipient }: Attempt, bytes: Uint8Array, outcome: Outcome): OutcomeRecord => {
  const { name, endpoint } = recipient;
  const at = world.now().toISOString();
  return { format: 1, ...outcome, at, recipient: name, endpoint, bytes: bytes.length };
};

/** The resolver's no, or null. The server's veto counts where it can be seen. */
export const refusal = (world: World, paths: InstancePaths): Idle | null => {
  const { collecting, reason } = mayCount(world, paths, serverVetoOf(world, paths));
  return collecting ? null : { why: 'consent', reason };
};
