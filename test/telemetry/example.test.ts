/** Example numbers come from the notice alone, look like examples, and keep what the notice promises. */
import { describe, expect, it } from 'vitest';
import { noticeId } from '../../src/consent/notice.ts';
import { exampleParts } from '../../src/telemetry/example.ts';
import { parsePart } from '../../src/telemetry/part.ts';
import { makeReport } from '../../src/telemetry/report.ts';
import { exampleNotice } from './example-notice.ts';

const many = {
  ...exampleNotice,
  counters: Array.from({ length: 12 }, (_, at) => ({ ...exampleNotice.counters[0]!, name: `counter-${at}` })),
};

describe.each([5, 12, 1000])('with a smallest group of %i', (smallestGroup) => {
  const notice = { ...many, smallestGroup };
  const parts = exampleParts(notice);

  it('no number, and no difference of numbers of a counter, lies between nothing and that group', () => {
    for (const { total, browser, hour } of parts.flatMap(({ counters }) => counters)) {
      const [byBrowser, byHour] = [Object.values(browser), Object.values(hour)];
      const sum = (numbers: readonly number[]) => numbers.reduce((one, other) => one + other, 0);
      expect(sum(byBrowser)).toBe(total ?? 0);
      expect(sum(byHour)).toBe(total ?? 0);
      for (const number of [...byBrowser, ...byHour]) expect(number).toBeGreaterThanOrEqual(smallestGroup);
    }
  });

  it('has counters with many numbers and days on which one had to be dropped', () => {
    const totals = parts.flatMap(({ counters }) => counters.map(({ total }) => total));
    expect(totals).toContain(null);
    expect(totals.filter((total) => total !== null).length).toBeGreaterThan(totals.length / 2);
  });
});

it('are parts like any others, the same each time, of a week long ago', () => {
  const parts = exampleParts(exampleNotice);
  expect(parts).toEqual(exampleParts(structuredClone(exampleNotice)));
  expect(parts.map(({ day }) => day)).toEqual([3, 4, 5, 6, 7, 8, 9].map((day) => `2000-01-0${day}`));
  const names = exampleNotice.counters.map(({ name }) => name);
  for (const part of parts) {
    expect(parsePart(JSON.stringify(part), names)).toEqual(part);
    expect(part.noticeId).toBe(noticeId(exampleNotice));
  }
});

it('have the declared dimensions only, and one day where a report has one', () => {
  const notice = { ...exampleNotice, dimensions: ['day'] as const, period: 'day' as const };
  const report = makeReport({ notice, version: '3.0.0' }, exampleParts(notice));
  expect(report).toMatchObject({ from: '2000-01-03', to: '2000-01-03', numbers: 2 });
});
