/**
 * Before the first test, unless ASSENT_TEST_PROGRAM names another program already: dist/ is what the source says, so that tests of the real command never run an older one. And a folder for the
 * copy of the program that scenarios run (program-copy.ts), removed after the last test.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function setup(): () => void {
  if (process.env.ASSENT_TEST_PROGRAM !== undefined) return () => undefined;
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.mjs', '--if-stale'], { encoding: 'utf8' });
  if (status !== 0)
    console.error(`The program could not be built; tests of the command use the build before.\n${stderr}`);
  const folder = mkdtempSync(join(tmpdir(), 'assent-program-'));
  chmodSync(folder, 0o755);
  process.env.ASSENT_TEST_PROGRAM = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
