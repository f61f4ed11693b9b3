import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { sandbox } from '../support/sandbox.ts';

const module = new URL('../../src/change/explained.ts', import.meta.url).href;

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
