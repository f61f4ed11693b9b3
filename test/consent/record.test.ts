/** The record's parser: it takes what we write and nothing else. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseRecord, writeRecord } from '../../src/consent/record.ts';
import type { ConsentRecord } from '../../src/consent/resolver.ts';
import { sandbox } from '../support/sandbox.ts';
import { inMemory, makeHome } from './support.ts';

const hex = (digit: string): string => digit.repeat(64);
const record: ConsentRecord = {
  format: 1,
  state: 'accepted',
  generation: 3,
  key: hex('a'),
  binding: { name: hex('b'), folder: hex('c'), machine: hex('d') },
  noticeId: 'n0123456789abcdef',
  by: 'answers',
  at: '2026-11-23T12:00:00.000Z',
  log: { length: 9, head: hex('e') },
};

test('what is written is what is read', async () => {
  const home = makeHome(sandbox(inMemory));
  mkdirSync(home.paths.folder, { recursive: true });
  const variants: ConsentRecord[] = [
    record,
    { ...record, state: 'declined', noticeId: null, by: 'flag' },
    { ...record, state: 'not-asked', noticeId: null, by: null },
  ];
  for (const variant of variants) {
    await writeRecord(home.paths, variant, { uid: process.getuid?.() ?? 0, mode: 0o600 });
    expect(parseRecord(readFileSync(join(home.paths.folder, 'consent.json'), 'utf8'))).toEqual(variant);
  }
});

const damaged: [string, unknown][] = [
  ['nothing', {}],
  ['null', null],
  ['a list', [record]],
  ['a number', 7],
  ['an unknown member', { ...record, telemetry: true }],
  ['a missing member', { ...record, log: undefined }],
  ['format 0', { ...record, format: 0 }],
  ['format as text', { ...record, format: '1' }],
  ['an unknown state', { ...record, state: 'yes' }],
  ['a state in capitals', { ...record, state: 'Accepted' }],
  ['generation 0', { ...record, generation: 0 }],
  ['half a generation', { ...record, generation: 1.5 }],
  ['a generation as text', { ...record, generation: '3' }],
  ['a key that is none', { ...record, key: 'a' }],
  ['no binding', { ...record, binding: null }],
  ['half a binding', { ...record, binding: { name: hex('b') } }],
  ['a notice id that is none', { ...record, noticeId: 'latest' }],
  ['an unknown way', { ...record, by: 'environment' }],
  ['a time that is a number', { ...record, at: 0 }],
  ['a log without a head', { ...record, log: { length: 9 } }],
  ['a log of length 0', { ...record, log: { length: 0, head: hex('e') } }],
  ['a log that is a list', { ...record, log: [9, hex('e')] }],
];

test.each(damaged)('%s is damage', (_, value) => expect(parseRecord(JSON.stringify(value))).toBe('record-damaged'));

test.each([
  ['an empty file', ''],
  ['NUL bytes', '\0\0\0'],
  ['half a record', JSON.stringify(record).slice(0, 100)],
  ['two records', JSON.stringify(record).repeat(2)],
  ['YAML', 'state: accepted'],
])('%s is damage', (_, text) => expect(parseRecord(text)).toBe('record-damaged'));

test('a newer format is told apart from damage', () => {
  expect(parseRecord(JSON.stringify({ ...record, format: 2, more: [] }))).toBe('record-newer');
});
