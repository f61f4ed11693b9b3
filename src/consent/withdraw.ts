/**
 * Withdrawing: `telemetry off`, and every no said to a change. It works at any time, without network and
 * without a question, during a change and while an interrupted one waits; and nothing about it is ever sent.
 *
 * A no is a line of its own in the log, also where one stands already, if somebody is being asked elsewhere: only a line behind that question beats
 * the yes.
 *
 * Order: the log, the record, the mark, all synced; what was counted is renamed away and deleted; wait until what counts has stopped; look again;
 * say what was erased. What can't be written is made a no by unlinking the record, which needs no space; if that
 * fails too, people are told that counting may go on and what to type.
 */

import { Failure, messageOf } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { type InstanceState, readState } from '../instance/state.ts';
import { openGeneration, unfinished } from '../instance/unfinished.ts';
import { isHeldOpen } from '../system/process-table.ts';
import { sleep } from '../system/processes.ts';
import type { World } from '../system/world.ts';
import { isAsking } from './asking.ts';
import { keyDigest } from './digests.ts';
import { type Erased, eraseTelemetry } from './erase.ts';
import { consentOf } from './gather.ts';
import { withConsentLockIfPossible } from './guard.ts';
import { appendUnmarked, isLost, openLog, userDigest } from './log.ts';
import type { LogReading } from './log-chain.ts';
import type { LineContent } from './log-lines.ts';
import { raiseMark } from './mark.ts';
import type { State, Way } from './resolver.ts';
import { settle, takeAway } from './settle.ts';
import { type Sharing, sharingOf } from './sharing.ts';

export interface WithdrawPorts {
  /** Default `flag`: a command that was typed. */
  readonly by?: Way;
  /** Whether something is counting still; it stops by itself once it asks the resolver. Default: whether a process holds the counts open. */
  counting?(): boolean;
  /** Turns the server's own telemetry off, where a yes has turned it on, and restarts it where that is needed. Throws where it still sends. */
  serverOff?(): Promise<void>;
}

export interface Withdrawal {
  /** False where a no was on record already, and no change was open: nothing was in force that could be ended. */
  readonly changed: boolean;
  readonly erased: Erased;
  /** What people should know although they are safe: the log could not be written, say. */
  readonly warnings: readonly string[];
  /** 'withdrawal-not-recorded' or 'withdrawal-still-sending' (exit 7): counting or sending may go on. Much may have been done by then. */
  readonly failure: Failure | null;
}

const patienceMs = 2_000;

/** Withdraws. A failure is part of the answer. */
export const withdraw = (world: World, paths: InstancePaths, ports: WithdrawPorts = {}): Promise<Withdrawal> =>
  withdrawUnless(world, paths, standingNo(world, paths, ['withdrawn']), ports);

/** A no said to a change: it takes effect at once, whatever becomes of the change. Where one stands already, the server needs no word of it. */
export const sayNo = (world: World, paths: InstancePaths, by: Way, ports: WithdrawPorts = {}): Promise<Withdrawal> => {
  const no = standingNo(world, paths, ['withdrawn', 'declined']);
  return withdrawUnless(world, paths, no, no.off ? { by } : { ...ports, by });
};

interface StandingNo {
  /** A no stands that no change under way can end. */
  readonly off: boolean;
  /** Somebody may have been given a yes since. */
  readonly asking: boolean;
}

/** Who is being asked is looked up first: whoever is asked later is asked behind this no. */
const standingNo = (world: World, paths: InstancePaths, noes: readonly State[]): StandingNo => {
  const asking = isAsking(world, paths);
  return { off: !isOpen(paths) && noes.includes(consentOf(world, paths).state), asking };
};

/** Where a no stands it is written down once more only for those who are being asked; that this fails leaves nothing going on. */
const withdrawUnless = async (
  world: World,
  paths: InstancePaths,
  { off, asking }: StandingNo,
  ports: WithdrawPorts,
): Promise<Withdrawal> => {
  const isSaid = off && !asking;
  const { problem, logged, unmarked } = await record(world, paths, ports.by ?? 'flag', isSaid);
  const removed = problem !== null && takeAway(paths);
  const { erased, left } = await erase(world, paths, ports);
  if (problem !== null && !removed && !off) {
    const failure = notRecorded(paths, problem, logged);
    return { changed: logged || erased.files > 0, erased, warnings: [], failure };
  }
  const failure = await serverOff(paths, ports);
  const instead = removed ? 'the record was removed instead, which is a no' : 'the no that is on record stands';
  const warnings = [
    ...(problem === null ? [] : [`The withdrawal could not be written down (${problem}); ${instead}.`]),
    ...(unmarked === null
      ? []
      : [
          `The withdrawal is written down, but not beside the folder in ${paths.consentMark} (${unmarked}): if you restored a backup of before, the yes would come back. Mend that, and type it again: assent telemetry off ${paths.name}`,
        ]),
    ...(left === null ? [] : [`Not all that was counted could be erased: ${left}. Nothing reads or adds to it.`]),
  ];
  return { changed: !off, erased, warnings, failure };
};

interface Outcome {
  /** Why it could not be written down. */
  readonly problem: string | null;
  readonly logged: boolean;
  /** Why the mark could not be raised. */
  readonly unmarked: string | null;
}

