/** The step that makes the system user, where somebody else makes its group meanwhile. As root alone, with names that nobody has. */
import { spawnSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import type { ChangeContext } from '../../src/change/context.ts';
import { accountStep } from '../../src/change/steps/account.ts';
import { findFreeId, findGroup } from '../../src/system/users.ts';
import { findAccount, forgetAccount, isGroup, skipped } from '../support/as-root.ts';
import { eventually } from '../support/service.ts';

const contextFor = (name: string): ChangeContext => {
  onTestFinished(() => forgetAccount(name));
  const id = findFreeId([]);
  return { account: { name, uid: id, gid: id, made: true }, opening: { before: null } } as unknown as ChangeContext;
};

/** With another number than the account's. Others make users at the same time, who may take the number or hold the lock. */
const made = (words: (id: string) => string[], { account }: ChangeContext): Promise<void> =>
  eventually(() => {
    const [command = '', ...rest] = words(String(findFreeId([account?.gid ?? 0])));
    expect(spawnSync(command, rest).status).toBe(0);
  });

test.skipIf(skipped)(
  'user and group are made together and removed together, and a step that was killed is repeated',
  async () => {
    const name = `assent-t${process.pid}a`;
    const ctx = contextFor(name);
    spawnSync('groupadd', ['--system', '--gid', String(ctx.account?.gid), name]);
    await accountStep.do(ctx);
    await accountStep.do(ctx);
    expect(findAccount(name)).toEqual({ name, uid: ctx.account?.uid, gid: ctx.account?.gid });
    await accountStep.undo(ctx);
    await accountStep.undo(ctx);
    expect({ user: findAccount(name), group: isGroup(name) }).toEqual({ user: undefined, group: false });
  },
);

test.skipIf(skipped)('a group that somebody else has made is neither used nor deleted', async () => {
  const name = `assent-t${process.pid}b`;
  const ctx = contextFor(name);
  await made((id) => ['groupadd', '--system', '--gid', id, name], ctx);
  const group = findGroup(name);
  await expect(accountStep.do(ctx)).rejects.toThrow(`the group ${name} is there with another number: ${group?.gid}`);
  await accountStep.undo(ctx);
  expect(findGroup(name)).toEqual(group);
  expect(findAccount(name)).toBeUndefined();
});

test.skipIf(skipped)('nor a user', async () => {
  const name = `assent-t${process.pid}c`;
  const ctx = contextFor(name);
  await made((id) => ['useradd', '--system', '--uid', id, '--no-create-home', name], ctx);
  const user = findAccount(name);
  await expect(accountStep.do(ctx)).rejects.toThrow(/is there with another number/);
  await accountStep.undo(ctx);
  expect(findAccount(name)).toEqual(user);
});
