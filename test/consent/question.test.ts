/** When the question is put, and what is heard where it is not. */
import { expect, test } from 'vitest';
import { callerVetoes, hear, keyMeans, mayAsk, noteText, type Said } from '../../src/consent/question.ts';
import { isVeto } from '../../src/consent/veto.ts';
import { asNoticeId } from '../../src/values.ts';
import { sure } from './support.ts';

const id = sure(asNoticeId('n0123456789abcdef'));
const on = (noticeId?: string): Said => ({ say: 'on', by: 'flag', ...(noticeId === undefined ? {} : { noticeId }) });
const off: Said = { say: 'off', by: 'answers' };
const none = (reason: string, note: string | null) => ({ ask: false, answer: { say: 'none', reason }, note });

const cases: [string, Said | null, boolean, boolean, unknown][] = [
  ['a terminal, nothing said', null, true, false, { ask: true }],
  ['no terminal, nothing said', null, false, false, none('not-asked', 'nobody-asked')],
  [
    'off at a terminal skips the question',
    off,
    true,
    false,
    { ask: false, answer: { say: 'no', by: 'answers' }, note: null },
  ],
  ['off without a terminal', off, false, false, { ask: false, answer: { say: 'no', by: 'answers' }, note: null }],
  [
    'off under a veto is a no all the same',
    off,
    false,
    true,
    { ask: false, answer: { say: 'no', by: 'answers' }, note: null },
  ],
  [
    'on with the id',
    on(id),
    false,
    false,
    { ask: false, answer: { say: 'yes', by: 'flag', noticeId: id }, note: null },
  ],
  [
    'on with the id at a terminal',
    on(id),
    true,
    false,
    { ask: false, answer: { say: 'yes', by: 'flag', noticeId: id }, note: null },
  ],
  ['on without an id at a terminal gets the question', on(), true, false, { ask: true }],
  ['on with an old id at a terminal gets the question', on('n1111111111111111'), true, false, { ask: true }],
  ['on without an id', on(), false, false, none('notice-not-confirmed', 'notice-not-confirmed')],
  ['on with an old id', on('n1111111111111111'), false, false, none('notice-not-confirmed', 'notice-not-confirmed')],
  ['a veto at a terminal asks nothing', null, true, true, none('not-asked', 'vetoed')],
  ['a veto and an old id', on('n1111111111111111'), true, true, none('notice-not-confirmed', 'notice-not-confirmed')],
];

test.each(cases)('%s', (_, said, interactive, vetoed, heard) => {
  expect(hear(said, id, { interactive, vetoed })).toEqual(heard);
});

test('a product without telemetry asks nothing and takes no yes', () => {
  expect(hear(null, null, { interactive: true, vetoed: false })).toEqual(none('not-asked', null));
  expect(hear(on(id), null, { interactive: false, vetoed: false })).toEqual(none('not-asked', null));
  expect(hear(off, null, { interactive: false, vetoed: false })).toMatchObject({ answer: { say: 'no' } });
});

test('Enter is a no, p a preview; only y and n answer', () => {
  expect(['p', 'P'].map(keyMeans)).toEqual(['preview', 'preview']);
  expect(['y', 'Y'].map(keyMeans)).toEqual(['yes', 'yes']);
  expect(['n', 'N', '\r', '\n'].map(keyMeans)).toEqual(['no', 'no', 'no', 'no']);
  expect(['', ' ', 'j', '\t', '\u001b', 'yes', '1'].map(keyMeans)).toEqual(Array(7).fill('again'));
});

const reading = 'assent telemetry notice mail --to 3.0.0';

test('every note is one line, and the one about the notice says what to type', () => {
  for (const note of ['nobody-asked', 'vetoed', 'notice-not-confirmed'] as const)
    expect(noteText(note, id, reading)).not.toContain('\n');
  const told = noteText('notice-not-confirmed', id, reading);
  expect(told).toContain(`--telemetry-notice=${id}`);
  expect(told).toContain(`Read it with: ${reading}.`);
});

test('it is put only where both ends are a terminal and no CI is there', () => {
  const at = (stdin: boolean, stdout: boolean, CI?: string) =>
    mayAsk({ env: CI === undefined ? {} : { CI }, terminal: { stdin, stdout, stderr: true, columns: 80, rows: 24 } });
  expect(at(true, true)).toBe(true);
  expect([at(true, false), at(false, true), at(false, false)]).toEqual([false, false, false]);
  expect(['', '0', 'false', 'FALSE'].map((CI) => at(true, true, CI))).toEqual([true, true, true, true]);
  expect(['1', 'true', 'yes', 'woodpecker'].map((CI) => at(true, true, CI))).toEqual([false, false, false, false]);
});

test('DO_NOT_TRACK', () => {
  expect([undefined, null, '', '0', 'false', 'False', 'no', 'NO', 'off', 'oFF'].filter(isVeto)).toEqual([]);
  const vetoes = ['1', 'true', 'yes', 'on', '2', ' ', ' 0', 'nope', 'f', 'null', 'undefined', '-1', '00'];
  expect(vetoes.filter(isVeto)).toEqual(vetoes);
  expect(callerVetoes({ env: { DO_NOT_TRACK: '1' } })).toBe(true);
  expect(callerVetoes({ env: {} })).toBe(false);
});
