/**
 * Going on with a change that was interrupted: which way it can go, what has to stand still first, and then the transaction again, forward or backward.
 */

import { Failure, messageOf } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { ensureProgram } from '../release/program.ts';
import type { ChangeContext } from './context.ts';
import { contextOf } from './context.ts';
import type { Journal } from './journal.ts';
import { appendEntry, closeJournal, readJournal } from './journal.ts';
import type { Ports } from './request.ts';
import { startMeant } from './start-meant.ts';
import { steps } from './steps/table.ts';
import { backward, forward, type LastAct } from './transaction.ts';
import { putBackWarning, stuckFailure } from './undone.ts';

/** Ends an interrupted change, and starts a server that is meant to run then and is down. */
export const recoverChange = async (
  ports: Ports,
  paths: InstancePaths,
  asked: 'finish' | 'undo' | undefined,
): Promise<void> => {
  const journal = readJournal(paths);
  if (journal === undefined) throw new Error('no change is open');
  const { opening, closed } = journal;
  const towards = directionOf(journal, asked);
  if (closed) closeJournal(ports.world, paths, towards === 'undo' ? 'undone' : 'finished');
  else await resume(ports, paths, journal, towards);
  // systemd starts no server whose change is open.
  const isLate = closed || opening.after.supervisor === 'systemd';
  if (isLate && (towards === 'finish' || opening.found.running)) await startMeant(ports, paths);
};

const resume = async (
  ports: Ports,
  paths: InstancePaths,
  journal: Journal,
  towards: 'finish' | 'undo',
): Promise<void> => {
  await haveProgram(ports);
  const { opening } = journal;
  const mayLack = towards === 'undo' || journal.committed;
  const ctx = contextOf(ports.world, paths, opening, ports.events, { mayLack });
  appendEntry(ports.world, paths, { entry: 'resume', towards });
  await quieten(ctx, journal, towards);
  const last: LastAct = async (outcome) => {
    const isMeant = outcome === 'finished' || opening.found.running;
    if (isMeant && opening.after.supervisor === 'process') await startMeant(ports, paths);
  };
  if (towards === 'finish') await forward(ctx, last);
  else await backward(ctx, new Error('the change was interrupted'), last);
  const warning = putBackWarning(ctx);
  if (warning !== undefined) ctx.events.warn(warning);
};

/**
 * Whoever boots the machine between crash and recovery may have started the server of before, on data that are being switched. It is stopped
 * (an undo starts it again) until its data are where they belong.
 */
const quieten = async (ctx: ChangeContext, journal: Journal, towards: 'finish' | 'undo'): Promise<void> => {
  const { begun, undone, done, committed } = journal;
  const { specBefore, supervisor } = ctx;
  const isDown = (begun.has('stop') || begun.has('data')) && !undone.has('stop');
  const isNew = begun.has('start') && !undone.has('start');
  if (specBefore === null || !isDown || isNew || committed) return;
  try {
    await supervisor.stop(specBefore);
    // What it has written then, the copy does not have.
    if (towards === 'finish' && done.has('second-copy')) await steps['second-copy'].do(ctx);
  } catch (error) {
    throw stuckFailure(ctx, undefined, new Error('it was interrupted'), error);
  }
};

/** What is started again runs below this Assent, which need not be the one that began the change. A unit may do without; so its lack is only told. */
const haveProgram = async ({ world, home, events }: Ports): Promise<void> => {
  try {
    await ensureProgram(world, home);
  } catch (error) {
    events.note(`No copy of Assent for what outlives this command: ${messageOf(error)}`);
  }
};

/** Which way an open change can go: forward only behind its commit, backward only once an undo has begun. */
const directionOf = (journal: Journal, asked: 'finish' | 'undo' | undefined): 'finish' | 'undo' => {
  if (journal.committed && !journal.undoing && asked === 'undo') {
    throw new Failure(
      'usage-option',
      'The change had already been committed when it was interrupted: it can only be finished.',
      'Finish it with: assent recover --finish. To go back to the release before: assent rollback.',
    );
  }
  if (journal.undoing && asked === 'finish') {
    throw new Failure(
      'usage-option',
      'The change was being undone when it was interrupted: it can only be undone.',
      'End it with: assent recover --undo. Then start the change anew.',
    );
  }
  if (journal.undoing) return 'undo';
  return asked ?? (journal.committed ? 'finish' : 'undo');
};
