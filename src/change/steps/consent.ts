/**
 * Consent as steps of a change. The opening entry has already ended an earlier yes; here the log and the record are brought into
 * line with it, the telemetry of before is erased, and the answer is written before the new release starts.
 *
 * Telemetry never makes a change fail: what can't be written is a warning, and a no.
 */

import type { Raise, Recorded } from '../../consent/decide.ts';
import { beginGeneration, recordAnswer, voidGeneration } from '../../consent/decide.ts';
import { eraseTelemetry } from '../../consent/erase.ts';
import { writeState } from '../../instance/state.ts';
import type { ChangeContext } from '../context.ts';
import type { StepWork } from './table.ts';

export const generationStep: StepWork = {
  do: async (ctx) => {
    warnOf(ctx, await beginGeneration(ctx.world, ctx.paths, raiseOf(ctx)));
    await eraseTelemetry(ctx.world, ctx.paths);
  },
  undo: async (ctx) => {
    raiseState(ctx);
    warnOf(ctx, await voidGeneration(ctx.world, ctx.paths, raiseOf(ctx)));
  },
};

export const consentStep: StepWork = {
  do: async (ctx) => warnOf(ctx, await recordAnswer(ctx.world, ctx.paths, raiseOf(ctx))),
  undo: async () => undefined,
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
