import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { holdInstance, refuseForeign } from '../../src/change/hold.ts';
import { instancePaths } from '../../src/instance/paths.ts';
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
