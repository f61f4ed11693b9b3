/** `telemetry off` that fails in the end: the document tells what was done all the same. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { conduct, type Home, makeHome } from '../consent/support.ts';
import { withTinyDisk } from '../support/mounts.ts';
import { realCommand } from '../support/real-command.ts';
import { isRoot, sandbox } from '../support/sandbox.ts';

const nobody = 65534;

const acceptedHome = async (folder: string, name = 'mail'): Promise<Home> => {
  mkdirSync(folder, { recursive: true });
  const home = makeHome(folder, { name });
  await conduct(home, { change: 'install', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
  return home;
};

const off = (home: string, words: readonly string[], uid?: number) =>
  realCommand(home, ['telemetry', 'off', ...words], { now: new Date(), ...(uid === undefined ? {} : { uid }) }).ended;

test('in a folder that can not be written to it has failed, and has changed something: the log has the withdrawal', async ({
  skip,
}) => {
  if (!isRoot) skip('needs a second user');
  const { paths, folder } = await acceptedHome(join(sandbox(), 'home'));
  const other = await acceptedHome(folder, 'other');
  spawnSync('chown', ['-R', `${nobody}:${nobody}`, folder]);
  chmodSync(paths.folder, 0o555);
  const { exit, document } = await off(folder, ['mail'], nobody);
  expect({ exit, ...document }).toMatchObject({
    exit: 7,
    ok: false,
    outcome: 'failed',
    changed: true,
    instance: { name: 'mail', version: '2.2.1' },
    consent: { collecting: false },
    error: { code: 'withdrawal-not-recorded' },
  });
  const all = await off(folder, ['--all'], nobody);
  expect(all).toMatchObject({ exit: 7, document: { outcome: 'failed', changed: true } });
  expect(all.document.instances).toEqual([
    expect.objectContaining({ name: 'mail', consent: expect.objectContaining({ state: 'invalid' }) }),
    expect.objectContaining({ name: other.paths.name, consent: expect.objectContaining({ state: 'withdrawn' }) }),
  ]);
});

test('on a read-only disk it has failed, and has changed nothing', async ({ skip }) => {
  if (!isRoot) skip('remounting needs root');
  await withTinyDisk(skip, async (disk) => {
    const { folder } = await acceptedHome(join(disk, 'home'));
    if (spawnSync('mount', ['-o', 'remount,ro', disk]).status !== 0) skip('remounting is not possible here');
    const { exit, document } = await off(folder, ['mail']);
    expect({ exit, ...document }).toMatchObject({
      exit: 7,
      outcome: 'failed',
      changed: false,
      instance: { name: 'mail' },
      consent: { state: 'accepted', collecting: true },
    });
  });
});
