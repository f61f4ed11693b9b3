/**
 * A report that waits in the spool, read back for people's eyes. What is sent are the bytes as they lie there, so they are handed on untouched;
 * days and numbers are told from them, and where they can't be, there is nothing but the bytes to show.
 */

import type { Notice } from '../consent/notice.ts';
import { dayOf } from './counting/day.ts';
import { isDay } from './part.ts';
import type { Report, ReportCounter, ReportDay } from './report.ts';
import type { ReportName } from './sent.ts';

export const readReport = (bytes: Uint8Array, { from, to }: ReportName, notice: Notice): Report => {
  const points = pointsOf(bytes);
  const counters = notice.counters
    .map(({ name, title }) => counterOf(name, title, points))
    .filter(({ days }) => days.length > 0);
  return { bytes, from, to, counters, numbers: points.length };
};

/** One number: of which counter, which day, and of which browser or hour where it is not the total. */
interface Point {
  readonly counter: string;
  readonly day: string;
  readonly by: readonly ['browser' | 'hour', string] | null;
  readonly count: number;
}

const counterOf = (name: string, title: string, points: readonly Point[]): ReportCounter => {
  const days = new Map<string, ReportDay>();
  for (const { day, by, count } of points.filter(({ counter }) => counter === name)) {
    const before = days.get(day) ?? { day, total: null, browser: {}, hour: {} };
    const more = by === null ? { total: count } : { [by[0]]: { ...before[by[0]], [by[1]]: count } };
    days.set(day, { ...before, ...more });
  }
  return { name, title, days: [...days.values()].sort((one, other) => (one.day < other.day ? -1 : 1)) };
};

interface Metric {
  readonly name: string;
  readonly sum: {
    readonly dataPoints: readonly {
      readonly startTimeUnixNano: string;
      readonly asInt: string;
      readonly attributes?: readonly { readonly value: { readonly stringValue: string } }[];
    }[];
  };
}

/** As the encoder writes them; none where these bytes are not the encoder's. */
const pointsOf = (bytes: Uint8Array): Point[] => {
  try {
    const { metrics } = JSON.parse(Buffer.from(bytes).toString('utf8')).resourceMetrics[0].scopeMetrics[0];
    return (metrics as readonly Metric[]).flatMap(pointsIn);
  } catch {
    return [];
  }
};

const pointsIn = ({ name, sum }: Metric): Point[] => {
  const [, counter = '', by] = /^assent\.webclient\.([a-z0-9-]+)(?:\.by_(browser|hour))?$/.exec(name) ?? [];
  return sum.dataPoints.flatMap(({ startTimeUnixNano, asInt, attributes }) => {
    const day = dayOf(new Date(Number(startTimeUnixNano) / 1e6));
    const value = attributes?.[0]?.value.stringValue;
    const which = by === undefined || value === undefined ? null : ([by as 'browser' | 'hour', value] as const);
    return counter === '' || !isDay(day) ? [] : [{ counter, day, by: which, count: Number(asInt) }];
  });
};
