import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isTerminal } from '../../src/system/terminal.ts';

it.each([
  ['/dev/ptmx', true],
  ['/dev/null', false],
  ['/dev/zero', false],
  ['/proc/self/stat', false],
])('%s is a terminal: %s', (path, expected) => {
  const descriptor = openSync(path, 'r');
  expect(isTerminal(descriptor)).toBe(expected);
  closeSync(descriptor);
});

it('a descriptor that is closed is none', () => {
  expect(isTerminal(987)).toBe(false);
});

it("says so of /dev/null without loading Node's terminal module, which is slow", () => {
  const module = join(import.meta.dirname, '../../src/system/terminal.ts');
  const code = `const { isTerminal } = await import(${JSON.stringify(module)});
    const told = [0, 1, 2].map(isTerminal);
    process.exit(told.includes(true) || process.moduleLoadList.includes('NativeModule tty') ? 1 : 0);`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' });
  expect(status).toBe(0);
});
