/** As whom commands of an installation run where root looks: never as root what another user may have put there. */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkOnce } from '../../src/service/health/checks.ts';
import { ownerFor, ownerOfShared } from '../../src/service/owner.ts';
import type { ServiceSpec } from '../../src/service/spec.ts';
import { skipped } from '../support/as-root.ts';
import { sandbox } from '../support/sandbox.ts';
import { makeService } from '../support/service.ts';

const stranger = { uid: 12_345, gid: 12_346 };
const account = { name: 'daemon', uid: 1, gid: 1, made: false };

/** Its only check is a command that wants to be run by the stranger. */
const serviceOf = (changes: Partial<ServiceSpec>): ServiceSpec => {
  const service = makeService(sandbox(), 1, 'web.mjs', []);
  writeFileSync(service.paths.state, '{}');
  mkdirSync(service.paths.data, { recursive: true });
  const check = { kind: 'command' as const, command: ['/usr/bin/id', '-u'], stdout: `^${stranger.uid}\\s*$` };
  return service.with({ health: { stableSeconds: 0, checks: [check] }, ...changes });
};

const giveAway = (path: string): void => chownSync(path, stranger.uid, stranger.gid);

test.skipIf(skipped)("a command check in another user's folder runs as that user", async () => {
  const spec = serviceOf({ account: null });
  giveAway(spec.paths.folder);
  expect((await checkOnce(spec)).checks).toMatchObject([{ ok: true }]);
});

test.skipIf(skipped)('a state file of another user names no account', () => {
  const spec = serviceOf({ account });
  expect(ownerFor(spec)).toEqual({ uid: 1, gid: 1 });
  giveAway(spec.paths.state);
  expect(ownerFor(spec)).toEqual(stranger);
});

test.skipIf(skipped)("what instances share is its owner's, and so is an instance without an account", () => {
  const spec = serviceOf({ account: null });
  expect([ownerFor(spec), ownerOfShared(spec.paths, 0)]).toEqual([undefined, undefined]);
  giveAway(spec.paths.home);
  expect([ownerFor(spec), ownerOfShared(spec.paths, 0)]).toEqual([stranger, stranger]);
  expect(ownerOfShared(spec.paths, 1000)).toBeUndefined();
});
