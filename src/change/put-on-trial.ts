/**
 * Behind the commit of a change: the release that an upgrade has brought is put on trial, and whatever trial there was before is over.
 *
 * The minutes are counted from here: a change that was interrupted may be finished days later. What the new release has written counts from the commit, for
 * it may have served all these days. It comes before the journal is closed and may be repeated. That nobody can watch is a warning: the change holds.
 */

import { messageOf } from '../errors.ts';
import { writeState } from '../instance/state.ts';
import { forgetMemory, trialFrom } from '../instance/trial.ts';
import { installTrial, removeTrial } from '../service/acting.ts';
import type { ChangeContext } from './context.ts';
import { readJournal } from './journal.ts';

export const putOnTrial = async (ctx: ChangeContext): Promise<void> => {
  const { after } = ctx.opening;
  const spec = ctx.specAfter;
  if (after.trial === undefined || spec === null) return;
  try {
    const trial = trialFrom(after.trial.minutes, ctx.world.now(), heldSince(ctx));
    writeState(ctx.paths, { ...after, trial });
    await installTrial(spec, after.supervisor, trial);
  } catch (error) {
    ctx.events.warn({
      id: 'trial-not-watched',
      message: `${after.release.version} is on trial, but nobody can watch it: ${messageOf(error)}.`,
      remedy: `Look at it yourself: assent doctor ${after.name}. Back to the release before: assent rollback ${after.name}`,
    });
  }
};

/** Never later than the change has held, also where a clock was set back meanwhile: what is called older than the trial is left behind. */
const heldSince = ({ world, paths, opening }: ChangeContext): Date => {
  const committed = new Date(readJournal(paths)?.committedAt ?? opening.at);
  const now = world.now();
  return committed < now ? committed : now;
};

/** No trial outlives another change that holds. */
export const endTrial = async (ctx: ChangeContext): Promise<void> => {
  const { after } = ctx.opening;
  const spec = ctx.specAfter ?? ctx.specBefore;
  try {
    forgetMemory(ctx.paths);
    if (spec !== null) await removeTrial(spec, after.supervisor);
  } catch (error) {
    ctx.events.warn({
      id: 'trial-left',
      message: `The units of a trial that is over could not be removed: ${messageOf(error)}.`,
      remedy: 'They do nothing any more. The next change tries again.',
    });
  }
};
