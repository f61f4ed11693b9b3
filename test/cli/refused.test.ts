import { expect, test } from 'vitest';
import { refusedBySystem } from '../../src/cli/refused.ts';

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

test('what the system does not say is a bug of ours', () => {
  expect(refusedBySystem(systemError('ENOENT'))).toBeUndefined();
  expect(refusedBySystem(new Error('no code'))).toBeUndefined();
});
