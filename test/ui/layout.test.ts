import { describe, expect, it } from 'vitest';
import {
  amount,
  cut,
  duration,
  fittedTable,
  fitting,
  labelled,
  paragraph,
  printable,
  several,
  table,
  widthOf,
  withCommand,
  withoutMiddle,
  wrap,
} from '../../src/ui/layout.ts';

describe('wrap', () => {
  it('breaks at spaces and keeps longer words whole', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('see /a/very/long/path here', 8)).toEqual(['see', '/a/very/long/path', 'here']);
    expect(wrap('two\nlines', 80)).toEqual(['two', 'lines']);
  });

  it('does not count colour codes', () => {
    expect(wrap('\u001b[1mone\u001b[22m two', 7)).toEqual(['\u001b[1mone\u001b[22m two']);
  });
});

it('cut takes the width of the sign for more into account', () => {
  expect(cut('abcdef', 6, '...')).toBe('abcdef');
  expect(cut('abcdefg', 6, '...')).toBe('abc...');
  expect(cut('abcdefg', 2, '...')).toBe('ab');
});

it('withoutMiddle keeps both ends', () => {
  expect(withoutMiddle('abcdef', 6, '…')).toBe('abcdef');
  expect(withoutMiddle('abcdefgh', 6, '…')).toBe('ab…fgh');
  expect(withoutMiddle('abcdefgh', 6, '...')).toBe('a...gh');
});

it('labelled hangs what is wrapped', () => {
  expect(labelled('web', 'aaaaaaaaaa bbbbbbbbbb cccccccc', { indent: 2, label: 6, columns: 30 })).toEqual([
    '  web   aaaaaaaaaa bbbbbbbbbb',
    '        cccccccc',
  ]);
});

it('paragraph indents every line', () => {
  expect(paragraph('aaaaaaaaaa bbbbbbbbbb cccc', { indent: 2, columns: 25 })).toEqual([
    '  aaaaaaaaaa bbbbbbbbbb',
    '  cccc',
  ]);
});

it('fitting takes the first layout that fits, and the last one where none does', () => {
  const layouts = [() => ['a b c'], () => ['a b', 'c'], () => ['a', 'b', 'c']] as const;
  expect([5, 4, 2, 0].map((columns) => fitting(columns, ...layouts).length)).toEqual([1, 2, 3, 3]);
});

it('withCommand never breaks the command', () => {
  expect(withCommand('Then:', 'assent status', 19)).toEqual(['Then: assent status']);
  expect(withCommand('Then:', 'assent status', 18)).toEqual(['Then:', '  assent status']);
  expect(withCommand('And then:', 'assent status', 8)).toEqual(['And', 'then:', '  assent status']);
});

it('fittedTable wraps one column to what the others leave', () => {
  const rows = [
    ['one', 'a title of words', 'end'],
    ['two', 'short', ''],
  ];
  expect(fittedTable(rows, { indent: 2, columns: 40, wrapped: 1 })).toEqual(table(rows));
  expect(fittedTable(rows, { indent: 2, columns: 20, wrapped: 1 })).toEqual([
    '  one  a title   end',
    '       of words',
    '  two  short',
  ]);
});

it('table aligns by what is seen', () => {
  expect(
    table([
      ['\u001b[2mA\u001b[22m', 'B'],
      ['long', 'C'],
    ]),
  ).toEqual(['  \u001b[2mA\u001b[22m     B', '  long  C']);
  expect(widthOf('\u001b[36m✔\u001b[39m')).toBe(1);
});

it('printable keeps no character that could move the cursor', () => {
  expect(printable('a\u001b[2Jb\u0007c\rd\te\nf\u009b2Jg')).toMatch(/^abcd {2}e\nf.*g$/);
  expect(printable('x\u001b]0;title\u0007y\u0085').replace('\n', '')).not.toMatch(/\p{Cc}/u);
});

it('one of a thing is not many', () => {
  expect([0, 1, 2].map((count) => several(count, 'release'))).toEqual(['0 releases', '1 release', '2 releases']);
});

it('amounts and durations have two digits or more, and their unit', () => {
  expect([0, 999, 1000, 8_140_000, 31_000_000, 999_600_000, 2_400_000_000].map(amount)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '8.1 MB',
    '31 MB',
    '1.0 GB',
    '2.4 GB',
  ]);
  expect([40, 400, 9960, 64_000, 125_000].map(duration)).toEqual(['0.0 s', '0.4 s', '10 s', '64 s', '2 min 5 s']);
});
