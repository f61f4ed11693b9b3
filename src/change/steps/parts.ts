/**
 * Data, configuration and secrets: folders that are switched as a whole.
 *
 * Each part P is prepared beside itself as `P.next`. The switch renames P to `backups/B/P` and `P.next` to P; the undo
 * renames P to `backups/B.set-aside/P` and `backups/B/P` back. All of it are renames within the instance's own folder, which
 * belongs to root where we are root, so nobody else can put a link in the way; and none of it needs space.
 */

import { join } from 'node:path';
import type { InstancePaths } from '../../instance/paths.ts';
import type { Account } from '../../instance/state.ts';
import { makeFolder, renameDurably, statIfThere } from '../../system/files.ts';
import { removeTree, updateTree } from '../../system/tree.ts';
import { treeOptions } from '../as-account.ts';
import type { ChangeContext } from '../context.ts';
import { refuseLeftBehind } from '../left-behind.ts';
import type { StepWork } from './table.ts';

export type Part = 'data' | 'config' | 'config.base' | 'secrets';

/** Parts that only root reads and writes, switched together. */
export const configParts: readonly Part[] = ['config', 'config.base', 'secrets'];
export const allParts: readonly Part[] = ['data', ...configParts];

export const partPath = (paths: InstancePaths, part: Part): string => join(paths.folder, part);
export const nextOf = (paths: InstancePaths, part: Part): string => `${partPath(paths, part)}.next`;
export const backupOf = (paths: InstancePaths, backup: string): string => join(paths.backups, backup);
export const setAsideOf = (paths: InstancePaths, backup: string): string => join(paths.backups, `${backup}.set-aside`);

export const secondCopyStep: StepWork = {
  do: async (ctx) => {
    if (isSwitching(ctx, 'data')) return;
    await updateTree(ctx.paths.data, nextOf(ctx.paths, 'data'), treeOptions(ctx));
  },
  /**
   * The switch is undone by now, so what lies here is the copy. On a full disk its space is what the server of before needs to start again; but where it
   * can't be removed (the account is at it, say) that server starts all the same. It is tried again, and told of, once everything is back.
   */
  undo: async (ctx) => {
    await removeTree(nextOf(ctx.paths, 'data'), treeOptions(ctx)).catch(() => {});
  },
};

export const dataStep: StepWork = {
  do: async (ctx) => {
    if (!isSwitching(ctx, 'data')) await refuseLeftBehind(ctx);
    switchPart(ctx, 'data');
  },
  undo: async (ctx) => switchBack(ctx, 'data'),
};

export const configStep: StepWork = {
  do: async (ctx) => {
    for (const part of configParts) switchPart(ctx, part);
  },
  undo: async (ctx) => {
    for (const part of configParts) switchBack(ctx, part);
  },
};

/** Backups are nobody's business; but the account has to get through to the data that is its own. */
export const passable = (account: Account | null): number => (account === null ? 0o700 : 0o711);

/** Removes what a change that did not open, or was undone, had prepared. Data is removed as the account that may write it. */
export const removePrepared = async (ctx: Pick<ChangeContext, 'paths' | 'account' | 'world'>): Promise<void> => {
  for (const part of allParts) {
    const next = nextOf(ctx.paths, part);
    if (isThere(next)) await removeTree(next, part === 'data' ? treeOptions(ctx) : {});
  }
};

const isThere = (path: string): boolean => statIfThere(path) !== undefined;

const keptOf = ({ paths, opening }: ChangeContext, part: Part): string => join(backupOf(paths, opening.backup), part);

/** Its switch is done, or half done by a run that was killed between the two renames: what was there is not in its place any more. */
const isSwitching = (ctx: ChangeContext, part: Part): boolean =>
  !isThere(nextOf(ctx.paths, part)) || (isThere(keptOf(ctx, part)) && !isThere(partPath(ctx.paths, part)));

const switchPart = (ctx: ChangeContext, part: Part): void => {
  const [path, next] = [partPath(ctx.paths, part), nextOf(ctx.paths, part)];
  const kept = keptOf(ctx, part);
  if (!isThere(next)) return;
  if (isThere(path)) {
    if (isThere(kept)) throw new Error(`${path}, ${next} and ${kept} are all there: none of them may be replaced`);
    makeFolder(backupOf(ctx.paths, ctx.opening.backup), { mode: passable(ctx.account) });
    renameDurably(path, kept);
  }
  renameDurably(next, path);
};

const switchBack = (ctx: ChangeContext, part: Part): void => {
  const [path, next] = [partPath(ctx.paths, part), nextOf(ctx.paths, part)];
  const kept = keptOf(ctx, part);
  // Somebody has made one of them: what lies in its place behind a kill between the renames, say. To take it for what was there before would say "undone" over lost data.
  if ([path, next, kept].every(isThere))
    throw new Error(`${path} and ${kept} are both there, and one of them is not of before: move that one away`);
  const wasThere = ctx.opening.found.parts.includes(part);
  const isNew = isThere(path) && !isThere(next) && (isThere(kept) || !wasThere);
  if (isNew) {
    const aside = setAsideOf(ctx.paths, ctx.opening.backup);
    makeFolder(aside, { mode: passable(ctx.account) });
    renameDurably(path, join(aside, part));
  }
  if (isThere(kept) && !isThere(path)) renameDurably(kept, path);
};
