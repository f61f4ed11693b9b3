/**
 * The slow part of a change, while the old server still answers and before anything is opened: release, runtime, the verified copy of
 * Assent, rendered configuration, a first copy of the data, a rehearsal. All of it lies beside what is in use; what fails here is refused,
 * and leaves the instance as it was.
 */

import { join } from 'node:path';
import { storeNotice } from '../consent/notice-file.ts';
import { messageOf } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { ensureRecoveryCopy, removeRecoveryCopy } from '../instance/recovery-copy.ts';
import { sweepScratch } from '../instance/scratch.ts';
import type { Account, InstanceState } from '../instance/state.ts';
import { holdStore } from '../release/holds.ts';
import { homePaths } from '../release/layout.ts';
import { ensureProgram } from '../release/program.ts';
import { ensureNode } from '../release/runtime.ts';
import { sweepStaging } from '../release/staging.ts';
import { storeRelease } from '../release/store.ts';
import type { StoreEvents } from '../release/store-events.ts';
import { makeFolder, statIfThere } from '../system/files.ts';
import { copyTree, removeTree } from '../system/tree.ts';
import { treeOptions } from './as-account.ts';
import type { Heard } from './ask.ts';
import { stageConfiguration } from './configure.ts';
import type { Plan, PrepareStepKind, Step } from './plan.ts';
import { rehearse } from './rehearsal/rehearse.ts';
import type { Ports } from './request.ts';
import { backupOf, configParts, nextOf, partPath, passable, removePrepared } from './steps/parts.ts';
import type { Survey } from './survey.ts';
import type { Target } from './target.ts';

export interface Staging {
  readonly ports: Ports;
  readonly target: Target;
  readonly plan: Plan;
  readonly found: Survey;
  readonly heard: Heard;
  readonly account: Account | null;
  /** The state that the change would write. */
  readonly after: InstanceState;
  /** Aborted once a signal has come: what can be given up in the middle need not be finished. */
  readonly until: AbortSignal;
}

/** Does the plan's first phase. `stopped` is looked at between the steps. */
export const stage = async (staging: Staging, stopped: () => void): Promise<void> => {
  const { ports, plan } = staging;
  // From here on nobody prunes what this change is going to use.
  await holdStore(ports.world, ports.home);
  await makeSkeleton(staging);
  for (const step of plan.steps.filter((each) => each.phase === 'prepare')) {
    stopped();
    const started = ports.world.now().getTime();
    ports.events.stepStarted(step);
    await work[step.step as PrepareStepKind](staging, step);
    ports.events.stepDone(step, ports.world.now().getTime() - started);
  }
  stopped();
};

/** For a change that did not open: removes what was prepared, and the folder where it is new. What can't be removed goes with the next change. */
export const unstage = async ({ ports, target, account }: Staging, isNew: boolean): Promise<void> => {
  try {
    await removePrepared({ world: ports.world, paths: target.paths, account });
    if (target.before?.installed !== true) await removeRecoveryCopy(ports.world, target.paths);
    if (isNew) await removeTree(target.paths.folder);
  } catch (error) {
    const message = `What was prepared in ${target.paths.folder} could not be removed: ${messageOf(error)}.`;
    ports.events.warn({ id: 'sweep-failed', message, remedy: 'It only takes space. The next change removes it.' });
  }
};

/** What killed runs have left in staging and of rehearsals: it goes before free space is looked at. That it can't be removed is no reason to refuse a change. How many went. */
export const sweep = async ({ world, home, events }: Ports, paths: InstancePaths): Promise<number> => {
  try {
    await sweepScratch(world, paths);
    return statIfThere(homePaths(home).staging) === undefined ? 0 : await sweepStaging(world, home);
  } catch (error) {
    const message = `Leftovers of earlier runs in ${home} could not be removed: ${messageOf(error)}.`;
    events.warn({ id: 'sweep-failed', message, remedy: 'They only take space. The next change tries again.' });
    return 0;
  }
};

const makeSkeleton = async ({ ports, target, account, plan }: Staging): Promise<void> => {
  const { paths } = target;
  makeFolder(paths.folder, { mode: account === null ? 0o700 : 0o755 });
  await removePrepared({ world: ports.world, paths, account });
  // As the opening entry wants it: a change that is refused leaves no other mode, in which the account of the server could not see whether one is open.
  makeFolder(paths.journal, { mode: 0o711 });
  makeFolder(paths.backups, { mode: passable(account) });
  if (plan.kind !== 'uninstall' && statIfThere(paths.logs) === undefined) makeFolder(paths.logs, { mode: 0o750 });
};

const work = {
  fetch: async ({ ports, target, heard }, step) => {
    const { world, home } = ports;
    const notice = heard.notice === null ? null : `${JSON.stringify(heard.notice, null, 2)}\n`;
    await storeRelease(world, home, target.product, target.release, notice, eventsOf(ports, step));
  },
  runtime: async ({ ports, target }, step) => {
    const { runtime } = target.release;
    if (runtime !== undefined) await ensureNode(ports.world, ports.home, runtime, eventsOf(ports, step));
  },
  program: async ({ ports, target }) => {
    await ensureRecoveryCopy(ports.world, target.paths, await ensureProgram(ports.world, ports.home));
  },
  render: async (staging) => {
    const { ports, target, found, heard, account } = staging;
    if (heard.notice !== null) storeNotice(ports.world, target.paths, heard.notice, account);
    if (found.configuration !== null) stageConfiguration(target.paths, found.configuration, account);
    else await copyOfThen(staging);
    if (found.data === null)
      makeFolder(nextOf(target.paths, 'data'), { mode: 0o700, ...(account ? { owner: account } : {}) });
  },
  'first-copy': async (staging, step) => {
    const { ports, target, found, account } = staging;
    const total = found.data?.size.bytes ?? 0;
    const from = found.data?.from === 'then' ? join(folderOfThen(target), 'data') : partPath(target.paths, 'data');
    await copyTree(from, nextOf(target.paths, 'data'), {
      ...treeOptions({ account }),
      onProgress: ({ bytes }) => ports.events.stepProgress(step, { done: bytes, total, unit: 'bytes' }),
    });
  },
  rehearse,
} as const satisfies Record<PrepareStepKind, (staging: Staging, step: Step) => Promise<void>>;

/** A rollback takes the configuration and the secrets that belonged to the release. */
const copyOfThen = async ({ target }: Staging): Promise<void> => {
  for (const part of configParts) {
    const from = join(folderOfThen(target), part);
    if (statIfThere(from) !== undefined) await copyTree(from, nextOf(target.paths, part));
  }
};

const folderOfThen = (target: Target): string => {
  if (target.restore === null) throw new Error('only a rollback has data of then');
  return backupOf(target.paths, target.restore.backup);
};

const eventsOf = (ports: Ports, step: Step): StoreEvents => ({
  progress: (progress) => ports.events.stepProgress(step, progress),
  note: (text) => ports.events.note(text),
});
