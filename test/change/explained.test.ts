import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { explained } from '../../src/change/explained.ts';
import { LeftBehind } from '../../src/change/left-behind.ts';
import { withTinyDisk } from '../support/mounts.ts';
import { isRoot, sandbox } from '../support/sandbox.ts';

const module = new URL('../../src/change/explained.ts', import.meta.url).href;

it('on a full disk the disk is named, but not for what a person has to decide', ({ skip }) => {
  if (!isRoot) skip('a disk of its own needs root');
  withTinyDisk(skip, (folder) => {
    expect(() => writeFileSync(join(folder, 'full'), Buffer.alloc(2_000_000))).toThrow(/ENOSPC/);
    expect(explained({ paths: { folder } }, new Error('it failed'))).toMatchObject({
      message: expect.stringContaining(`The disk is full: ${folder}`),
    });
    const left = new LeftBehind('mail would be left behind');
    expect(explained({ paths: { folder } }, left)).toBe(left);
  });
});

it('a failed step is explained, and so undone, also by a process that can open nothing more', () => {
  const code = `
    const { explained } = await import(${JSON.stringify(module)});
    const { openSync } = await import('node:fs');
    const error = new Error('the step failed');
    try { for (;;) openSync('/dev/null'); } catch ({ code }) { console.log(code); }
    console.log(explained({ paths: { folder: ${JSON.stringify(sandbox())} } }, error) === error);`;
  const command = ['-c', 'ulimit -n 200; exec "$0" --input-type=module -e "$1"', process.execPath, code];
  const { stdout, stderr } = spawnSync('sh', command, { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toBe('EMFILE\ntrue\n');
});