/** `isSaid`: the log has it, and only what follows the log may lag behind. */
const record = (world: World, paths: InstancePaths, by: Way, isSaid: boolean): Promise<Outcome> =>
  withConsentLockIfPossible(world, paths, 'withdraw', async () => {
    let logged = false;
    try {
      const state = stateOf(paths);
      const sharing = sharingOf(world, paths, state?.account ?? null);
      const lines = isSaid ? [] : linesFor(world, paths, state, by, sharing);
      const log = appendUnmarked(world, paths, lines, sharing);
      logged = true;
      const problem = await recordProblem(world, paths, state, sharing);
      return { problem, logged, unmarked: markProblem(paths, log, sharing) };
    } catch (error) {
      return { problem: messageOf(error), logged, unmarked: null };
    }
  });

/** Before the mark: until the record repeats the log, whoever asks is told that the two disagree. */
const recordProblem = async (...about: Parameters<typeof copyToRecord>): Promise<string | null> => {
  try {
    await copyToRecord(...about);
    return null;
  } catch (error) {
    return messageOf(error);
  }
};

/**
 * No reason to take the record away: what was withdrawn stays so, unless somebody restores a backup. The generation of a change that is open counts as begun,
 * so that its yes is one of before wherever the log has lost this withdrawal.
 */
const markProblem = (paths: InstancePaths, log: LogReading, sharing: Sharing): string | null => {
  try {
    raiseMark(paths, log, sharing, openGeneration(paths));
    return null;
  } catch (error) {
    return messageOf(error);
  }
};

/** A log that has lost the generation gets it again: a no has to be able to stand on it. */
const linesFor = (
  world: World,
  paths: InstancePaths,
  state: InstanceState | undefined,
  by: Way,
  sharing: Sharing,
): LineContent[] => {
  const log = openLog(world, paths);
  const isOther = (of: InstanceState): boolean => !isOpen(paths) && !isOf(log, of);
  const begins = state !== undefined && (isLost(paths, log) || log.generation === null || isOther(state));
  const generation = log.whole ? (log.generation?.generation ?? state?.generation ?? 0) : (state?.generation ?? 0);
  const about = { noticeId: state?.noticeId ?? null, version: state?.release.version ?? null };
  const user = nameOf(world, paths, sharing);
  const withdrawal: LineContent = {
    kind: 'withdrawal',
    generation: begins ? state.generation : generation,
    by,
    ...about,
    user,
  };
  if (!begins) return [withdrawal];
  const key = keyDigest(state.key);
  return [
    { kind: 'generation', generation: state.generation, key, change: 'restated', ...about, since: log.length },
    withdrawal,
  ];
};

/** While the state file lags behind an open change, the key of the new generation is not at hand: the change itself settles the record then. */
const copyToRecord = async (
  world: World,
  paths: InstancePaths,
  state: InstanceState | undefined,
  sharing: Sharing,
): Promise<void> => {
  if (state !== undefined) await settle(world, paths, state, sharing);
  else if (!takeAway(paths)) throw new Error(`${paths.consent} can't be removed`);
};

const erase = async (
  world: World,
  paths: InstancePaths,
  { counting = () => isCounting(paths) }: WithdrawPorts,
): Promise<{ erased: Erased; left: string | null }> => {
  let erased: Erased = { files: 0, bytes: 0 };
  try {
    erased = await eraseTelemetry(world, paths);
    const end = performance.now() + patienceMs;
    while (counting() && performance.now() < end) await sleep(50);
    const again = await eraseTelemetry(world, paths);
    return { erased: { files: erased.files + again.files, bytes: erased.bytes + again.bytes }, left: null };
  } catch (error) {
    return { erased, left: messageOf(error) };
  }
};

/** Whoever counts holds the folder of the counts open, under whatever name it lies by now. */
const isCounting = ({ telemetry }: InstancePaths): boolean => isHeldOpen([`${telemetry}/`, `${telemetry}.gone-`]);

const serverOff = async (paths: InstancePaths, ports: WithdrawPorts): Promise<Failure | null> => {
  try {
    await ports.serverOff?.();
    return null;
  } catch (error) {
    return new Failure(
      'withdrawal-still-sending',
      `The withdrawal is recorded and nothing is counted, but the server's own telemetry is still sending until restarted: ${messageOf(error)}`,
      `Restart it with: assent restart ${paths.name}. If that fails, stop it: assent stop ${paths.name}.`,
      error,
    );
  }
};

const notRecorded = (paths: InstancePaths, problem: string, logged: boolean): Failure =>
  new Failure(
    'withdrawal-not-recorded',
    `The withdrawal could not be recorded: ${problem}. The record could not be removed either, so counting may go on${logged ? ' wherever only the record is looked at; the log has the withdrawal' : ''}.`,
    [
      `Stop the server now: assent stop ${paths.name}`,
      `Then make ${paths.folder} writable (free space, permissions, a filesystem mounted read-only), and type: assent telemetry off ${paths.name}`,
      `Or remove the record by hand: rm ${paths.consent}`,
    ].join('\n'),
  );

const isOf = (log: LogReading, state: InstanceState): boolean =>
  log.generation?.generation === state.generation && log.generation.key === keyDigest(state.key);

const isOpen = (paths: InstancePaths): boolean => {
  try {
    return unfinished(paths) !== null;
  } catch {
    return true;
  }
};

/** A state file that can't be read must not stop a withdrawal. */
const stateOf = (paths: InstancePaths): InstanceState | undefined => {
  try {
    return readState(paths);
  } catch {
    return undefined;
  }
};

/** The name is worth less than the withdrawal: where it can't be written, the line goes without. */
const nameOf = (world: World, paths: InstancePaths, sharing: Sharing): string => {
  try {
    return userDigest(world, paths, world.user.login, sharing);
  } catch {
    return '';
  }
};
