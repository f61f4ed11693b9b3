/** The home's folders: what is made, and what is left as it is. */
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeHome } from '../../src/release/layout.ts';
import { sandbox } from '../support/sandbox.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o7777;

test.each([0o700, 0o1777, 0o2750])('a home that is there keeps its mode: %o', (mode) => {
  const home = join(sandbox(), 'home');
  mkdirSync(home);
  chmodSync(home, mode);
  const { releases, cache } = makeHome(home);
  makeHome(home);
  expect([home, releases, cache].map(modeOf)).toEqual([mode, 0o755, 0o700]);
});

test('one that is made is open to all, for servers run from it', () => {
  const home = join(sandbox(), 'new', 'home');
  makeHome(home);
  expect(modeOf(home)).toBe(0o755);
});
