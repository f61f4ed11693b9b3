/**
 * What a failed trial's rollback would leave behind. It takes the data of then where the format has changed, and nobody is there to be asked whether
 * what was written since may stay in a backup.
 *
 * Looked at twice: before anything is prepared, and once more when the server is down and nothing is switched yet. In between lie the survey and the
 * copy of the data, minutes with much of it, and a server that was started again meanwhile has taken mail.
 */

import type { InstancePaths } from '../instance/paths.ts';
import type { Account } from '../instance/state.ts';
import { measureTree } from '../system/tree.ts';
import type { Version } from '../values.ts';
import { treeOptions } from './as-account.ts';
import type { ChangeContext } from './context.ts';

/** The reason for which a rollback that has begun is undone. */
export class LeftBehind extends Error {
  override readonly name = 'LeftBehind';
}

/** In words, for a rollback to the data of `to`; undefined where nothing was written since the trial began. */
export const leftBehind = async (
  paths: InstancePaths,
  account: Account | null,
  since: string,
  to: Version,
): Promise<string | undefined> => {
  const { changedMs } = await measureTree(paths.data, treeOptions({ account }));
  if (changedMs <= Date.parse(since)) return undefined;
  return `It was not rolled back by itself: ${to} has another format of data, and what was written since ${since} (last ${new Date(changedMs).toISOString()}) would be left behind.`;
};

/** Throws LeftBehind. For the last moment at which the data are where the server has written them; a rollback that somebody has typed is his own decision. */
export const refuseLeftBehind = async ({ opening, paths, account }: ChangeContext): Promise<void> => {
  const { before, after, plan } = opening;
  const takesThen = plan.steps.every(({ step }) => step !== 'second-copy');
  if (after.failedTrial === undefined || before?.trial === undefined || !takesThen) return;
  const left = await leftBehind(paths, account, before.trial.since, after.release.version);
  if (left !== undefined) throw new LeftBehind(left);
};
