/**
 * What comes behind a commit or an undo: purging, pruning, and the removal of what had been prepared.
 *
 * Pruning never removes the running release or the one before of any instance, and whatever it can't remove is a warning. If
 * one instance's state can't be read, nothing is pruned at all: nobody knows what it needs.
 */

import { dirname, join } from 'node:path';
import { removeMark } from '../consent/mark.ts';
import { messageOf } from '../errors.ts';
import { listInstances } from '../instance/find.ts';
import { instancePaths } from '../instance/paths.ts';
import { removeRecoveryCopy, runsFromRecoveryCopy } from '../instance/recovery-copy.ts';
import type { ReleaseRef } from '../instance/state.ts';
import { readState } from '../instance/state.ts';
import { pruneReleases } from '../release/prune.ts';
import { listFolder, removeFile, statIfThere, syncFolder } from '../system/files.ts';
import { removeIfEmpty } from '../system/quick-files.ts';
import { removeTree } from '../system/tree.ts';
import type { TreeLeft } from '../system/tree-walk.ts';
import type { InstanceName } from '../values.ts';
import { treeOptions } from './as-account.ts';
import { writeBackupDigests } from './backup-digests.ts';
import type { ChangeContext } from './context.ts';
import { readJournal } from './journal.ts';
import type { AfterStepKind } from './plan.ts';
import { putOnTrial } from './put-on-trial.ts';
import { removeAccount } from './steps/account.ts';
import { allParts, backupOf, configParts, partPath, removePrepared, setAsideOf } from './steps/parts.ts';

const keptDays = 30;
/** An uninstall keeps its backups, an install over kept data does not touch them, and a rollback may yet be regretted. */
const changesRelease: ReadonlySet<string> = new Set(['reinstall', 'upgrade']);

export const tidyUp = {
  trial: putOnTrial,
  digests: async (ctx: ChangeContext): Promise<void> => {
    try {
      await writeBackupDigests(ctx);
    } catch (error) {
      ctx.events.warn({
        id: 'no-digests',
        message: `What the backup is could not be written down: ${messageOf(error)}.`,
        remedy: 'A rollback works all the same; doctor can only not say whether the backup was altered since.',
      });
    }
  },
  purge: async (ctx: ChangeContext): Promise<void> => {
    await removeTree(ctx.paths.data);
    for (const backup of listFolder(ctx.paths.backups)) await removeBackup(join(ctx.paths.backups, backup));
    await removeTree(ctx.paths.logs);
    await removeTree(ctx.paths.run);
    if (ctx.account?.made) await removeAccount(ctx.account);
    for (const name of listFolder(ctx.paths.folder)) {
      if (name !== 'journal' && name !== 'recover') await removeTree(join(ctx.paths.folder, name));
    }
    // Not before all of it is gone for good: a loss of power must not bring back a part without the journal that says it was purged.
    syncFolder(ctx.paths.folder);
    // Beside the folder, and so before the journal, without which nobody would come to it again.
    removeMark(ctx.paths);
    for (const { path, kind } of await removeRest(ctx)) {
      ctx.events.warn({
        id: 'left-behind',
        message: `${path} is a ${kind}: what lies there belongs to another filesystem and was left alone.`,
        remedy: 'Look at it, and remove it by hand if nobody needs it.',
      });
    }
  },
  prune: async (ctx: ChangeContext): Promise<void> => {
    try {
      await removePrepared(ctx);
      if (ctx.opening.kind === 'uninstall') await removeTraces(ctx);
      if (changesRelease.has(ctx.opening.kind)) await pruneBackups(ctx);
      const warnings = await pruneReleases(ctx.world, ctx.home, () => neededReleases(ctx.home, ctx.paths.name));
      for (const warning of warnings) ctx.events.warn(warning);
    } catch (error) {
      ctx.events.warn({
        id: 'prune-failed',
        message: `Something that is no longer needed could not be removed: ${messageOf(error)}.`,
        remedy: 'Nothing is wrong with the installation. The next change tries again.',
      });
    }
  },
} as const satisfies Record<AfterStepKind, (ctx: ChangeContext) => Promise<void>>;

/**
 * Behind an undo: what had been prepared goes; of an undone first install only its logs stay. What was there before the change is never touched,
 * whether a state file knew of it or not. Everything is back by now, so what can't be removed is a warning.
 */
