/**
 * The system user that a server runs as where we are root: without a shell, a home or a password. The plan has chosen its
 * number, so that everything can be prepared for it; an undo removes the user only if this change made it.
 */

import { run } from '../../system/processes.ts';
import { findUser } from '../../system/users.ts';
import type { StepWork } from './table.ts';

export const accountStep: StepWork = {
  do: async ({ account }) => {
    if (account === null) return;
    const found = findUser(account.name);
    if (found?.uid === account.uid) return;
    if (found !== undefined) throw new Error(`the user ${account.name} is there with another number: ${found.uid}`);
    await mustRun(['groupadd', '--system', '--gid', String(account.gid), account.name], 9);
    await mustRun([
      ...['useradd', '--system', '--uid', String(account.uid), '--gid', String(account.gid)],
      ...['--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin', account.name],
    ]);
  },
  undo: async ({ account, opening }) => {
    const wasThere = opening.before?.account?.name === account?.name;
    if (account?.made && !wasThere) await removeAccount(account.name);
  },
};

/** Removes the user and the group of its name. No error where they are gone; kept where an instance of another home still runs as that user. */
export const removeAccount = async (name: string): Promise<void> => {
  if (findUser(name) !== undefined && (await mustRun(['userdel', name], inUse)) === inUse) return;
  await mustRun(['groupdel', name], noSuchGroup);
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
