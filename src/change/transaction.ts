/**
 * The transaction: does the steps of an opened change forward, or undoes them backward, each written down before it is done.
 *
 * Invariants. Nothing of a change is done before its opening entry is durable. A step is begun at most once forward after the last
 * undo entry; every begun step is undone, in reverse order, before an undo is closed. After `commit` there is only
 * forward, after `undo` only backward. So `recover` ends in the old or the new state, and repeating it changes nothing.
 *
 * A signal is looked at between steps: the step under way is finished, then everything is undone. Behind the commit none ends anything.
 */

import { Failure, messageOf } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { ensureRecoveryCopy } from '../instance/recovery-copy.ts';
import { ensureProgram } from '../release/program.ts';
import { installBootRecovery, removeBootRecovery } from '../service/acting.ts';
import { hearSignals, onEndingSignal, toTheEnd } from '../system/signals.ts';
import { tidyUp, tidyUpAfterUndo } from './after.ts';
import type { ChangeContext } from './context.ts';
import { contextOf } from './context.ts';
import { explained } from './explained.ts';
import type { Journal, Opening } from './journal.ts';
import { appendEntry, closeJournal, openJournal, readJournal } from './journal.ts';
import type { AfterStepKind, ChangeStepKind, Step } from './plan.ts';
import { endTrial } from './put-on-trial.ts';
import type { Ports } from './request.ts';
import { steps } from './steps/table.ts';
import { stuckFailure, undoneFailure } from './undone.ts';
import { reasonOf } from './unhealthy.ts';

/** Opens the change, unless `refuse` throws at the last moment. Where this throws, nothing has begun. What ends it at a boot is in place before it begins. */
export const openTransaction = async (
  ports: Ports,
  paths: InstancePaths,
  opening: Opening,
  refuse: () => void,
): Promise<ChangeContext> => {
  await ensureRecoveryCopy(ports.world, paths, await ensureProgram(ports.world, ports.home));
  const ctx = contextOf(ports.world, paths, opening, ports.events);
  try {
    const spec = ctx.specAfter ?? ctx.specBefore;
    if (spec !== null) await installBootRecovery(spec, opening.after.supervisor, { runs: opening.found.running });
    await hearSignals();
    openJournal(ports.world, paths, opening, refuse);
  } catch (error) {
    if (opening.before?.installed !== true) await withoutBootRecovery(ctx);
    throw error;
  }
  return ctx;
};

/** Carries an opened change through. Failure 'change-undone' or 'change-stuck' where it can't be. */
export const transact = async (ctx: ChangeContext): Promise<{ downtimeSeconds: number | null }> => {
  try {
    await untilCommit(ctx, nothing);
    await afterwards(ctx, nothing);
  } catch (error) {
    // Neither undone nor stuck, but unable to go either way: whatever it is, the change is open.
    throw error instanceof Failure ? error : interruptedFailure(ctx, 'was begun', error);
  }
  const { downAt, upAt } = ctx.times;
  return { downtimeSeconds: downAt === null || upAt === null ? null : (upAt - downAt) / 1000 };
};

/** What a recovery has to do before the journal is closed, for once it is, nobody knows of it any more. Throws nothing. */
export type LastAct = (outcome: 'finished' | 'undone') => Promise<void>;
const nothing: LastAct = async () => {};

/** Does what is left of an opened change, commits, and follows the commit. Failures as of transact. Behind a commit there is only what follows it: no signal turns it back. */
export const forward = async (ctx: ChangeContext, last: LastAct): Promise<void> => {
  if (!journalOf(ctx).committed) await untilCommit(ctx, last);
  await afterwards(ctx, last);
};

const untilCommit = async (ctx: ChangeContext, last: LastAct): Promise<void> => {
  let stop: Error | undefined;
  const unwatch = onEndingSignal((signal) => {
    if (signal === 'SIGHUP') return;
    ctx.events.note(
      stop
        ? 'Nothing is left half done: please wait.'
        : `${signal}: the step under way is finished, then everything is undone.`,
    );
    stop ??= new Error(`the change was stopped by ${signal}`);
  });
  try {
    for (const step of transactionSteps(ctx)) {
      await hearSignals();
      if (stop !== undefined) throw stop;
      await doStep(ctx, step);
    }
    await hearSignals();
    if (stop !== undefined) throw stop;
    appendEntry(ctx.world, ctx.paths, { entry: 'commit' });
  } catch (error) {
    const cause = explained(ctx, error);
    await backward(ctx, cause, last);
    throw undoneFailure(ctx, cause);
  } finally {
    unwatch();
  }
};

const doStep = async (ctx: ChangeContext, step: Step): Promise<void> => {
  if (journalOf(ctx).done.has(step.id)) return;
  ctx.events.stepStarted(step);
  const started = ctx.world.now().getTime();
  appendEntry(ctx.world, ctx.paths, { entry: 'begin', step: step.id });
  try {
    await steps[step.step as ChangeStepKind].do(ctx);
  } catch (error) {
    // The log of a server stands in the failure, once.
    ctx.events.stepFailed(step, new Error(reasonOf(error), { cause: error }));
    throw error;
  }
  appendEntry(ctx.world, ctx.paths, { entry: 'done', step: step.id });
  ctx.events.stepDone(step, ctx.world.now().getTime() - started);
};

