/**
 * The number of a system user that a change is going to make, claimed from before anything is prepared for it until the user is there. It was chosen by whoever looked, and the
 * user is made minutes later: another installation could choose the same meanwhile, and its server would read what is prepared for this one, passwords included.
 *
 * Of two in one home the lock lets only one go on; it dies with its holder. Whoever comes later than that, and whoever else makes users here, is seen by looking again.
 */

import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { Account } from '../instance/state.ts';
import { homePaths } from '../release/layout.ts';
import { type Lock, tryLock } from '../system/lock.ts';
import { findGroup, findGroupById, findUser, findUserById } from '../system/users.ts';
import type { World } from '../system/world.ts';
import type { Plan } from './plan.ts';

/** Nothing where the plan makes no user. To be released behind the change. Throws 'refused-changed-meanwhile'. */
export const claimAccount = (world: World, home: string, plan: Plan, account: Account | null): { release(): void } => {
  if (account === null || plan.steps.every(({ step }) => step !== 'account')) return { release: () => {} };
  const lock = lockNumber(world, home, plan, account);
  if (!isOthers(account)) return lock;
  lock.release();
  throw takenMeanwhile(account, 'it has been given away');
};

/** By its number: no instance's lock begins with a digit. */
const lockNumber = (world: World, home: string, { kind }: Plan, account: Account): Lock => {
  const path = join(homePaths(home).locks, `${account.uid}.account.lock`);
  const startedAt = world.now().toISOString();
  const attempt = tryLock(path, { pid: world.pid, command: `assent ${kind}`, step: 'account', startedAt });
  if ('lock' in attempt) return attempt.lock;
  const by = attempt.heldBy === undefined ? '' : `, pid ${attempt.heldBy.pid}`;
  throw takenMeanwhile(account, `another installation${by} is going to give it to its own`);
};

/** Whether somebody else bears the number, or the name with another one. */
const isOthers = ({ name, uid, gid }: Account): boolean =>
  (findUser(name)?.uid ?? uid) !== uid ||
  (findGroup(name)?.gid ?? gid) !== gid ||
  (findUserById(uid)?.name ?? name) !== name ||
  (findGroupById(gid)?.name ?? name) !== name;

const takenMeanwhile = ({ name, uid }: Account, why: string): Failure =>
  new Failure(
    'refused-changed-meanwhile',
    `The number ${uid} was chosen for the system user ${name}, and ${why}.`,
    'Nothing was changed by this command. Type it again: it chooses another number once that one is given away.',
  );
