/** Only whole days inside the window are reported: not the day on which it began, not today, and none without a window. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noteGap, readWindow, reportableDays, writeWindow } from '../../src/consent/window.ts';
import { type InstancePaths, instancePaths } from '../../src/instance/paths.ts';
import type { InstanceName } from '../../src/values.ts';
import { withTinyDisk } from '../support/mounts.ts';
import { isRoot, makeSandbox, removeSandbox } from '../support/sandbox.ts';

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
  '{"format":1,"generation":7,"since":"2026-11-23T10:00:00.000Z","gaps":{}}',
  '{"format":1,"generation":7,"since":"2026-11-23T10:00:00.000Z","gaps":[null]}',
  '{"format":1,"generation":7,"since":"2026-11-23T10:00:00.000Z","gaps":[{"from":"2026-11-24"}]}',
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

describe('a gap', () => {
  const at = (day: string) => new Date(`${day}T12:00:00.000Z`);
  const begin = (day: string) => noteGap(paths, at(day), false);
  const end = (day: string) => noteGap(paths, at(day), true);
  const reportable = () =>
    reportableDays(
      readWindow(paths),
      at('2026-11-30'),
      [24, 25, 26, 27, 28, 29].map((day) => `2026-11-${day}`),
    );
  beforeEach(() => writeWindow(paths, { generation: 7, since: '2026-11-23T10:00:00.000Z' }));

  it('takes out the days on which it begins and ends, and all between them', () => {
    begin('2026-11-25');
    begin('2026-11-26');
    expect(reportable()).toEqual(['2026-11-24']);
    end('2026-11-27');
    end('2026-11-28');
    expect(reportable()).toEqual(['2026-11-24', '2026-11-28', '2026-11-29']);
    expect(readWindow(paths)).toMatchObject({ generation: 7, gaps: [{ from: '2026-11-25', to: '2026-11-27' }] });
  });

  it('goes on where another one begins on its last day', () => {
    for (const day of ['2026-11-25', '2026-11-25', '2026-11-27']) {
      begin(day);
      end(day);
    }
    expect(readWindow(paths)?.gaps).toHaveLength(2);
    expect(reportable()).toEqual(['2026-11-24', '2026-11-26', '2026-11-28', '2026-11-29']);
  });

  it('is one day at least, also where the clock went back', () => {
    begin('2026-11-26');
    end('2026-11-25');
    expect(reportable()).toEqual(['2026-11-24', '2026-11-25', '2026-11-27', '2026-11-28', '2026-11-29']);
  });

  it('ends the window where it can not be begun on a full disk; where it can not be ended, it goes on', ({ skip }) => {
    if (!isRoot) skip('a disk of its own needs root');
    withTinyDisk(skip, (disk) => {
      const full = instancePaths(disk, 'one' as InstanceName);
      mkdirSync(full.telemetry, { recursive: true });
      writeWindow(full, { generation: 7, since: '2026-11-23T10:00:00.000Z' });
      noteGap(full, at('2026-11-25'), false);
      expect(() => writeFileSync(join(disk, 'full'), Buffer.alloc(2_000_000))).toThrow(/ENOSPC/);
      noteGap(full, at('2026-11-26'), true);
      expect(readWindow(full)?.gaps).toEqual([{ from: '2026-11-25', to: null }]);
      rmSync(join(disk, 'full'));
      noteGap(full, at('2026-11-26'), true);
      expect(() => writeFileSync(join(disk, 'full'), Buffer.alloc(2_000_000))).toThrow(/ENOSPC/);
      noteGap(full, at('2026-11-28'), false);
      expect(readWindow(full)).toBeUndefined();
    });
  });

  it('makes no window where there is none', () => {
    rmSync(paths.telemetry, { recursive: true });
    begin('2026-11-25');
    expect(existsSync(paths.telemetry)).toBe(false);
  });
});
