/**
 * Forgetting what is older than the notice promises to keep: copies of reports, and totals that wait, as parts or in reports. It deletes and does nothing
 * else, so it needs no yes: a sender begins with it, before it asks, and neither a veto nor a recipient who never answers keeps anything longer.
 *
 * But a sender ends with the yes, and copies outlive it: so whatever else of Assent works on the instance forgets as well. Nothing of ours runs for that
 * alone; after a withdrawal, nothing of ours runs at all.
 */

import { readNotice } from '../consent/notice-file.ts';
import { dayOf } from '../consent/window.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { readState } from '../instance/state.ts';
import { statIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import { later } from './schedule.ts';
import { pruneCopies } from './sent.ts';
import { pruneParts, pruneSpool } from './spool.ts';

/** For how long, where the running release has no notice any more: as manifests have it that say nothing else. */
const usualDays = 90;

/** Never throws: what can't be removed now is removed the next time. */
export const forgetOldCopies = (world: Pick<World, 'now'>, paths: InstancePaths): void => {
  forgetIn(paths.reports, () => pruneCopies(paths, firstKept(world, paths)));
  forgetIn(paths.counts, () => pruneParts(paths, firstKept(world, paths)));
  forgetIn(paths.spool, () => pruneSpool(paths, firstKept(world, paths)));
};

/** One that can't be looked into must not hide the others. */
const forgetIn = (folder: string, forget: () => void): void => {
  try {
    if (statIfThere(folder)?.kind === 'folder') forget();
  } catch {
    // What lies there is old, and harms nobody.
  }
};

const firstKept = (world: Pick<World, 'now'>, paths: InstancePaths): string => {
  const id = readState(paths)?.noticeId ?? null;
  const days = (id === null ? undefined : readNotice(paths, id))?.retentionDays ?? usualDays;
  return later(dayOf(world.now()), -days);
};
