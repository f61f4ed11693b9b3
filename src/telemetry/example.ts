/**
 * Example numbers for previews before a consent: made from the notice alone, the same each time, and of a week in January 2000, so that nobody
 * takes them for real ones. They pass the encoder as parts would, and so show exactly what a report looks like.
 *
 * They keep what the notice promises: whatever is not nothing has the smallest group or more behind it, in each browser and each hour together,
 * so any sum or difference of numbers has, too. A counter that is rarely used has days on which it had to be dropped.
 */

import { type Notice, noticeId } from '../consent/notice.ts';
import type { Browser, Part, PartCounter } from './part.ts';

/** A Monday. */
const firstDay = Date.UTC(2000, 0, 3);
/** A month's report is as a week's, only longer. */
const days = { day: 1, week: 7, month: 7 } as const;

export const exampleParts = (notice: Notice): Part[] =>
  Array.from({ length: days[notice.period] }, (_, at) => ({
    format: 1,
    noticeId: noticeId(notice),
    day: new Date(firstDay + at * 86_400_000).toISOString().slice(0, 10),
    counters: notice.counters.map(({ name }, place) => exampleCounter(notice, name, { day: at, place })),
  }));

/** How much a family or an hour has of all; what is below one client's worth is nothing. */
const families: readonly (readonly [Browser, number])[] = [
  ['firefox', 4],
  ['chrome', 3],
  ['safari-mobile', 1],
];
const hours: readonly (readonly [string, number])[] = [
  ['08', 1],
  ['10', 4],
  ['14', 3],
  ['17', 2],
];

const exampleCounter = (notice: Notice, name: string, { day, place }: { day: number; place: number }): PartCounter => {
  const weekend = day > 4 ? 4 : 1;
  const atoms = families.flatMap(([family, much], one) =>
    hours.map(([hour, busy], other) => ({
      family,
      hour,
      count: atom(notice.smallestGroup, (much * busy) / (weekend * (1 + place)), variation(name, day, one, other)),
    })),
  );
  const total = sum(atoms);
  const has = (dimension: 'browser' | 'hour') => notice.dimensions.includes(dimension);
  return {
    name,
    total: total === 0 ? null : total,
    browser: has('browser') ? by(atoms, 'family') : {},
    hour: has('hour') ? by(atoms, 'hour') : {},
  };
};

/** What one family has in one hour: nothing, or the smallest group and more. */
const atom = (smallestGroup: number, weight: number, more: number): number =>
  weight < 1 ? 0 : Math.round(smallestGroup * (weight + more));

/** 0 to 1, the same for the same words. */
const variation = (...words: readonly (string | number)[]): number => {
  let hash = 0x811c9dc5;
  for (const character of words.join(' ')) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return (hash % 1000) / 1000;
};

interface Atom {
  readonly family: Browser;
  readonly hour: string;
  readonly count: number;
}

const sum = (atoms: readonly Atom[]): number => atoms.reduce((all, { count }) => all + count, 0);

const by = (atoms: readonly Atom[], key: 'family' | 'hour'): Record<string, number> => {
  const keys = [...new Set(atoms.map((one) => one[key]))];
  const sums = keys.map((value) => [value, sum(atoms.filter((one) => one[key] === value))] as const);
  return Object.fromEntries(sums.filter(([, count]) => count > 0));
};
