import { expect, test } from 'vitest';
import { refusedBySystem } from '../../src/cli/refused.ts';
import { messageOf } from '../../src/errors.ts';

const systemError = (code: string, path?: string): Error => Object.assign(new Error(code), { code, path });

test.each([
  ['EACCES', 'refused-permission'],
  ['EROFS', 'refused-permission'],
  ['ENOSPC', 'refused-space'],
  // As Node names EDQUOT.
  ['Unknown system error -122', 'refused-space'],
  ['EIO', 'refused-check'],
  ['EMFILE', 'refused-check'],
  ['ENFILE', 'refused-check'],
])('%s of the system is no bug of ours but %s, and names the place', (error, code) => {
  const failure = refusedBySystem(systemError(error, '/some/where'));
  expect(failure).toMatchObject({ code, exit: 3 });
  expect(failure?.message).toContain('/some/where');
  expect(failure?.advice).not.toBe('');
});

test('a quota that is used up has its name, whatever Node calls it', () => {
  const asNodeHasIt = [
    Object.assign(new Error('UNKNOWN: unknown error, write'), { code: 'UNKNOWN', errno: -122 }),
    Object.assign(new Error('Unknown system error -122: Unknown system error -122, fsync'), { errno: -122 }),
  ];
  for (const error of asNodeHasIt) expect(messageOf(error)).toMatch(/^EDQUOT: disk quota exceeded, (write|fsync)$/);
  expect(refusedBySystem(asNodeHasIt[0])).toMatchObject({ code: 'refused-space' });
  const other = Object.assign(new Error('UNKNOWN: unknown error, write'), { code: 'UNKNOWN', errno: -4094 });
  expect(messageOf(other)).toBe('UNKNOWN: unknown error, write');
  expect(refusedBySystem(other)).toBeUndefined();
});

test('what the system does not say is a bug of ours', () => {
  expect(refusedBySystem(systemError('ENOENT'))).toBeUndefined();
  expect(refusedBySystem(new Error('no code'))).toBeUndefined();
});
