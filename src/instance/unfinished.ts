/**
 * Is a change of this instance open? The light reader that `status`, the consent resolver and every command ask first.
 *
 * The journal of the change under way is `journal/open.jsonl`. Each line is 16 hex digits of the sha256 of the JSON that
 * follows, a space, and the JSON. A line without its digest was torn by a crash; only what was appended after it counts. A file without one
 * whole line never opened a change, unless what a change leaves says otherwise (isLost). The writer is in src/change/journal.ts.
 */

import { createHash } from 'node:crypto';
import { listFolder, readIfThere, statIfThere } from '../system/files.ts';
import type { ProcessIdentity } from '../system/processes.ts';
import { isAlive } from '../system/processes.ts';
import type { InstancePaths } from './paths.ts';
import { readState } from './state.ts';

/** One line of the journal; the fields beyond these belong to its kind of entry. */
export interface RawEntry {
  readonly entry: string;
  readonly at: string;
  readonly [field: string]: unknown;
}

export interface Unfinished {
  /** `install`, `upgrade`, ... or `unknown` where the opening entry can't be read. */
  readonly kind: string;
  /** The id of the last step that was begun, or `open`. */
  readonly step: string;
  readonly at: string;
  /** True while the process that makes the change is alive; false for an interrupted one that waits for `recover`. */
  readonly running: boolean;
  readonly process: ProcessIdentity | null;
  /** True if a line in the middle is damaged, which no crash of ours does. */
  readonly damaged: boolean;
}

export const unfinished = (paths: InstancePaths): Unfinished | null => {
  const { entries, damaged } = readEntries(paths.openJournal);
  const last = entries.at(-1);
  if (last === undefined) return damaged || isLost(paths) ? unreadable : null;
  if (last.entry === 'close' && !damaged) return null;
  const began = entries.findLast((entry) => typeof entry['step'] === 'string');
  const held = entries.findLast((entry) => isIdentity(entry['process']));
  const process = held === undefined ? null : (held['process'] as ProcessIdentity);
  return {
    kind: typeof entries[0]?.['kind'] === 'string' ? entries[0]['kind'] : 'unknown',
    step: began === undefined ? 'open' : String(began['step']),
    at: last.at,
    running: process !== null && isAlive(process),
    process,
    damaged,
  };
};

/** The generation that the change under way begins; 0 where none is, or its opening entry can't be read. */
export const openGeneration = (paths: InstancePaths): number => {
  try {
    const opening = readEntries(paths.openJournal).entries.find(({ entry }) => entry === 'open');
    const generation = (opening?.['after'] as { generation?: unknown } | null | undefined)?.generation;
    return Number.isSafeInteger(generation) ? (generation as number) : 0;
  } catch {
    return 0;
  }
};

/** All whole lines of a journal file in their order; `torn` if the last one is not whole. */
export const readEntries = (file: string): { entries: RawEntry[]; damaged: boolean; torn: boolean } => {
  const content = readIfThere(file) ?? '';
  const lines = content.split('\n');
  const tail = lines.pop() ?? '';
  const entries: RawEntry[] = [];
  let damaged = false;
  // Unreadable lines since the last whole one: what was torn, and every attempt to go on that was torn in its turn (a disk that stays full).
  let torn: string[] = [];
  for (const text of tail === '' ? lines : [...lines, tail]) {
    const entry = readLine(text);
    if (entry === undefined) torn.push(text);
    else {
      damaged ||= torn.length > 0 && entry['afterTorn'] !== true;
      // Two journals in one: which of them is told by the others is not known.
      damaged ||= entry.entry === 'open' && entries.length > 0;
      torn = [];
      entries.push(entry);
    }
  }
  // A line that has its end and its newline was not torn.
  const complete = tail === '' && torn.length === 1 && torn[0]?.endsWith('}') === true;
  return { entries, damaged: damaged || complete, torn: torn.length > 0 };
};

/**
 * A journal is there, has no whole line, and did open a change: whatever has come so far that a part or the state was switched has a generation,
 * and of each that ended there is a closed journal.
 */
export const isLost = (paths: InstancePaths): boolean => {
  if (statIfThere(paths.openJournal) === undefined) return false;
  const reached = Math.max(generationOf(paths), ...listFolder(paths.backups).map(numberOf));
  return reached > Math.max(0, ...listFolder(paths.journal).map(numberOf));
};

const numberOf = (name: string): number => Number(/^\d{6}/.exec(name)?.[0] ?? 0);

const generationOf = (paths: InstancePaths): number => {
  try {
    return readState(paths)?.generation ?? 0;
  } catch {
    return 0;
  }
};

export const writeLine = (entry: RawEntry): string => {
  const json = JSON.stringify(entry);
  return `${digestOf(json)} ${json}`;
};

const readLine = (line: string): RawEntry | undefined => {
  const json = line.slice(17);
  if (line[16] !== ' ' || digestOf(json) !== line.slice(0, 16)) return undefined;
  return JSON.parse(json) as RawEntry;
};

const digestOf = (json: string): string => createHash('sha256').update(json).digest('hex').slice(0, 16);

const isIdentity = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && typeof (value as ProcessIdentity).pid === 'number';

const unreadable: Unfinished = { kind: 'unknown', step: 'open', at: '', running: false, process: null, damaged: true };
