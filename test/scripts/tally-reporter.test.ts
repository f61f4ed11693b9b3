import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assent-tally-'));
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs vitest on test files of the given bodies; the tally it wrote, its exit code and its output. */
function tallyOf(...bodies: string[]) {
  const head = "import { test, describe, beforeAll, expect } from 'vitest';\n";
  for (const [number, body] of bodies.entries()) writeFileSync(join(folder, `${number}.test.js`), head + body);
  const tally = join(folder, 'tally');
  const env = { ...process.env, ASSENT_TALLY: tally, NO_COLOR: '1' };
  const reporter = `--reporter=${join(process.cwd(), 'scripts/tally-reporter.ts')}`;
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', `--root=${folder}`, reporter];
  const { status, stdout } = spawnSync(process.execPath, vitest, { env, encoding: 'utf8', cwd: process.cwd() });
  return { tally: readFileSync(tally, 'utf8'), status, stdout };
}

test('passed, failed, and skipped with the reason', () => {
  const { tally, status, stdout } = tallyOf(
    "test('a', () => {}); test('b', () => { expect(1).toBe(2); });",
    "test('c', () => {}); test('d', (context) => { context.skip('no compiler'); });",
  );
  expect({ tally, status }).toEqual({ tally: '2 passed, 1 failed, 1 skipped\n', status: 1 });
  expect(stdout).toContain('skipped: d: no compiler');
});

test('all is well: nothing is said about skipping', () => {
  expect(tallyOf("test('a', () => {});")).toMatchObject({ tally: '1 passed, 0 failed\n', status: 0 });
});

test.each([
  ['a file that cannot be loaded', "throw new Error('no');", '1 passed, 1 failed\n'],
  [
    'a hook that throws',
    "describe('x', () => { beforeAll(() => { throw new Error('no'); }); test('y', () => {}); });",
    '1 passed, 1 failed, 1 skipped\n',
  ],
  [
    'an error that nobody awaited',
    "test('z', async () => { void Promise.reject(new Error('no')); await new Promise((r) => setTimeout(r, 50)); });",
    '2 passed, 1 failed\n',
  ],
])('%s is a failure', (_case, body, expected) => {
  const { tally, status } = tallyOf("test('a', () => {});", body);
  expect({ tally, status }).toEqual({ tally: expected, status: 1 });
});
