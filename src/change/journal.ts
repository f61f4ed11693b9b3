/**
 * The write-ahead journal of one change: `journal/open.jsonl`, one digested JSON line an entry, each synced before anything else happens.
 *
 *   open      the first durable write of the change. It carries the plan, the state before and after, what was found, the answer about
 *             telemetry, and with the new generation and key it *is* the raise of the generation
 *   begin     a step is about to be done        done     it has been done
 *   commit    the change holds: from here on only forward
 *   undo      the change is given up: from here on only backward          undone   a step has been undone
 *   resume    `recover` has taken over          close    nothing is left to do; the file is then renamed to NNNNNN-KIND.jsonl
 *
 * A reserve lies beside it (reserve.ts) and is given back when an undo begins.
 */

import { join } from 'node:path';
import type { GivenAnswer } from '../consent/decide.ts';
import type { Asked } from '../consent/log.ts';
import { Failure } from '../errors.ts';
import { field, list, record, text, whole, yesNo } from '../instance/fields.ts';
import type { InstancePaths } from '../instance/paths.ts';
import type { InstanceState } from '../instance/state.ts';
import { parseState } from '../instance/state.ts';
import type { RawEntry } from '../instance/unfinished.ts';
import { isLost, readEntries, unfinished, writeLine } from '../instance/unfinished.ts';
import { appendDurably } from '../system/append.ts';
import { listFolder, removeFile, renameDurably, statIfThere } from '../system/files.ts';
import { identify } from '../system/processes.ts';
import type { World } from '../system/world.ts';
import { changeSteps, type Plan } from './plan.ts';
import { makeReserve, removeReserve } from './reserve.ts';

/** What the change found, and what an undo has to come back to. */
export interface Found {
  readonly running: boolean;
  /** Null where it was not running or nobody could tell. */
  readonly healthy: boolean | null;
  /** Files below config/ that were changed since the server had been started; a journal of before may lack it. */
  readonly untried?: readonly string[];
  /** Which of data, config, config.base were there. */
  readonly parts: readonly string[];
}

export interface Opening {
  readonly kind: Plan['kind'];
  readonly plan: Plan;
  readonly before: InstanceState | null;
  readonly after: InstanceState;
  readonly found: Found;
  readonly answer: GivenAnswer;
  /** What there was of consent when the question was put: a withdrawal after it beats the answer. A journal of before has the length of the log alone. */
  readonly since: Asked['since'];
  readonly head?: Asked['head'] | undefined;
  readonly recorded?: Asked['recorded'] | undefined;
  /** Who answered: the operating-system user. */
  readonly login: string;
  /** Name of the folder under backups/ that gets what was there before. */
  readonly backup: string;
  readonly purge: boolean;
  readonly at: string;
}

export interface Journal {
  readonly opening: Opening;
  readonly committed: boolean;
  /** When it was, by the clock of then. */
  readonly committedAt: string | undefined;
  readonly undoing: boolean;
  readonly closed: boolean;
  readonly begun: ReadonlySet<string>;
  readonly done: ReadonlySet<string>;
  readonly undone: ReadonlySet<string>;
}

export type Entry =
  | { entry: 'begin' | 'done' | 'undone'; step: string }
  | { entry: 'commit' }
  | { entry: 'undo'; reason: string }
  | { entry: 'resume'; towards: 'finish' | 'undo' }
  | { entry: 'close'; outcome: 'finished' | 'undone' };

/**
 * Opens the journal. When this returns, the change has begun and the generation is raised. `refuse` throws where the opening is not true any more; it is
 * asked last, for whoever has replaced the lock's file has let two in at once.
 */
export const openJournal = (world: World, paths: InstancePaths, opening: Opening, refuse = (): void => {}): void => {
  try {
    makeReserve(paths);
    fileAway(world, paths);
    refuse();
  } catch (error) {
    if (unfinished(paths) === null) removeReserve(paths);
    throw error;
  }
  try {
    appendDurably(paths.openJournal, line(world, { entry: 'open', process: identify(world.pid), ...opening }), {
      mode: 0o600,
    });
  } catch (error) {
    // Nothing has begun: an entry of which nobody knows whether it is durable must not say that it has.
    removeFile(paths.openJournal);
    removeReserve(paths);
    throw error;
  }
};

export const appendEntry = (world: World, paths: InstancePaths, entry: Entry): void => {
  if (entry.entry === 'undo' || (entry.entry === 'resume' && entry.towards === 'undo')) removeReserve(paths);
  const torn = isTorn(paths);
  const process = entry.entry === 'resume' ? { process: identify(world.pid) } : {};
  appendDurably(paths.openJournal, line(world, { ...entry, ...process, ...(torn ? { afterTorn: true } : {}) }));
};

/** A journal that was closed, but not yet renamed, when its process died gets its name; one that never opened a change goes. */
const fileAway = (world: World, paths: InstancePaths): void => {
  const journal = readJournal(paths);
  if (journal === undefined) removeFile(paths.openJournal);
  else if (journal.closed) closeJournal(world, paths, 'finished');
  else throw openMeanwhile(paths);
};