export const tidyUpAfterUndo = async (ctx: ChangeContext): Promise<void> => {
  try {
    await removePrepared(ctx);
    await removeUnneededAside(ctx);
    if (ctx.opening.before === null) await removeFirstInstall(ctx);
    if (ctx.opening.before?.installed !== true) await removeRecoveryCopy(ctx.world, ctx.paths);
  } catch (error) {
    ctx.events.warn({
      id: 'prune-failed',
      message: `Something that the undone change had made could not be removed: ${messageOf(error)}.`,
      remedy: 'Everything is as it was before. The next change tries again.',
    });
  }
};

/** What is kept of an undone release is the data that it may have written to. If it was never started, there is none. */
const removeUnneededAside = async (ctx: ChangeContext): Promise<void> => {
  const aside = setAsideOf(ctx.paths, ctx.opening.backup);
  const begun = readJournal(ctx.paths)?.begun ?? new Set();
  for (const part of configParts) await removeTree(join(aside, part));
  if (!begun.has('start') && !begun.has('health')) await removeTree(join(aside, 'data'), treeOptions(ctx));
  for (const folder of [aside, backupOf(ctx.paths, ctx.opening.backup)]) removeIfEmpty(folder);
};

const removeFirstInstall = async (ctx: ChangeContext): Promise<void> => {
  const { found, backup } = ctx.opening;
  await removeTree(join(setAsideOf(ctx.paths, backup), 'data'), treeOptions(ctx));
  for (const part of allParts.filter((each) => !found.parts.includes(each))) {
    await removeTree(partPath(ctx.paths, part), part === 'data' ? treeOptions(ctx) : {});
  }
  await removeTree(ctx.paths.run);
  for (const folder of [setAsideOf(ctx.paths, backup), ctx.paths.backups]) removeIfEmpty(folder);
  removeFile(ctx.paths.state);
};

/** An uninstall keeps data, configuration, secrets, backups, consent log and notices; what else there is, is ours to remove. */
const removeTraces = async (ctx: ChangeContext): Promise<void> => {
  for (const folder of [ctx.paths.logs, ctx.paths.run]) await removeTree(folder);
  await removeRecoveryCopy(ctx.world, ctx.paths);
};

/** The journal last, and with it what recovers; where that is what runs, it goes at its end, and the folder with it. */
const removeRest = async ({ world, paths }: ChangeContext): Promise<readonly TreeLeft[]> => {
  if (!runsFromRecoveryCopy(world, paths)) {
    const { left } = await removeTree(paths.folder);
    syncFolder(dirname(paths.folder));
    return left;
  }
  const { left } = await removeTree(paths.journal);
  await removeRecoveryCopy(world, paths);
  return left;
};

/** What changes have made there; anything else is the admin's. */
const backupOfChange = /^\d{6}(\.\d+)?-(install|reinstall|upgrade|rollback|uninstall)(\.set-aside)?$/;

/**
 * Removes backups that nothing refers to, but for this change's own. What was set aside, and what a rollback or an install over kept data left behind, is
 * kept for 30 days.
 */
const pruneBackups = async (ctx: ChangeContext): Promise<void> => {
  const needed = [ctx.opening.backup, readState(ctx.paths)?.previous?.backup];
  const now = ctx.world.now().getTime();
  for (const name of listFolder(ctx.paths.backups).filter((each) => backupOfChange.test(each))) {
    const folder = join(ctx.paths.backups, name);
    const age = (now - (statIfThere(folder)?.mtimeMs ?? now)) / 86_400_000;
    const mayHoldNews = ['.set-aside', '-rollback', '-install'].some((end) => name.endsWith(end));
    if (!needed.includes(name) && !(mayHoldNews && age < keptDays)) await removeBackup(folder);
  }
};

/** The data first: it is the server's account's, and emptied as that account, who may not remove what lies beside it. */
const removeBackup = async (folder: string): Promise<void> => {
  await removeTree(join(folder, 'data'));
  await removeTree(folder);
};

/**
 * The releases that some instance of the home runs or can go back to, and those that an interrupted change of another one still needs for
 * its recovery. Throws where that can't be told.
 */
export const neededReleases = (home: string, own?: InstanceName): ReleaseRef[] =>
  listInstances(home).flatMap((name) => {
    const paths = instancePaths(home, name);
    const open = name === own ? undefined : readJournal(paths);
    const waiting = open === undefined || open.closed ? [] : [open.opening.before, open.opening.after];
    return [readState(paths), ...waiting].flatMap((state) => {
      if (!state) return [];
      return state.previous === null ? [state.release] : [state.release, state.previous.release];
    });
  });
