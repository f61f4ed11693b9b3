/** `telemetry off` that fails in the end: the document tells what was done all the same. */
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { homeWith } from '../consent/homes.ts';
import { withTinyDisk } from '../support/mounts.ts';
import { realCommand } from '../support/real-command.ts';
import { isRoot, sandbox } from '../support/sandbox.ts';

const nobody = 65534;

const off = (home: string, words: readonly string[], uid?: number) =>
  realCommand(home, ['telemetry', 'off', ...words], { now: new Date(), ...(uid === undefined ? {} : { uid }) }).ended;

test('in a folder that can not be written to it has failed, and has changed something: the log has the withdrawal', async ({
  skip,
}) => {
  if (!isRoot) skip('needs a second user');
  const { paths, folder } = await homeWith('yes', { folder: join(sandbox(), 'home') });
  const other = await homeWith('yes', { folder, name: 'other' });
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
    const { folder } = await homeWith('yes', { folder: join(disk, 'home') });
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