/** Undoes all that was begun. Failure 'change-stuck', with a runbook, where that can't be done; the journal then stays open. */
export const backward = async (ctx: ChangeContext, cause: unknown, last: LastAct = nothing): Promise<void> => {
  const unwatch = onEndingSignal(() => ctx.events.note('Undoing: everything is put back first.'));
  let at: Step | undefined;
  try {
    if (!journalOf(ctx).undoing) appendEntry(ctx.world, ctx.paths, { entry: 'undo', reason: reasonOf(cause) });
    for (const step of transactionSteps(ctx).toReversed()) {
      const journal = journalOf(ctx);
      // The opening entry itself raised the generation, so that is undone even if the step was never begun.
      const wasBegun = journal.begun.has(step.id) || step.step === 'generation';
      if (!wasBegun || journal.undone.has(step.id)) continue;
      at = step;
      await steps[step.step as ChangeStepKind].undo(ctx);
      appendEntry(ctx.world, ctx.paths, { entry: 'undone', step: step.id });
      // What could not be undone is told by the failure, and by no line that says it was.
      ctx.events.stepUndone(step);
    }
    at = undefined;
    await last('undone');
    await tidyUpAfterUndo(ctx);
    closeJournal(ctx.world, ctx.paths, 'undone');
    if (ctx.opening.before?.installed !== true) await withoutBootRecovery(ctx);
  } catch (error) {
    // The last word of the change was written, could not be made durable, and the undo's first not be written: `recover` goes by what the disk has kept.
    if (isCommitted(ctx)) throw interruptedFailure(ctx, 'was begun', error);
    throw stuckFailure(ctx, at, cause, error);
  } finally {
    unwatch();
  }
};

const isCommitted = ({ paths }: ChangeContext): boolean => {
  try {
    const journal = readJournal(paths);
    return journal?.committed === true && !journal.undoing;
  } catch {
    return false;
  }
};

/** Behind the commit there is no way back, and what fails there is ended by `recover`. */
const afterwards = async (ctx: ChangeContext, last: LastAct): Promise<void> => {
  try {
    await toTheEnd(() => followCommit(ctx, last), ctx.events.note);
  } catch (error) {
    throw interruptedFailure(ctx, 'holds', error, ' --finish');
  }
};

/** Of the change itself; whoever comes later, while it waits, is refused with the same code and has changed nothing. */
const interruptedFailure = (ctx: ChangeContext, how: string, error: unknown, way = ''): Failure => {
  const { kind, instance } = ctx.opening.plan;
  return new Failure(
    'change-interrupted',
    `The ${kind} of ${instance} ${how}, but it could not be brought to its end: ${messageOf(error)}.`,
    `Mend the cause, then: assent recover ${instance}${way}. status, logs and telemetry still work.`,
    error,
    true,
  );
};

/**
 * The trial comes before the end, for whoever finishes the change later has to begin it. Purging belongs to the change and takes the journal
 * with it; pruning comes after its end and never fails it.
 */
const followCommit = async (ctx: ChangeContext, last: LastAct): Promise<void> => {
  const follow = ctx.opening.plan.steps.filter((step) => step.phase === 'after');
  const purges = follow.some((step) => step.step === 'purge');
  const trials = follow.filter((step) => step.step === 'trial');
  if (trials.length === 0) await endTrial(ctx);
  await tidy(ctx, trials);
  if (!purges) {
    await last('finished');
    closeJournal(ctx.world, ctx.paths, 'finished');
  }
  await tidy(
    ctx,
    follow.filter((step) => step.step !== 'trial'),
  );
  if (ctx.opening.kind === 'uninstall') await withoutBootRecovery(ctx);
};

const tidy = async (ctx: ChangeContext, follow: readonly Step[]): Promise<void> => {
  for (const step of follow) {
    ctx.events.stepStarted(step);
    const started = ctx.world.now().getTime();
    await tidyUp[step.step as AfterStepKind](ctx);
    ctx.events.stepDone(step, ctx.world.now().getTime() - started);
  }
};

/** It is the last thing of an instance that goes. Left behind, it does nothing: without a journal systemd does not even start it. */
const withoutBootRecovery = async (ctx: ChangeContext): Promise<void> => {
  const spec = ctx.specAfter ?? ctx.specBefore;
  try {
    if (spec !== null) await removeBootRecovery(spec, ctx.opening.after.supervisor);
  } catch (error) {
    ctx.events.warn({
      id: 'unit-left',
      message: `The unit that ends interrupted changes at boot could not be removed: ${messageOf(error)}.`,
      remedy: 'It does nothing any more. Remove it by hand: systemctl disable, then delete its file.',
    });
  }
};

const transactionSteps = (ctx: ChangeContext): Step[] =>
  ctx.opening.plan.steps.filter((step) => step.phase === 'change');

const journalOf = (ctx: ChangeContext): Journal => {
  const journal = readJournal(ctx.paths);
  if (journal === undefined) throw new Error(`the journal ${ctx.paths.openJournal} has gone`);
  return journal;
};
