/** The rule as vectors: every case of consent-cases.json against the real rule code on real files. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cases, casesFile, playCase } from './play.ts';

test('there are all 130 of them', () => expect(cases).toHaveLength(130));

const original = '../shared/consent-cases.json';
test('the copy is the same as the original', (context) => {
  if (!existsSync(original)) context.skip('the original does not lie beside this clone');
  expect(readFileSync(casesFile, 'utf8')).toBe(readFileSync(original, 'utf8'));
});

test.each(cases.map((one) => [one.name, one] as const))('%s', async (_, one) => playCase(one, false));
