/** docs/consent.md is held against the program: reasons, their order and their exit codes, states, kinds of lines. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { statusExit } from '../../src/consent/explain.ts';
import type { Answer, Reason } from '../../src/consent/resolver.ts';
import { answerOf, makeHome } from './support.ts';

const doc = readFileSync('docs/consent.md', 'utf8');

const rowsUnder = (heading: string): string[][] => {
  const lines = doc.slice(doc.indexOf(heading)).split('\n').slice(2);
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
};

test('reasons stand in the order of the rule, with the exit codes of the program', () => {
  const rows = rowsUnder('| `reason` | when | exit |');
  const nothing: Answer = answerOf(makeHome('/nonexistent'));
  const table = rows.map(([reason = '', , exit]) => [reason.replaceAll('`', ''), Number(exit)] as const);
  expect(table.map(([reason]) => reason)).toEqual([
    'no-telemetry',
    'change-unfinished',
    'record-invalid',
    'declined',
    'withdrawn',
    'change-undone',
    'notice-not-confirmed',
    'not-asked',
    'do-not-track',
    'accepted',
  ]);
  for (const [reason, exit] of table) expect(statusExit({ ...nothing, reason: reason as Reason }), reason).toBe(exit);
});

test('every state is explained, and the number of cases is right', () => {
  const states = rowsUnder('| `state` | |').flatMap(([names = '']) => names.replaceAll('`', '').split(', '));
  expect(states).toEqual(['not-asked', 'accepted', 'declined', 'withdrawn', 'invalid']);
  const { cases } = JSON.parse(readFileSync('test/fixtures/consent-cases.json', 'utf8')) as { cases: unknown[] };
  expect(doc).toContain(`as ${cases.length} cases`);
});
