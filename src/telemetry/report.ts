/**
 * The one encoder: from parts to the bytes of a report. Whatever previews, sends or keeps a report takes its bytes from here, so that what
 * is shown is what is sent.
 *
 * The bytes are an ExportMetricsServiceRequest of OTLP/HTTP in its JSON form, which any OpenTelemetry collector takes: sums with delta
 * temporality, one data point for each UTC day. The resource names product and version and nothing else; there is no host in it, no instance, no
 * identifier. Equal numbers give equal bytes: keys are sorted, and so are metrics and points, one to a line.
 */

import type { Notice } from '../consent/notice.ts';
import { canonicalJson, type Json } from '../values.ts';
import type { Part, PartCounter } from './part.ts';

export const reportContentType = 'application/json';

export interface Report {
  readonly bytes: Uint8Array;
  /** The first and the last day that it has numbers of. */
  readonly from: string;
  readonly to: string;
  /** What the bytes say, for people: the notice's counters in its order, those without a number left out. */
  readonly counters: readonly ReportCounter[];
  /** How many numbers the bytes hold. */
  readonly numbers: number;
}

export interface ReportCounter {
  readonly name: string;
  readonly title: string;
  /** In the order of days; no day twice. */
  readonly days: readonly ReportDay[];
}

export interface ReportDay extends Omit<PartCounter, 'name'> {
  readonly day: string;
}

export interface ReportAbout {
  readonly notice: Notice;
  readonly version: string;
}

/** The report of these parts, or undefined where they hold no number: then there is nothing to send. */
export const makeReport = ({ notice, version }: ReportAbout, parts: readonly Part[]): Report | undefined => {
  const counters = notice.counters
    .map(({ name, title }) => ({ name, title, days: daysOf(name, parts) }))
    .filter(({ days }) => days.length > 0);
  const days = counters.flatMap((counter) => counter.days.map(({ day }) => day)).sort();
  const [from, to] = [days[0], days.at(-1)];
  if (from === undefined || to === undefined) return undefined;
  const metrics = counters.flatMap(metricsOf).sort((one, other) => (one.name < other.name ? -1 : 1));
  const numbers = metrics.reduce((sum, { sum: { dataPoints } }) => sum + dataPoints.length, 0);
  return { bytes: encode({ service: notice.product, version, metrics }), from, to, counters, numbers };
};

/** The counter's numbers by day, the parts of a day added up. Days without a number are left out. */
const daysOf = (name: string, parts: readonly Part[]): ReportDay[] => {
  const days = new Map<string, ReportDay>();
  for (const { day, counters } of parts) {
    for (const counter of counters.filter((one) => one.name === name))
      days.set(day, sumOf(days.get(day), day, counter));
  }
  return [...days.values()].filter(hasNumber).sort((one, other) => (one.day < other.day ? -1 : 1));
};

const hasNumber = ({ total, browser, hour }: ReportDay): boolean =>
  total !== null || Object.keys(browser).length > 0 || Object.keys(hour).length > 0;

const sumOf = (before: ReportDay | undefined, day: string, counter: PartCounter): ReportDay => ({
  day,
  total: counter.total === null ? (before?.total ?? null) : plus(before?.total ?? 0, counter.total),
  browser: sums(before?.browser, counter.browser),
  hour: sums(before?.hour, counter.hour),
});

const sums = <Counts extends Readonly<Record<string, number>>>(before: Counts | undefined, more: Counts): Counts => {
  const sum: Record<string, number> = { ...before };
  for (const [key, count] of Object.entries(more)) sum[key] = plus(sum[key] ?? 0, count);
  return sum as Counts;
};

/** Parts are nobody's to trust: what can't be told exactly stays at the largest number that can. */
const plus = (one: number, other: number): number => Math.min(one + other, Number.MAX_SAFE_INTEGER);

type Metric = { readonly name: string; readonly sum: { readonly dataPoints: readonly Json[] } & Record<string, Json> };

const metricsOf = ({ name, title, days }: ReportCounter): (Metric & Record<string, Json>)[] => {
  const total = days.flatMap((day) => (day.total === null ? [] : [point(day.day, day.total)]));
  const by = (key: 'browser' | 'hour') =>
    days.flatMap((day) =>
      Object.entries(day[key])
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([value, count]) => point(day.day, count, { key, value })),
    );
  return [
    metric(`assent.webclient.${name}`, title, total),
    metric(`assent.webclient.${name}.by_browser`, `${title}, by browser family`, by('browser')),
    metric(`assent.webclient.${name}.by_hour`, `${title}, by hour of the day (UTC)`, by('hour')),
  ].filter(({ sum }) => sum.dataPoints.length > 0);
};

/** AggregationTemporality of the protocol: each point says what its own day had. */
const delta = 1;

const metric = (name: string, description: string, dataPoints: readonly Json[]) => ({
  name,
  description,
  unit: '{action}',
  sum: { aggregationTemporality: delta, isMonotonic: true, dataPoints },
});

const point = (day: string, count: number, by?: { key: string; value: string }): Json => ({
  startTimeUnixNano: nanoseconds(day, 0),
  timeUnixNano: nanoseconds(day, 1),
  asInt: String(count),
  ...(by === undefined ? {} : { attributes: [attribute(by.key, by.value)] }),
});

/** Midnight of the day, or of a day after it. 64-bit numbers are texts in the protocol's JSON. */
const nanoseconds = (day: string, later: number): string =>
  `${BigInt(Date.parse(`${day}T00:00:00.000Z`)) + BigInt(later * 86_400_000)}000000`;

const attribute = (key: string, value: string): Json => ({ key, value: { stringValue: value } });

const encode = (report: { service: string; version: string; metrics: readonly Json[] }): Uint8Array => {
  const attributes = [attribute('service.name', report.service), attribute('service.version', report.version)];
  const scopeMetrics = [{ scope: { name: 'assent' }, metrics: report.metrics }];
  return new TextEncoder().encode(
    `${inLines(canonicalJson({ resourceMetrics: [{ resource: { attributes }, scopeMetrics }] }))}\n`,
  );
};

/** A line for each metric and point, so that people can read it. Inside of a text a quote is escaped, so these are never part of one. */
const inLines = (json: string): string => json.replace(/\{"(?:description|asInt)":/g, '\n$&');
