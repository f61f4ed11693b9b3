/** A report's numbers as pictures need them: sums by counter, day, browser family and hour, for bars. Only for people's eyes: nothing of it is sent. */

import { browsers } from './part.ts';
import type { Report } from './report.ts';

export interface Bar {
  readonly label: string;
  readonly count: number;
}

export interface Chart {
  readonly id: 'counters' | 'days' | 'browsers' | 'hours';
  readonly title: string;
  readonly bars: readonly Bar[];
}

/** The charts that the report has numbers for. A counter whose total had to be dropped is left out of those that add totals up. */
export const chartsOf = ({ counters }: Report): Chart[] => {
  const days = counters.flatMap((counter) => counter.days);
  const charts: Chart[] = [
    {
      id: 'counters',
      title: 'How often, by counter',
      bars: counters.map(({ title, days: of }) => ({ label: title, count: sum(of.map(({ total }) => total)) })),
    },
    {
      id: 'days',
      title: 'Days (UTC), all counters',
      bars: bars(days.map(({ day, total }) => ({ [day]: total ?? 0 }))).sort(byLabel),
    },
    {
      id: 'browsers',
      title: 'Browser families, all counters',
      bars: bars(days.map(({ browser }) => browser)).sort(byFamily),
    },
    {
      id: 'hours',
      title: 'Hours of the day (UTC), all counters',
      bars: bars(days.map(({ hour }) => hour)).sort(byLabel),
    },
  ];
  return charts
    .map((chart) => ({ ...chart, bars: chart.bars.filter(({ count }) => count > 0) }))
    .filter((chart) => chart.bars.length > 0);
};

const sum = (numbers: readonly (number | null)[]): number =>
  numbers.reduce<number>((all, number) => Math.min(all + (number ?? 0), Number.MAX_SAFE_INTEGER), 0);

const bars = (counts: readonly Readonly<Record<string, number>>[]): Bar[] =>
  [...new Set(counts.flatMap((one) => Object.keys(one)))].map((label) => ({
    label,
    count: sum(counts.map((one) => one[label] ?? 0)),
  }));

const byLabel = (one: Bar, other: Bar): number => (one.label < other.label ? -1 : 1);
const byFamily = (one: Bar, other: Bar): number => placeOf(one) - placeOf(other);
const placeOf = ({ label }: Bar): number => browsers.findIndex((family) => family === label);
