/**
 * What says which release is installed: the link `current` and the state file. After an undo the state of before
 * stands again, but with the new generation and key: a generation never goes back.
 */

import { join } from 'node:path';
import type { ReleaseRef } from '../../instance/state.ts';
import { writeState } from '../../instance/state.ts';
import { homePaths } from '../../release/layout.ts';
import { removeFile, replaceLink } from '../../system/files.ts';
import type { StepWork } from './table.ts';

export const currentStep: StepWork = {
  do: async (ctx) => {
    const { after } = ctx.opening;
    if (after.installed) replaceLink(linkTo(after.release), ctx.paths.current);
    else removeFile(ctx.paths.current);
  },
  undo: async (ctx) => {
    const { before } = ctx.opening;
    if (before?.installed) replaceLink(linkTo(before.release), ctx.paths.current);
    else removeFile(ctx.paths.current);
  },
};

export const stateStep: StepWork = {
  do: async (ctx) => writeState(ctx.paths, ctx.opening.after),
  undo: async (ctx) => {
    const { before, after } = ctx.opening;
    if (before === null) removeFile(ctx.paths.state);
    else writeState(ctx.paths, { ...before, generation: after.generation, key: after.key });
  },
};

/** Relative, so that a home can be moved as a whole. */
export const linkTo = (ref: ReleaseRef): string =>
  join('..', '..', homePaths('').releases.replace(/^\//, ''), ref.product, `${ref.version}-${ref.digest}`);
