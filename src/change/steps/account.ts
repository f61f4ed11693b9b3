/**
 * The system user that a server runs as where we are root: without a shell, a home or a password. The plan has chosen its
 * number, so that everything can be prepared for it. User and group of its name are made together, where neither was there, so what bears that number is
 * ours: an undo removes the user only if this change made it, and never a group that somebody else has.
 */

import type { Account } from '../../instance/state.ts';
import { run } from '../../system/processes.ts';
import { findGroup, findUser } from '../../system/users.ts';
import type { StepWork } from './table.ts';

export const accountStep: StepWork = {
  do: async ({ account }) => {
    if (account === null) return;
    const found = findUser(account.name);
    if (found?.uid === account.uid) return;
    if (found !== undefined) throw new Error(`the user ${account.name} is there with another number: ${found.uid}`);
    await ensureGroup(account);
    await mustRun([
      ...['useradd', '--system', '--uid', String(account.uid), '--gid', String(account.gid)],
      ...['--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin', account.name],
    ]);
  },
  undo: async ({ account, opening }) => {
    const wasThere = opening.before?.account?.name === account?.name;
    if (account?.made && !wasThere) await removeAccount(account);
  },
};

/** It may be there from a run that was killed right behind it; anybody else's has another number. */
const ensureGroup = async ({ name, gid }: Account): Promise<void> => {
  const found = findGroup(name);
  if (found === undefined) await mustRun(['groupadd', '--system', '--gid', String(gid), name]);
  else if (found.gid !== gid) throw new Error(`the group ${name} is there with another number: ${found.gid}`);
};

/**
 * Removes the user and the group of its name, where they have the numbers that were chosen for them. No error where they are gone; kept where an instance
 * of another home still runs as that user.
 */
export const removeAccount = async ({ name, uid, gid }: Account): Promise<void> => {
  if (findUser(name)?.uid === uid && (await mustRun(['userdel', name], inUse)) === inUse) return;
  if (findGroup(name)?.gid === gid) await mustRun(['groupdel', name], noSuchGroup);
};

/** Exit codes of the passwd suite. */
const inUse = 8;
const noSuchGroup = 6;

/** Runs a command of the passwd suite; `fine` is an exit code that is no failure. Gives the exit code. */
const mustRun = async (command: string[], fine = 0): Promise<number> => {
  const { code, stderr } = await run(command);
  if (code === 0 || code === fine) return code;
  throw new Error(`${command.join(' ')}: ${stderr.trim()}`);
};
