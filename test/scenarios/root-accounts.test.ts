/**
 * As root: which system user a first installation gets. Skipped, with the reason printed, where the tests do not run as root.
 */

import { chmodSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRootStage, type RootStage, skipped } from '../support/as-root.ts';
import type { Document, Run } from '../support/scenario.ts';
import { set } from '../support/steps.ts';

let stage: RootStage;
beforeAll(async () => {
  if (!skipped) stage = await makeRootStage('n');
});
afterAll(async () => {
  if (!skipped) await stage.close();
});

/** Of an installation under that name, which changes nothing. */
const planFor = (name: string, ...more: string[]): Promise<Run & { readonly document: Document }> => {
  const { product, ports, world } = stage;
  const words = ['install', `${product}@2.2.1`, '--name', name, '--supervisor', 'process', ...set(ports)];
  return world.json([...words, '--yes', '--dry-run', ...more]);
};

const userIn = (document: Document): string | undefined =>
  /make the system user ([a-z0-9_-]+)/.exec(JSON.stringify(document.plan))?.[1];

describe.skipIf(skipped)('a first installation of root', () => {
  it('has a system user of its own, however long its name is', async () => {
    const users = [];
    for (const end of ['one', 'two']) {
      const name = `${stage.name}${'-long'.repeat(5)}-`.slice(0, 26) + end;
      const { exit, document } = await planFor(name);
      expect(exit).toBe(0);
      users.push(userIn(document));
    }
    expect(users[0]).not.toBe(users[1]);
    for (const user of users) expect(user).toMatch(/^assent-.{15}_[0-9a-f]{8}$/);
  });

  it('is refused in a home that this user may not enter, which stays closed', async () => {
    const { home } = stage.world;
    chmodSync(home, 0o700);
    const closed = await planFor(stage.name);
    expect(closed).toMatchObject({ exit: 3, document: { error: { code: 'refused-check' } } });
    expect(closed.document.error.message).toContain(`${home} is closed to ${stage.userName}`);
    const inside = await planFor(stage.name, '--home', join(home, 'not', 'there'));
    expect(inside.document.error?.message).toContain(`${home} is closed to ${stage.userName}`);
    expect(lstatSync(home).mode & 0o7777).toBe(0o700);
    expect(/chmod o\+x \S+/.exec(closed.document.error.advice)?.[0]).toBe(`chmod o+x ${home}.`);
    chmodSync(home, 0o701);
    expect(await planFor(stage.name)).toMatchObject({ exit: 0 });
  });
});
