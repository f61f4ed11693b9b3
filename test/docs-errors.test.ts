/** docs/errors.md and src/errors.ts name the same codes with the same exit codes, and every code is thrown somewhere. */

import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { failureExits } from '../src/errors.ts';

const page = readFileSync('docs/errors.md', 'utf8');
const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (\d+) \|(.*)\|$/gm)].map(([, code = '', exit = '', rest = '']) => ({
  code,
  exit: Number(exit),
  cells: rest.split(/(?<!\\)\|/).map((cell) => cell.trim()),
}));

test('the page has every code of the program, in its order, with its exit code', () => {
  expect(rows.map(({ code, exit }) => [code, exit])).toEqual(Object.entries(failureExits));
});

test('every row says what happened, what state the machine is in, and what to do', () => {
  expect(rows.filter(({ cells }) => cells.length !== 3 || cells.some((cell) => cell === ''))).toEqual([]);
});

test('every code is thrown somewhere', () => {
  const source = globSync('src/**/*.ts')
    .filter((file) => file !== 'src/errors.ts')
    .map((file) => readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, ''))
    .join('\n');
  // Made by `new Failure('code', ...)`, or handed to a function that makes one: then it still stands there as a literal of code.
  const thrown = Object.keys(failureExits).filter((code) => new RegExp(`new Failure\\(\\s*'${code}'`).test(source));
  const handed = Object.keys(failureExits).filter((code) => !thrown.includes(code) && source.includes(`'${code}'`));
  expect(thrown.length).toBeGreaterThan(25);
  expect([...thrown, ...handed].sort()).toEqual(Object.keys(failureExits).sort());
});
