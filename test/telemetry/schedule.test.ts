/** Periods, due times and pauses. Chance is real where its spread is looked at. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { dueOf, noSchedule, periodOf, startOf } from '../../src/telemetry/schedule.ts';

const world = { random: randomBytes };

test.each([
  ['2026-11-25', 'day', '2026-11-25', '2026-11-26'],
  ['2026-11-25', 'week', '2026-11-23', '2026-11-30'],
  ['2026-11-23', 'week', '2026-11-23', '2026-11-30'],
  ['2026-11-29', 'week', '2026-11-23', '2026-11-30'],
  ['2027-01-01', 'week', '2026-12-28', '2027-01-04'],
  ['2026-12-31', 'month', '2026-12-01', '2027-01-01'],
  ['2028-02-29', 'month', '2028-02-01', '2028-03-01'],
] as const)('%s lies in the %s from %s to %s', (day, length, start, end) => {
  expect(periodOf(day, length)).toEqual({ start, end });
});

test.each([
  ['day', 1],
  ['week', 7],
  ['month', 7],
] as const)('reports of a %s are due within %d days behind it, each time at another moment', (length, days) => {
  const period = periodOf('2026-11-11', length);
  const offsets = Array.from(
    { length: 400 },
    () => dueOf(world, noSchedule, period, length).getTime() - startOf(period.end),
  );
  const span = days * 86_400_000;
  expect(Math.min(...offsets)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...offsets)).toBeLessThanOrEqual(span);
  expect(Math.max(...offsets) - Math.min(...offsets)).toBeGreaterThan(span * 0.8);
});

test('what was drawn stands; what could not have been drawn is drawn again', () => {
  const period = periodOf('2026-11-16', 'week');
  const due = (at: string) => dueOf(world, { ...noSchedule, due: { '2026-11-16': at } }, period, 'week').toISOString();
  expect(due('2026-11-26T07:00:00.000Z')).toBe('2026-11-26T07:00:00.000Z');
  expect(due('2036-11-26T07:00:00.000Z') < '2026-12-01').toBe(true);
  expect(due('2020-11-26T07:00:00.000Z') >= '2026-11-23').toBe(true);
});
