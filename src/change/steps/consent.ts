/**
 * Consent as steps of a change. The opening entry has already ended an earlier yes; here the log and the record are brought into
 * line with it, the telemetry of before is erased, and the answer is written before the new release starts.
 *
 * Telemetry never makes a change fail: what can't be written is a warning, and a no.
 */

import type { Raise, Recorded } from '../../consent/decide.ts';
import { beginGeneration, recordAnswer, voidGeneration } from '../../consent/decide.ts';
import { eraseTelemetry } from '../../consent/erase.ts';
import { consentForService } from '../../consent/for-service.ts';
import { openTelemetry } from '../../consent/telemetry-folder.ts';
import { messageOf } from '../../errors.ts';
import { writeState } from '../../instance/state.ts';
import { removeCompanions } from '../../service/companions.ts';
import type { ChangeContext } from '../context.ts';
import type { StepWork } from './table.ts';

export const generationStep: StepWork = {
  do: async (ctx) => {
    warnOf(ctx, await beginGeneration(ctx.world, ctx.paths, raiseOf(ctx)));
    await eraseQuietly(ctx);
  },
  undo: async (ctx) => {
    raiseState(ctx);
    warnOf(ctx, await voidGeneration(ctx.world, ctx.paths, raiseOf(ctx)));
    // Undone also where it was never begun, and then what was counted before is still there.
    await eraseQuietly(ctx);
    await nothingCounts(ctx);
  },
};

/** A yes makes the folder in which is counted; after an undo it goes with the yes. */
export const consentStep: StepWork = {
  do: async (ctx) => {
    const { problem } = await recordAnswer(ctx.world, ctx.paths, raiseOf(ctx));
    const { counting } = consentForService(ctx.world, ctx.paths, undefined, ctx.opening.after.veto);
    warnOf(ctx, { problem: problem ?? (counting ? problemOf(() => openTelemetry(ctx.paths, ctx.account)) : null) });
  },
  undo: async (ctx) => eraseQuietly(ctx),
};

const problemOf = (work: () => void): string | null => {
  try {
    work();
    return null;
  } catch (error) {
    return `Nothing can be counted: ${messageOf(error)}`;
  }
};

/** The opening entry raised the generation, however far the change came: the state of before stands again with the new number. */
const raiseState = ({ opening: { before, after }, paths }: ChangeContext): void => {
  if (before !== null) writeState(paths, { ...before, generation: after.generation, key: after.key });
};

/** What the opening entry says about consent, the same at every repetition. */
const raiseOf = ({ opening, account }: ChangeContext): Raise => ({
  generation: opening.after.generation,
  key: opening.after.key,
  change: opening.kind,
  version: opening.after.release.version,
  noticeId: opening.after.noticeId,
  account,
  answer: opening.answer,
  since: opening.since,
  head: opening.head,
  recorded: opening.recorded,
  login: opening.login,
});

const warnOf = (ctx: ChangeContext, { problem }: Recorded): void => {
  if (problem === null) return;
  ctx.events.warn({
    id: 'consent-not-recorded',
    message: problem,
    remedy: 'Nothing is counted. Ask again with: assent reinstall.',
  });
};

/** What can't be erased is read by nobody, for its window and its notice are over. */
const eraseQuietly = async (ctx: ChangeContext): Promise<void> => {
  try {
    const { files, bytes } = await eraseTelemetry(ctx.world, ctx.paths);
    if (files > 0)
      ctx.events.note(`Telemetry: what was counted is erased (${files} files and folders, ${bytes} bytes on disk).`);
  } catch (error) {
    ctx.events.warn({
      id: 'counts-left',
      message: `Not all that was counted could be erased: ${messageOf(error)}.`,
      remedy: `Nothing reads or adds to it. Erase it with: assent recover ${ctx.paths.name}`,
    });
  }
};

/** The service of before goes on, or starts again, without what counts: its yes is over. */
const nothingCounts = async (ctx: ChangeContext): Promise<void> => {
  if (ctx.specBefore === null) return;
  try {
    await removeCompanions(ctx.specBefore);
    await ctx.supervisor.install(ctx.specBefore);
  } catch (error) {
    ctx.events.warn({
      id: 'still-loaded',
      message: `What counts may still be loaded with the server, and counts nothing: ${messageOf(error)}.`,
      remedy: `Restart it: assent restart ${ctx.paths.name}`,
    });
  }
};
