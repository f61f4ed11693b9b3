/**
 * `npm run test:faults [-- --full] [--seed N] [--only ATTACK[,ATTACK]] [--case ID] [--jobs N] [--minutes N] [--verbose]`: attacks the real command and looks whether everything is the old or
 * the new afterwards (truth.ts). Without --full the choice of cases that CI makes, by the day's seed. At the end a table, and as the last line the numbers; what was missed (attack.ts) is not among those passed.
 *
 * The time (ten minutes without --full) is dealt out evenly to the attacks that are left, which begin with another one each day. A case or an attack for which none is left is not
 * begun, and the table says so: a slow machine plays less, and over some days everything.
 */

import { parseArgs } from 'node:util';
import { setup } from '../support/built-program.ts';
import type { Attack, AttackOptions } from './attack.ts';
import { attacks } from './attacks.ts';
import { type Count, startCount, tableOf, tallyOf } from './tally.ts';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Math.floor(Date.now() / 86_400_000)) },
    only: { type: 'string' },
    case: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    minutes: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

const options: AttackOptions = {
  full: values.full,
  seed: Number(values.seed),
  jobs: Number(values.jobs),
  verbose: values.verbose,
};

const chosen = (): readonly Attack[] => {
  if (values.only === undefined) return attacks;
  const names = values.only.split(',');
  const unknown = names.filter((name) => attacks.every((attack) => attack.name !== name));
  if (unknown.length > 0) throw new Error(`No such attack: ${unknown}. There are: ${attacks.map(({ name }) => name)}`);
  return attacks.filter(({ name }) => names.includes(name));
};

/** In the quick tier another attack is the first one each day. */
const inTurn = (all: readonly Attack[]): readonly Attack[] => {
  const first = values.full ? 0 : options.seed % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
};

const minutes = Number(values.minutes ?? (values.full || values.case !== undefined ? Number.POSITIVE_INFINITY : 10));
const over = Date.now() + minutes * 60_000;

/** `left`: attacks that share the time, this one included. */
const runOne = async (attack: Attack, left: number): Promise<Count> => {
  const count = startCount(attack);
  count.skipped = Date.now() >= over ? 'the time was over' : attack.cannot?.();
  if (count.skipped !== undefined) {
    console.log(`skipped: ${attack.name}: ${count.skipped}`);
    return count;
  }
  const started = Date.now();
  try {
    const until = started + (over - started) / left;
    await attack.run(tallyOf(count, options, { only: values.case, until }), options);
  } catch (error) {
    count.failures.push('the attack itself');
    console.log(`FAILED ${attack.name}: ${error instanceof Error ? error.stack : error}`);
  }
  count.seconds = (Date.now() - started) / 1000;
  if (count.late > 0) count.notes.push(`${count.late} cases left out, for the time was over`);
  const played = count.cases - count.missed;
  const tooFew = values.full && values.case === undefined && played < attack.atLeast;
  if (tooFew) count.failures.push(`only ${played} cases of ${attack.atLeast}`);
  console.log(
    `${attack.name}: ${count.cases} cases, ${count.missed} missed, ${count.failures.length} failures, ${Math.round(count.seconds)} s`,
  );
  return count;
};

const end = setup();
const counts: Count[] = [];
try {
  const attacksMade = inTurn(chosen());
  for (const [index, attack] of attacksMade.entries()) counts.push(await runOne(attack, attacksMade.length - index));
} finally {
  end();
}
console.log(`\nseed ${options.seed}, ${options.full ? 'full' : 'quick'}\n${tableOf(counts)}\n`);
const failed = counts.reduce((sum, { failures }) => sum + failures.length, 0);
const missed = counts.reduce((sum, count) => sum + count.missed, 0);
const passed = counts.reduce((sum, { cases, failures }) => sum + Math.max(0, cases - failures.length), 0) - missed;
const skipped = counts.filter((count) => count.skipped !== undefined).length;
const others = `${missed > 0 ? `, ${missed} missed` : ''}${skipped > 0 ? `, ${skipped} skipped` : ''}`;
console.log(`${passed} passed, ${failed} failed${others}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
