/** Counts the cases of one attack, and prints each failure with the line that makes the same case again. */

import { inspect } from 'node:util';
import type { Attack, AttackOptions, Tally } from './attack.ts';

export interface Count {
  readonly attack: string;
  readonly title: string;
  cases: number;
  /** Of the cases those in which nothing was done to the program after all, and which held. */
  missed: number;
  readonly failures: string[];
  readonly notes: string[];
  /** Cases that were not begun, for the attack's time was over. */
  late: number;
  seconds: number;
  skipped: string | undefined;
}

export const startCount = ({ name, title }: Attack): Count => ({
  attack: name,
  title,
  cases: 0,
  missed: 0,
  failures: [],
  notes: [],
  late: 0,
  seconds: 0,
  skipped: undefined,
});

export interface Bounds {
  /** The case that was asked for, or the beginning of its name. */
  readonly only: string | undefined;
  /** When no further case is begun, in milliseconds of the epoch. */
  readonly until: number;
}

export const tallyOf = (count: Count, { seed, full, verbose }: AttackOptions, { only, until }: Bounds): Tally => {
  const wants = (id: string): boolean =>
    only === undefined || `${id}:`.startsWith(`${only}:`) || only.startsWith(`${id}:`);
  const check = async (id: string, work: (missed: () => void) => Promise<void>): Promise<boolean> => {
    if (!wants(id)) return true;
    if (Date.now() >= until) {
      count.late += 1;
      return true;
    }
    count.cases += 1;
    let isMissed = false;
    try {
      await work(() => {
        isMissed = true;
      });
      if (isMissed) count.missed += 1;
      if (verbose) console.log(`${isMissed ? 'missed' : 'held'}: ${count.attack} ${id}`);
      return true;
    } catch (error) {
      count.failures.push(id);
      const replay = `npm run test:faults --${full ? ' --full' : ''} --seed ${seed} --only ${count.attack} --case ${id}`;
      process.stdout.write(`FAILED ${count.attack} ${id}\n${indented(wordsOf(error))}\n  again: ${replay}\n`);
      return false;
    }
  };
  return { wants, check, note: (text) => void count.notes.push(text) };
};

/** With the cause, which mostly tells more. */
const wordsOf = (error: unknown): string => inspect(error, { depth: 3 });

const indented = (text: string): string => text.replaceAll(/^/gm, '    ').slice(0, 6000);

/** The table of a run, in the form that docs/reliability.md has it. */
export const tableOf = (counts: readonly Count[]): string => {
  const rows = counts.map(({ attack, title, cases, missed, failures, notes, seconds, skipped }) =>
    skipped === undefined
      ? [attack, title, ...[cases, missed, failures.length].map(String), `${Math.round(seconds)} s`, notes.join('; ')]
      : [attack, title, '-', '-', '-', '-', `not made: ${skipped}`],
  );
  const head = ['attack', 'what is done', 'cases', 'missed', 'failures', 'took', ''];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
};
