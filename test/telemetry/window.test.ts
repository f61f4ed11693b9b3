/** Only whole days inside the window are reported: not the day on which it began, not today, and none without a window. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readWindow, reportableDays, writeWindow } from '../../src/consent/window.ts';
import { type InstancePaths, instancePaths } from '../../src/instance/paths.ts';
import type { InstanceName } from '../../src/values.ts';
import { makeSandbox, removeSandbox } from '../support/sandbox.ts';

let folder: string;
let paths: InstancePaths;
beforeEach(() => {
  folder = makeSandbox();
  paths = instancePaths(folder, 'one' as InstanceName);
  mkdirSync(paths.telemetry, { recursive: true });
});
afterEach(() => removeSandbox(folder));

it('is read as it was written', () => {
  expect(readWindow(paths)).toBeUndefined();
  writeWindow(paths, { generation: 7, since: '2026-11-23T10:00:00.000Z' });
  expect(readWindow(paths)).toEqual({ format: 1, generation: 7, since: '2026-11-23T10:00:00.000Z' });
});

it.each([
  '',
  'null',
  '[]',
  '{"format":2,"generation":7,"since":"2026-11-23T10:00:00.000Z"}',
  '{"format":1,"since":"2026-11-23T10:00:00.000Z"}',
  '{"format":1,"generation":7}',
  '{"format":1,"generation":7,"since":"yesterday"}',
  '{"format":1,"generation":7,"since":"2026-11-23"}',
  '{"format":1,"generation":7,"since":0}',
])('is none where it reads %s', (text) => {
  writeFileSync(paths.window, text);
  expect(readWindow(paths)).toBeUndefined();
});

describe('reportable days', () => {
  const days = ['2026-11-26', '2026-11-22', '2026-11-23', '2026-11-24', '2026-11-25', '2026-11-24', '2026-02-30'];
  const window = (since: string) => ({ format: 1, generation: 7, since }) as const;

  it('lie strictly between the day of consent and today, in UTC', () => {
    const now = new Date('2026-11-26T00:00:00.000Z');
    expect(reportableDays(window('2026-11-23T00:00:00.000Z'), now, days)).toEqual(['2026-11-24', '2026-11-25']);
    expect(reportableDays(window('2026-11-23T23:59:59.999Z'), now, days)).toEqual(['2026-11-24', '2026-11-25']);
    expect(reportableDays(window('2026-11-24T00:00:00.000Z'), now, days)).toEqual(['2026-11-25']);
    expect(reportableDays(window('2026-11-23T00:00:00.000Z'), new Date('2026-11-25T23:59:59.999Z'), days)).toEqual([
      '2026-11-24',
    ]);
  });

  it('are none without a window, and none where the clock has gone back', () => {
    const now = new Date('2026-11-26T00:00:00.000Z');
    expect(reportableDays(undefined, now, days)).toEqual([]);
    expect(reportableDays(window('2026-11-27T00:00:00.000Z'), now, days)).toEqual([]);
  });
});