/** For a recovery that finds no change: a file that a crash has left before the opening entry was whole goes. True where there was one. */
export const discardUnopened = (paths: InstancePaths): boolean => {
  if (statIfThere(paths.openJournal) === undefined || readJournal(paths) !== undefined) return false;
  removeFile(paths.openJournal);
  removeReserve(paths);
  return true;
};

/** The journal of the other is not ours to remove. */
const openMeanwhile = ({ name }: InstancePaths): Failure =>
  new Failure(
    'instance-busy',
    `Another change of ${name} has been opened meanwhile.`,
    `Nothing was changed by this command. See: assent status ${name}.`,
  );

/** Ends the change: the last entry, then the journal gets its final name. Safe to repeat. */
export const closeJournal = (world: World, paths: InstancePaths, outcome: 'finished' | 'undone'): void => {
  const journal = readJournal(paths);
  if (journal === undefined) return;
  if (!journal.closed) {
    removeReserve(paths);
    appendEntry(world, paths, { entry: 'close', outcome });
  }
  const number = String(journal.opening.plan.generation).padStart(6, '0');
  renameDurably(paths.openJournal, join(paths.journal, `${number}-${journal.opening.kind}.jsonl`));
  for (const old of closedJournals(paths).slice(0, -keptJournals)) removeFile(join(paths.journal, old));
};

const keptJournals = 20;

const closedJournals = (paths: InstancePaths): string[] =>
  listFolder(paths.journal).filter((name) => /^\d{6}-[a-z]+\.jsonl$/.test(name));

/**
 * The open journal, or undefined where no change is open. Throws 'refused-state-damaged' where it can't be trusted: a damaged journal
 * is never taken for an absent one.
 */
export const readJournal = (paths: InstancePaths): Journal | undefined => {
  const { entries, damaged } = readEntries(paths.openJournal);
  const [first, ...others] = entries;
  if (first === undefined && !damaged && !isLost(paths)) return undefined;
  try {
    if (first === undefined) throw new Error('it has no whole line, and the change had begun');
    if (damaged) throw new Error('a line in the middle is not one of its own');
    const opening = parseOpening(first);
    if (opening.after.name !== paths.name) throw new Error(`it is one of the instance "${opening.after.name}"`);
    return journalOf(opening, others);
  } catch (error) {
    throw new Failure(
      'refused-state-damaged',
      `The journal ${paths.openJournal} is damaged: ${(error as Error).message}.`,
      `Nothing was changed. The last change of ${paths.name} can't be ended by itself: what was there before it lies under ${paths.backups}. Look at the journal's lines, put data, config and current in order by hand, then move the journal away.`,
      error,
    );
  }
};

const journalOf = (opening: Opening, entries: RawEntry[]): Journal => {
  const stepsOf = (kind: string): Set<string> =>
    new Set(entries.filter((entry) => entry.entry === kind).map((entry) => String(entry['step'])));
  const has = (kind: string): boolean => entries.some((entry) => entry.entry === kind);
  return {
    opening,
    committed: has('commit'),
    committedAt: entries.find(({ entry }) => entry === 'commit')?.at,
    undoing: has('undo'),
    closed: has('close'),
    begun: stepsOf('begin'),
    done: stepsOf('done'),
    undone: stepsOf('undone'),
  };
};

/** Our own line, its digest already checked: what is parsed is what later decides about paths. */
const parseOpening = (entry: RawEntry): Opening => {
  if (entry.entry !== 'open') throw new Error('the first line opens nothing');
  const plan = record(entry['plan'], 'plan') as unknown as Plan;
  const later = list(record(entry['plan'], 'plan'), 'steps').find((step) => !isStep(step));
  if (later !== undefined) throw new Error(`the step ${JSON.stringify(later)} is not known to this version`);
  return {
    kind: plan.kind,
    plan,
    before: entry['before'] === null ? null : parseState(entry['before']),
    after: parseState(entry['after']),
    found: record(entry['found'], 'found') as unknown as Found,
    answer: record(entry['answer'], 'answer') as unknown as GivenAnswer,
    since: whole(entry, 'since', 0),
    head: entry['head'] === undefined ? undefined : text(entry, 'head'),
    recorded: entry['recorded'] === undefined ? undefined : yesNo(entry, 'recorded'),
    login: text(entry, 'login'),
    backup: field(entry, 'backup', folderName),
    purge: entry['purge'] === true,
    at: text(entry, 'at'),
  };
};

/** What a step of another phase does is over, or never undone. */
const isStep = (value: unknown): boolean => {
  const { phase, step } = record(value, 'step');
  return phase !== 'change' || changeSteps.some((known) => known === step);
};

const folderName = (name: string): string | undefined => (/^[\w-][\w.-]*$/.test(name) ? name : undefined);

/** A journal whose first line was torn never opened a change. */
export const isUnopened = (paths: InstancePaths): boolean => {
  const { entries, damaged, torn } = readEntries(paths.openJournal);
  const isThere = torn || statIfThere(paths.openJournal) !== undefined;
  return entries.length === 0 && !damaged && isThere && !isLost(paths);
};

const isTorn = (paths: InstancePaths): boolean => readEntries(paths.openJournal).torn;

const line = (world: World, fields: Record<string, unknown> & { entry: string }): string =>
  writeLine({ at: world.now().toISOString(), ...fields });
