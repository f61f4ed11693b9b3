/**
 * Forgetting copies of reports whose time is over. A sender does it, but a sender ends with the yes, and copies outlive it: so whatever else of
 * Assent works on the instance does it as well. Nothing of ours runs for that alone; after a withdrawal, nothing of ours runs at all.
 */

import { readNotice } from '../consent/notice-file.ts';
import { dayOf } from '../consent/window.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { readState } from '../instance/state.ts';
import { statIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import { later } from './schedule.ts';
import { pruneCopies } from './sent.ts';

/** For how long, where the running release has no notice any more: as manifests have it that say nothing else. */
const usualDays = 90;

/** Never throws: what can't be removed now is removed the next time. */
export const forgetOldCopies = (world: Pick<World, 'now'>, paths: InstancePaths): void => {
  try {
    if (statIfThere(paths.reports)?.kind !== 'folder') return;
    const id = readState(paths)?.noticeId ?? null;
    const days = (id === null ? undefined : readNotice(paths, id))?.retentionDays ?? usualDays;
    pruneCopies(paths, later(dayOf(world.now()), -days));
  } catch {
    // The copies are old, and harm nobody.
  }
};
