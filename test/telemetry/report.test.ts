/**
 * The report against the official definitions of the protocol, as the OpenTelemetry project generated them from its .proto files: what
 * survives the way through them unaltered has no field that they don't know, and no value of another type.
 */
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import type { Part, PartCounter } from '../../src/telemetry/part.ts';
import { makeReport, type Report } from '../../src/telemetry/report.ts';
import { exampleNotice, exampleNoticeId } from './example-notice.ts';

const require = createRequire(import.meta.url);
const protocol = require(
  require.resolve('@opentelemetry/otlp-transformer').replace(/index\.js$/, 'generated/root.js'),
) as Protocol;
const { ExportMetricsServiceRequest } = protocol.opentelemetry.proto.collector.metrics.v1;

interface Protocol {
  opentelemetry: { proto: { collector: { metrics: { v1: { ExportMetricsServiceRequest: MessageType } } } } };
}
interface MessageType {
  verify(value: unknown): string | null;
  fromObject(value: unknown): unknown;
  encode(message: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
  toObject(message: unknown, options: unknown): unknown;
}

/** Through the binary form and back, as JSON has it: 64-bit numbers as texts, enums as numbers. */
const throughProtocol = (value: unknown): unknown => {
  const message = ExportMetricsServiceRequest.fromObject(value);
  expect(ExportMetricsServiceRequest.verify(message)).toBeNull();
  const bytes = ExportMetricsServiceRequest.encode(message).finish();
  return plain(ExportMetricsServiceRequest.toObject(ExportMetricsServiceRequest.decode(bytes), { longs: String }));
};
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const textOf = (report: Report | undefined) => Buffer.from(report?.bytes ?? []).toString('utf8');
const jsonOf = (report: Report | undefined) => JSON.parse(textOf(report));

const part = (day: string, counters: readonly PartCounter[]): Part => ({
  format: 1,
  noticeId: exampleNoticeId,
  day,
  counters,
});
const opened = (total: number | null, more: Partial<PartCounter> = {}): PartCounter => ({
  name: 'mailbox-opened',
  total,
  browser: {},
  hour: {},
  ...more,
});
const deleted = (total: number | null): PartCounter => ({ name: 'message-deleted', total, browser: {}, hour: {} });
const about = { notice: exampleNotice, version: '3.0.0' };

const parts = [
  part('2026-11-24', [opened(40, { browser: { firefox: 25, chrome: 15 }, hour: { '09': 30, '14': 10 } }), deleted(9)]),
  part('2026-11-25', [opened(12, { browser: { firefox: 12 } })]),
  part('2026-11-24', [opened(null, { browser: { firefox: 6 } })]),
];

describe('the bytes', () => {
  it('are what the official definitions have, down to each field', () => {
    const value = jsonOf(makeReport(about, parts));
    expect(throughProtocol(value)).toEqual(value);
  });

  it('would not pass with a field that the protocol does not know, a number for a text, or an enum by its name', () => {
    const value = () => jsonOf(makeReport(about, parts));
    const sumOf = (report: ReturnType<typeof value>) => report.resourceMetrics[0].scopeMetrics[0].metrics[0].sum;
    const unknown = value();
    sumOf(unknown).dataPoints[0].host = 'mail.example.org';
    const snake = value();
    sumOf(snake).dataPoints[0].as_int = '1';
    const number = value();
    sumOf(number).dataPoints[0].asInt = 1;
    const named = value();
    sumOf(named).aggregationTemporality = 'AGGREGATION_TEMPORALITY_DELTA';
    for (const wrong of [unknown, snake, number, named]) expect(throughProtocol(wrong)).not.toEqual(plain(wrong));
  });

  it('are these, and the same whatever the order of parts and numbers', () => {
    const one = textOf(makeReport(about, parts.slice(1, 2)));
    expect(one).toBe(
      [
        '{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"maildev"}},{"key":"service.version","value":{"stringValue":"3.0.0"}}]},"scopeMetrics":[{"metrics":[',
        '{"description":"mailbox opened","name":"assent.webclient.mailbox-opened","sum":{"aggregationTemporality":1,"dataPoints":[',
        '{"asInt":"12","startTimeUnixNano":"1795564800000000000","timeUnixNano":"1795651200000000000"}],"isMonotonic":true},"unit":"{action}"},',
        '{"description":"mailbox opened, by browser family","name":"assent.webclient.mailbox-opened.by_browser","sum":{"aggregationTemporality":1,"dataPoints":[',
        '{"asInt":"12","attributes":[{"key":"browser","value":{"stringValue":"firefox"}}],"startTimeUnixNano":"1795564800000000000","timeUnixNano":"1795651200000000000"}],"isMonotonic":true},"unit":"{action}"}],"scope":{"name":"assent"}}]}]}',
        '',
      ].join('\n'),
    );
    const turned = parts.toReversed().map(({ counters, ...rest }) => ({
      ...rest,
      counters: counters.toReversed().map((counter) => ({ ...counter, browser: turnedRound(counter.browser) })),
    }));
    expect(textOf(makeReport(about, turned))).toBe(textOf(makeReport(about, parts)));
  });

  it('name product and version and nothing else of where they come from', () => {
    const [resource, ...others] = jsonOf(makeReport(about, parts)).resourceMetrics;
    expect(others).toEqual([]);
    expect(resource.resource).toEqual({
      attributes: [
        { key: 'service.name', value: { stringValue: 'maildev' } },
        { key: 'service.version', value: { stringValue: '3.0.0' } },
      ],
    });
    expect(resource.scopeMetrics.map(({ scope }: { scope: unknown }) => scope)).toEqual([{ name: 'assent' }]);
  });

  it('keep a line break and a brace in a title where they belong', () => {
    const [counter, ...rest] = exampleNotice.counters;
    const notice = {
      ...exampleNotice,
      counters: [{ ...counter!, title: 'a {"asInt": or\n{"description":"b"}' }, ...rest],
    };
    const value = jsonOf(makeReport({ ...about, notice }, parts));
    const { metrics } = value.resourceMetrics[0].scopeMetrics[0];
    expect(metrics[0].description).toBe('a {"asInt": or\n{"description":"b"}');
  });
});

describe('the numbers', () => {
  it('of a day are the sums of its parts, and say so beside the bytes', () => {
    const report = makeReport(about, parts)!;
    expect(report).toMatchObject({ from: '2026-11-24', to: '2026-11-25', numbers: 8 });
    expect(report.counters[0]).toEqual({
      name: 'mailbox-opened',
      title: 'mailbox opened',
      days: [
        { day: '2026-11-24', total: 40, browser: { firefox: 31, chrome: 15 }, hour: { '09': 30, '14': 10 } },
        { day: '2026-11-25', total: 12, browser: { firefox: 12 }, hour: {} },
      ],
    });
    const { metrics } = jsonOf(report).resourceMetrics[0].scopeMetrics[0];
    const points = metrics.flatMap(({ sum }: { sum: { dataPoints: unknown[] } }) => sum.dataPoints);
    expect(points).toHaveLength(report.numbers);
  });

  it('of a counter that the notice does not name never appear', () => {
    const stranger = { name: 'passwords-typed', total: 77, browser: {}, hour: {} };
    const text = textOf(makeReport(about, [part('2026-11-24', [stranger, opened(8)])]));
    expect(text).not.toContain('passwords');
    expect(text).not.toContain('77');
    expect(makeReport(about, [part('2026-11-24', [stranger])])).toBeUndefined();
  });

  it('are exact, or the largest that can be told exactly', () => {
    const huge = [1, 2, 3].map(() => part('2026-11-24', [opened(Number.MAX_SAFE_INTEGER - 1)]));
    const value = jsonOf(makeReport(about, huge));
    expect(value.resourceMetrics[0].scopeMetrics[0].metrics[0].sum.dataPoints[0].asInt).toBe('9007199254740991');
    expect(throughProtocol(value)).toEqual(value);
  });

  it('are none without parts, and none where all of them had to be dropped', () => {
    expect(makeReport(about, [])).toBeUndefined();
    expect(makeReport(about, [part('2026-11-24', [opened(null)])])).toBeUndefined();
  });
});

const turnedRound = <Counts extends object>(counts: Counts): Counts =>
  Object.fromEntries(Object.entries(counts).toReversed()) as Counts;
