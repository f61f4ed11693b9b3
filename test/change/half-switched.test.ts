/**
 * Killed between the two renames that switch the data: what was there lies in the backup, and what comes next beside its place. Whoever then goes on forward (`recover --finish`)
 * copies nothing, looks at nothing that has moved, and renames the rest. Found by the attack `kill-recover`.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ChangeContext } from '../../src/change/context.ts';
import { dataStep, secondCopyStep } from '../../src/change/steps/parts.ts';
import { instancePaths } from '../../src/instance/paths.ts';
import { realWorld } from '../../src/system/world.ts';
import type { InstanceName } from '../../src/values.ts';
import { sandbox } from '../support/sandbox.ts';

const backup = '000002-upgrade';
const folders = { kept: `backups/${backup}/data`, next: 'data.next', data: 'data' };

/** A change, by default to another release, of an instance in which these folders are there, each with a file that names it. */
const half = (there: (keyof typeof folders)[], more: object = {}) => {
  const paths = instancePaths(sandbox(), 'mail' as InstanceName);
  for (const each of there) {
    mkdirSync(join(paths.folder, folders[each]), { recursive: true });
    writeFileSync(join(paths.folder, folders[each], 'mail'), each);
  }
  const opening = {
    backup,
    found: { parts: ['data'] },
    before: {},
    after: {},
    plan: { steps: [{ step: 'second-copy' }] },
  };
  const ctx = {
    paths,
    account: null,
    world: realWorld(),
    opening: { ...opening, ...more },
  } as unknown as ChangeContext;
  const mailIn = (folder: string): string => readFileSync(join(paths.folder, folder, 'mail'), 'utf8');
  return { ctx, paths, mailIn };
};

/** What a trial's rollback looks for is what was written to data that stay behind. */
const ofTrial = {
  before: { trial: { since: '2026-01-01T00:00:00.000Z' } },
  after: { failedTrial: {}, release: { version: '2.2.1' } },
  plan: { steps: [] },
};

test.each([
  ['a change', {}],
  ['the rollback of a failed trial', ofTrial],
])('%s is finished from there, and undone from there', async (_, more) => {
  const forward = half(['kept', 'next'], more);
  await secondCopyStep.do(forward.ctx);
  expect(forward.mailIn('data.next')).toBe('next');
  await dataStep.do(forward.ctx);
  expect(forward.mailIn('data')).toBe('next');
  expect(forward.mailIn(folders.kept)).toBe('kept');
  expect(readdirSync(forward.paths.folder).sort()).toEqual(['backups', 'data']);

  const back = half(['kept', 'next'], more);
  await dataStep.undo(back.ctx);
  await secondCopyStep.undo(back.ctx);
  expect(back.mailIn('data')).toBe('kept');
  expect(readdirSync(back.paths.folder).sort()).toEqual(['backups', 'data']);
});

test('where somebody has made the data folder anew nothing is taken for what was there before: it stops, touches nothing, and goes on once that is moved away', async () => {
  const { ctx, paths, mailIn } = half(['kept', 'next', 'data']);
  await expect(dataStep.do(ctx)).rejects.toThrow('are all there');
  await expect(dataStep.undo(ctx)).rejects.toThrow(/data and .*000002-upgrade\/data are both there/);
  expect(['data', 'data.next', folders.kept].map(mailIn)).toEqual(['data', 'next', 'kept']);
  rmSync(paths.data, { recursive: true });
  await dataStep.undo(ctx);
  expect(mailIn('data')).toBe('kept');
});

test('data that are only not there are no switch that has begun: a copy of them fails, and so does the look at what would be left behind', async () => {
  await expect(secondCopyStep.do(half(['next']).ctx)).rejects.toThrow('ENOENT');
  await expect(dataStep.do(half(['next'], ofTrial).ctx)).rejects.toThrow('ENOENT');
});

test('before the switch the copy gets what has changed, and a trial is held against what was written', async () => {
  const { ctx, mailIn } = half(['data', 'next']);
  await secondCopyStep.do(ctx);
  expect(mailIn('data.next')).toBe('data');
  const trial = half(['data', 'next'], ofTrial);
  await expect(dataStep.do(trial.ctx)).rejects.toThrow('would be left behind');
  expect(trial.mailIn('data')).toBe('data');
});
