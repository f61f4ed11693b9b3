/** Which files of a configuration a running process was not started with: real files, and a real process. */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { untriedFiles } from '../../src/change/untried.ts';
import { instancePaths } from '../../src/instance/paths.ts';
import { identify, sleep } from '../../src/system/processes.ts';
import { realWorld } from '../../src/system/world.ts';
import type { InstanceName } from '../../src/values.ts';
import { sandbox } from '../support/sandbox.ts';

it('are those that were changed, made or removed since its start, and are not what Assent wrote', async () => {
  const paths = instancePaths(sandbox(), 'mail' as InstanceName);
  for (const folder of [paths.config, paths.configBase]) mkdirSync(join(folder, 'sub'), { recursive: true });
  const write = (file: string, text: string): void => writeFileSync(join(paths.config, file), text);
  for (const file of ['same', 'edited', 'dated', 'sub/removed', 'touched']) {
    writeFileSync(join(paths.configBase, file), 'ours');
    write(file, 'ours');
  }
  writeFileSync(join(paths.configBase, 'tried'), 'ours');
  write('tried', 'mine');
  await sleep(100);
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill());
  const started = identify(child.pid ?? 0);
  if (started === undefined) throw new Error('sleep does not run');
  await sleep(100);
  expect(untriedFiles(realWorld(), paths, started)).toEqual([]);

  write('edited', 'mine');
  write('own', 'mine');
  write('dated', 'mine');
  utimesSync(join(paths.config, 'dated'), 1, 1);
  write('touched', 'ours');
  rmSync(join(paths.config, 'sub/removed'));
  expect(untriedFiles(realWorld(), paths, started).sort()).toEqual(['dated', 'edited', 'own', 'sub/removed']);
});
