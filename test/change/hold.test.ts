import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { holdBetweenChanges, holdInstance, refuseForeign } from '../../src/change/hold.ts';
import { instancePaths } from '../../src/instance/paths.ts';
import { unfinished, writeLine } from '../../src/instance/unfinished.ts';
import { realWorld } from '../../src/system/world.ts';
import type { InstanceName } from '../../src/values.ts';
import { sandbox } from '../support/sandbox.ts';

const world = realWorld();
const stranger = { ...world, user: { ...world.user, uid: world.user.uid + 1 } };

test("nobody changes another user's instance, and no lock is left for trying", () => {
  const paths = instancePaths(sandbox(), 'mail' as InstanceName);
  refuseForeign(stranger, paths);
  mkdirSync(paths.folder, { recursive: true });
  const refused = expect.objectContaining({ code: 'refused-permission', exit: 3 });
  expect(() => refuseForeign(stranger, paths)).toThrow(refused);
  expect(() => holdInstance(stranger, paths, 'upgrade')).toThrow(refused);
  holdInstance(world, paths, 'upgrade').release();
});

test('one at a time, and the other is told who holds it at which step', () => {
  const paths = instancePaths(sandbox(), 'mail' as InstanceName);
  const hold = holdInstance(world, paths, 'upgrade');
  expect(() => holdInstance(world, paths, 'rollback')).toThrow(
    new RegExp(`pid ${world.pid}, "assent upgrade", at step "start"`),
  );
  hold.release();
  holdInstance(world, paths, 'rollback').release();
});

test('what is done beside changes waits until nobody holds the instance, and others then find it held', async () => {
  const paths = instancePaths(sandbox(), 'mail' as InstanceName);
  const change = holdInstance(world, paths, 'upgrade');
  const beside = holdBetweenChanges(world, paths, 'telemetry off', 60_000);
  setTimeout(() => change.release(), 200);
  const hold = await beside;
  expect(hold).toBeDefined();
  expect(() => holdInstance(world, paths, 'upgrade')).toThrow(/"assent telemetry off"/);
  hold?.release();
  holdInstance(world, paths, 'upgrade').release();
});

test('it is left to the change where one goes on, is interrupted, or is not ours', async () => {
  const paths = instancePaths(sandbox(), 'mail' as InstanceName);
  const change = holdInstance(world, paths, 'upgrade');
  expect(await holdBetweenChanges(world, paths, 'telemetry off', 100)).toBeUndefined();
  change.release();

  mkdirSync(paths.journal, { recursive: true });
  // At once, however patient.
  expect(await holdBetweenChanges(stranger, paths, 'telemetry off', 3_600_000)).toBeUndefined();
  const line = { entry: 'open', at: world.now().toISOString(), kind: 'upgrade', process: null };
  writeFileSync(paths.openJournal, writeLine(line));
  expect(unfinished(paths)).toMatchObject({ kind: 'upgrade', running: false });
  expect(await holdBetweenChanges(world, paths, 'telemetry off', 60_000)).toBeUndefined();
  // And nobody is kept out by it.
  holdInstance(world, paths, 'recover').release();
});
