/**
 * The drill of `doctor --drill`: a rollback that is only tried. The backup is laid out in a copy of the instance as a rollback would have it (the release before,
 * its configuration and secrets, the data of then), started there in namespaces whose network leads nowhere, watched by the gate that would
 * decide about the rollback, and thrown away. The running server is not touched, and nothing of the instance is written.
 *
 * Nothing of telemetry is in the copy, and it is under a veto. While it lasts the drill holds the instance, so that no change moves the backup away.
 */

import { join } from 'node:path';
import { Failure } from '../../errors.ts';
import type { InstancePaths } from '../../instance/paths.ts';
import { type Scratch, withScratch } from '../../instance/scratch.ts';
import { type InstanceState, type Previous, readState, writeState } from '../../instance/state.ts';
import { urlsOf } from '../../product/template.ts';
import { holdStore } from '../../release/holds.ts';
import { ensureProgram } from '../../release/program.ts';
import { ensureNode } from '../../release/runtime.ts';
import type { StoredRelease } from '../../release/store.ts';
import { replaceLink, statIfThere } from '../../system/files.ts';
import { copyTree, measureTree } from '../../system/tree.ts';
import type { World } from '../../system/world.ts';
import { treeOptions } from '../as-account.ts';
import { holdInstance } from '../hold.ts';
import { inside } from '../rehearsal/rehearse.ts';
import { lackingForCopy } from '../space.ts';
import { configParts, partPath } from '../steps/parts.ts';
import { linkTo } from '../steps/state.ts';
import { refuseUnfinished } from '../target.ts';
import { dataGone, type WayBack, wayBack } from '../way-back.ts';

export interface Drill {
  /** What it would go back to. */
  readonly version: string;
  readonly backup: string;
  /** When that was left. */
  readonly at: string;
  readonly healthy: boolean;
  /** Why it is not; null where it is. */
  readonly reason: string | null;
  /** The end of the server's log where it is not healthy. */
  readonly log: string;
  /** How long laying out, starting and watching took. */
  readonly seconds: number;
}

/** Failures: 'no-instance', 'no-previous', 'change-interrupted', 'instance-busy', 'refused-permission', 'refused-space', 'refused-check' (namespaces can't be made, the release is gone), 'cancelled'. */
export const drill = async (world: World, paths: InstancePaths, until: AbortSignal): Promise<Drill> => {
  const hold = holdInstance(world, paths, 'doctor --drill');
  try {
    refuseUnfinished(paths);
    const began = performance.now();
    const subject = subjectOf(world, paths);
    await holdStore(world, paths.home);
    const { runtime } = subject.stored.release;
    if (runtime !== undefined) await ensureNode(world, paths.home, runtime);
    await refuseWithoutSpace(subject);
    const { healthy, reason, log } = await onCopy(subject, until);
    const { release, backup, at } = subject.previous;
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    return { version: release.version, backup, at, healthy, reason: reason ?? null, log, seconds };
  } catch (error) {
    if (until.aborted) throw new Failure('cancelled', 'Stopped.', 'Nothing was changed, and nothing is left.');
    throw error;
  } finally {
    hold.release();
  }
};

interface Subject extends WayBack {
  readonly world: World;
  readonly paths: InstancePaths;
  readonly state: InstanceState;
}

const subjectOf = (world: World, paths: InstancePaths): Subject => {
  const state = readState(paths);
  if (state?.installed !== true)
    throw new Failure('no-instance', `${paths.name} is not installed.`, 'Install it: assent install');
  return { world, paths, state, ...wayBack(paths, state) };
};

const refuseWithoutSpace = async ({ paths, state, folder }: Subject): Promise<void> => {
  const data = join(folder, 'data');
  if (statIfThere(data)?.kind !== 'folder') throw dataGone(data);
  const lacking = lackingForCopy(paths.home, await measureTree(data, treeOptions(state)));
  if (lacking === undefined) return;
  throw new Failure('refused-space', `There is not enough space for a copy: ${lacking}.`, 'Nothing was changed.');
};

const onCopy = async (subject: Subject, until: AbortSignal) => {
  const { world, paths, stored } = subject;
  const program = await ensureProgram(world, paths.home);
  const nothing = { without: [], empty: ['logs', 'run', 'journal'], only: {} };
  return withScratch(world, paths, nothing, async (scratch) => {
    await layOut(subject, scratch);
    until.throwIfAborted();
    return inside({ ports: paths, target: { paths, release: stored.release }, until }, scratch, program);
  });
};

/** What a rollback with the data of then would put in place. It leaves alone what the backup has not. */
const layOut = async ({ paths, state, previous, stored, folder }: Subject, { instance }: Scratch): Promise<void> => {
  for (const part of configParts) {
    const from = [join(folder, part), partPath(paths, part)].find((path) => statIfThere(path) !== undefined);
    if (from !== undefined) await copyTree(from, join(instance, part));
  }
  await copyTree(join(folder, 'data'), join(instance, 'data'), treeOptions(state));
  replaceLink(linkTo(previous.release), join(instance, 'current'));
  writeState({ ...paths, state: join(instance, 'instance.json') }, rolledBack(state, previous, stored));
};

const rolledBack = (state: InstanceState, previous: Previous, { product }: StoredRelease): InstanceState => ({
  ...state,
  urls: urlsOf(product, previous.settings),
  release: previous.release,
  noticeId: previous.noticeId,
  settings: previous.settings,
  supervisor: 'process',
  veto: state.veto ?? '1',
  running: true,
  previous: null,
});
