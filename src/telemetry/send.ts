/**
 * Sending: what waits goes to the recipient that the notice names, at most once.
 *
 * - The resolver is asked first, and again right before the first byte of each report. On a no nothing is sent, made or told.
 * - The attempt is on disk before the first byte. From then on only an answer that says that nothing was taken (429, 503) lets a report wait again;
 *   silence, resets, other errors of the recipient and a kill in between count as sent. What failed before is tried again.
 * - What is older than the notice promises to keep is deleted first of all, whatever the resolver says.
 * - What the recipient does not want (4xx) or has moved elsewhere (3xx) is discarded, and said so.
 * - What left the machine is kept in `reports/`, the very bytes, from before the first one on (attempt.ts); also where nothing of it was taken.
 */

import { consentOf } from '../consent/gather.ts';
import { readNotice } from '../consent/notice-file.ts';
import { noteGap, readWindow } from '../consent/window.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { readState } from '../instance/state.ts';
import { serverVetoOf } from '../service/server-veto.ts';
import { statIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import { type Attempt, deliverOne, refusal, settle, settleKilled, turnedAway } from './attempt.ts';
import { judge } from './judge.ts';
import { forgetOldCopies } from './old-copies.ts';
import { partsOwner } from './parts.ts';
import { isPausing, readSchedule, retryAfter, type Schedule, writeSchedule } from './schedule.ts';
import { withSendLock } from './send-lock.ts';
import type { Idle, Sending, SendOptions, SendPorts, SentReport } from './sending.ts';
import { type ReportName, reportsIn } from './sent.ts';
import { fillSpool, isMarked, readSpooled, type Source } from './spool.ts';

/** Sends what is to be sent. Throws 'instance-busy' where another sender is at it (not for `scheduled`), and the system's errors. */
export const sendReports = async (
  world: World,
  paths: InstancePaths,
  ports: SendPorts,
  options: SendOptions,
): Promise<Sending> => {
  forgetOldCopies(world, paths);
  if (options.scheduled) noteVeto(world, paths);
  const no = refusal(world, paths);
  if (no !== null) return nothing(no);
  const sending = await withSendLock(world, paths, options.scheduled, () => sendAll(world, paths, ports, options));
  return sending ?? nothing({ why: 'busy' });
};

const sendAll = async (
  world: World,
  paths: InstancePaths,
  ports: SendPorts,
  options: SendOptions,
): Promise<Sending> => {
  const about = aboutOf(paths);
  if (about === undefined) return nothing(refusal(world, paths) ?? { why: 'nothing-to-send' });
  const { recipient } = about.notice;
  if (recipient === null) return nothing({ why: 'no-recipient' });
  try {
    return await sendTo({ world, paths, ports, options, recipient }, about);
  } catch (error) {
    // An erasing takes the folder away under whoever writes in it: then the answer has changed, and that is no trouble.
    const no = refusal(world, paths);
    if (no === null) throw error;
    return nothing(no, recipient);
  }
};

const sendTo = async (attempt: Attempt, about: Source): Promise<Sending> => {
  const { world, paths, options, recipient } = attempt;
  const marked = reportsIn(paths.spool).filter((report) => isMarked(paths, report));
  const sent = marked.flatMap((report) => settleKilled(attempt, report));
  const before = readSchedule(paths);
  const { schedule, dropped } = fillSpool(world, paths, about, before, options.scheduled);
  saveSchedule(paths, schedule);
  const waiting = reportsIn(paths.spool);
  const result = { recipient, dropped, waiting: waiting.length, idle: null, trouble: null };
  const isLater = Object.keys(schedule.due).length > 0;
  if (waiting.length === 0)
    return { ...result, sent, idle: sent.length > 0 ? null : { why: isLater ? 'not-due' : 'nothing-to-send' } };
  if (options.scheduled && isPausing(schedule, world.now())) return { ...result, sent, idle: { why: 'pausing' } };
  const delivered = await sendWaiting(attempt, waiting, schedule);
  return { ...result, ...delivered, sent: [...sent, ...delivered.sent], waiting: reportsIn(paths.spool).length };
};

const sendWaiting = async (
  attempt: Attempt,
  waiting: readonly ReportName[],
  schedule: Schedule,
): Promise<Pick<Sending, 'sent' | 'idle' | 'trouble'>> => {
  const { world, paths } = attempt;
  const sent: SentReport[] = [];
  for (const report of waiting) {
    if (isStopped(attempt)) return stopped(sent);
    const bytes = readSpooled(paths, report);
    if (bytes === undefined) continue;
    const delivery = await deliverOne(attempt, report, bytes);
    const no = delivery.kind === 'withheld' ? refusal(world, paths) : null;
    if (no !== null) return { sent, idle: no, trouble: null };
    if (delivery.kind === 'withheld' && isStopped(attempt)) return stopped(sent);
    const judged = judge(delivery);
    if ('again' in judged) {
      const refused = turnedAway(attempt, report, bytes, judged);
      const retry = retryAfter(world, schedule.retry, judged.retryAfter);
      saveSchedule(paths, { ...schedule, retry });
      return { sent, idle: null, trouble: { message: judged.again, retryAt: retry.at, refused } };
    }
    sent.push(settle(attempt, report, bytes, judged));
  }
  if (schedule.retry !== null) saveSchedule(paths, { ...schedule, retry: null });
  return { sent, idle: null, trouble: null };
};

const stopped = (sent: readonly SentReport[]) => ({ sent, idle: { why: 'stopped' }, trouble: null }) as const;

const isStopped = ({ options }: Attempt): boolean => options.until?.aborted === true;

/**
 * Nobody of ours starts what systemd starts: there the timer sees a veto, if it lasts for an hour or two. It may have begun as long ago as the timer has
 * last looked.
 */
const noteVeto = (world: World, paths: InstancePaths): void => {
  const { collecting } = consentOf(world, paths, serverVetoOf(world, paths));
  const now = world.now();
  noteGap(paths, collecting ? now : new Date(now.getTime() - betweenLooksMs), collecting);
};

/** The timer's hour, and what systemd may add to it at random (companion-units.ts). */
const betweenLooksMs = 2 * 3_600_000;

/** What reports are made of; the window counts only where it is this generation's. */
const aboutOf = (paths: InstancePaths): Source | undefined => {
  const state = readState(paths);
  const notice = state?.noticeId ? readNotice(paths, state.noticeId) : undefined;
  if (state === undefined || notice === undefined) return undefined;
  const window = readWindow(paths);
  return {
    notice,
    version: state.release.version,
    window: window?.generation === state.generation ? window : undefined,
    uid: partsOwner(paths, state),
  };
};

/** Where the spool was taken away meanwhile there is nothing left to be due. */
const saveSchedule = (paths: InstancePaths, schedule: Schedule): void => {
  try {
    writeSchedule(paths, schedule);
  } catch (error) {
    if (statIfThere(paths.spool) !== undefined) throw error;
  }
};

const nothing = (idle: Idle, recipient: Sending['recipient'] = null): Sending => ({
  recipient,
  sent: [],
  dropped: [],
  waiting: 0,
  idle,
  trouble: null,
});
