/** The tables of docs/telemetry.md are what the catalogue and the code say. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { page, withTables } from '../scripts/telemetry-tables.ts';

test('the tables are up to date (npm run tables writes them)', async () => {
  const text = readFileSync(page, 'utf8');
  expect(text).toBe(await withTables(text));
});
