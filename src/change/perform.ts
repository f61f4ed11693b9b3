/**
 * Carries out a plan that was agreed to: takes the lock, looks whether the plan is still true, does everything slow, looks again,
 * and opens the transaction.
 */

import { isVeto } from '../consent/veto.ts';
import { Failure } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { type InstanceState, isFromElsewhere } from '../instance/state.ts';
import { trialFrom } from '../instance/trial.ts';
import { unfinished } from '../instance/unfinished.ts';
import { urlsOf } from '../product/template.ts';
import { statIfThere } from '../system/files.ts';
import { onEndingSignal } from '../system/signals.ts';
import type { GenerationKey } from '../values.ts';
import { asGenerationKey } from '../values.ts';
import type { Heard, SettledSettings } from './ask.ts';
import { claimAccount } from './claim-account.ts';
import { type ChangeContext, contextOf } from './context.ts';
import { refuseIfChanged } from './digest.ts';
import { type FoundService, lookAgain } from './found-service.ts';
import { holdInstance } from './hold.ts';
import type { Opening } from './journal.ts';
import type { Plan } from './plan.ts';
import type { ChangeRequest, ChangeResult, Ports } from './request.ts';
import { amountsOf, refuseWithoutSpace, spaceNeeds } from './space.ts';
import type { Staging } from './stage.ts';
import { stage, unstage } from './stage.ts';
import { allParts, backupOf, partPath, setAsideOf } from './steps/parts.ts';
import type { Survey } from './survey.ts';
import type { Target } from './target.ts';
import { refuseUnfinished } from './target.ts';
import { openTransaction, transact } from './transaction.ts';

export interface Prepared {
  readonly request: ChangeRequest;
  readonly target: Target;
  readonly settled: SettledSettings;
  readonly heard: Heard;
  readonly found: Survey;
  readonly plan: Plan;
}

/** Failures: 'instance-busy', 'refused-changed-meanwhile', what staging throws, 'change-undone', 'change-stuck'. */
export const perform = async (
  ports: Ports,
  prepared: Prepared,
): Promise<Pick<ChangeResult, 'setAside' | 'downtimeSeconds'>> => {
  const { target, plan } = prepared;
  const { paths } = target;
  const hold = holdInstance(ports.world, paths, plan.kind);
  const watched = hold.following(ports);
  let claim: ReturnType<typeof claimAccount> | undefined;
  try {
    refuseUnfinished(paths);
    refuseIfChanged(paths, plan.stateDigest);
    claim = claimAccount(ports.world, ports.home, plan, prepared.found.account);
    const ctx = await open(watched, prepared);
    const times = await transact(ctx);
    const aside = setAsideOf(paths, ctx.opening.backup);
    return { setAside: statIfThere(aside) === undefined ? [] : [aside], downtimeSeconds: times.downtimeSeconds };
  } finally {
    claim?.release();
    hold.release();
  }
};

/** Everything slow, and then the opening entry. Whatever fails before that leaves nothing behind. */
const open = async (ports: Ports, prepared: Prepared): Promise<ChangeContext> => {
  const { target, plan, found, heard } = prepared;
  const given = new AbortController();
  const after = stateAfter(ports, prepared, ports.world.now().toISOString());
  const staging: Staging = { ports, target, plan, found, heard, account: found.account, after, until: given.signal };
  const isNew = statIfThere(target.paths.folder) === undefined;
  const ending = watchEnding(ports, () => given.abort());
  try {
    await prepare(staging, ending.refuse);
    const opening = openingOf(ports, prepared, found);
    const again = await lookAgain(contextOf(ports.world, target.paths, opening, ports.events), found);
    return await openTransaction(ports, target.paths, openingOf(ports, prepared, again), () => {
      ending.refuse();
      refuseIfChanged(target.paths, plan.stateDigest);
    });
  } catch (error) {
    // Another that was let in as well (its lock file was replaced) has opened its change: what is prepared there now is that one's.
    if (unfinished(target.paths) === null) await unstage(staging, isNew);
    throw error;
  } finally {
    ending.unwatch();
  }
};

/** Until the journal is opened a signal only stops the work, and what was prepared goes: nothing has changed. `refuse` throws once one has come. */
const watchEnding = ({ events }: Ports, giveUp: () => void): { refuse: () => void; unwatch: () => void } => {
  let signal: string | undefined;
  const unwatch = onEndingSignal((received) => {
    if (received === 'SIGHUP') return;
    events.note(`${received}: the step under way is finished, then nothing more is done.`);
    signal ??= received;
    giveUp();
  });
  const refuse = (): void => {
    if (signal === undefined) return;
    throw new Failure(
      'cancelled',
      `Stopped by ${signal} before anything was changed.`,
      'Type the command again to go on: what was loaded is kept.',
    );
  };
  return { refuse, unwatch };
};

const prepare = async (staging: Staging, refuse: () => void): Promise<void> => {
  const { ports, target, found } = staging;
  await stage(staging, refuse);
  const switching = amountsOf(ports.home, target, found)
    .filter(({ path }) => path === target.paths.folder)
    .slice(0, 1);
  refuseWithoutSpace(spaceNeeds(switching));
};

const openingOf = (ports: Ports, prepared: Prepared, found: FoundService): Opening => {
  const { request, target, heard, plan } = prepared;
  const at = ports.world.now().toISOString();
  return {
    kind: plan.kind,
    plan,
    before: target.before,
    after: stateAfter(ports, prepared, at),
    found: {
      running: found.running,
      // A release that has failed its trial may look well in this moment; an undo has to start it again, and nothing more.
      healthy: request.failedTrial === undefined ? found.healthy : false,
      untried: found.untried,
      parts: allParts.filter((part) => statIfThere(partPath(target.paths, part)) !== undefined),
    },
    answer: heard.answer,
    ...heard.asked,
    login: ports.world.user.login,
    backup: backupName(target.paths, plan),
    purge: request.purge === true,
    at,
  };
};

/** A name that nothing bears: where the state file was lost, generations and so their backups may be counted anew. */
const backupName = (paths: InstancePaths, plan: Plan): string => {
  const number = String(plan.generation).padStart(6, '0');
  for (let again = 0; ; again += 1) {
    const name = `${number}${again === 0 ? '' : `.${again}`}-${plan.kind}`;
    const taken = [backupOf(paths, name), setAsideOf(paths, name)].some((path) => statIfThere(path) !== undefined);
    if (!taken) return name;
  }
};

const stateAfter = (ports: Ports, prepared: Prepared, at: string): InstanceState => {
  const { target, settled, heard, found, plan } = prepared;
  const { before, product, paths } = target;
  const generation = { generation: plan.generation, key: newKey(ports) };
  if (plan.kind === 'uninstall' && before !== null) {
    const { trial: _, failedTrial: __, ...left } = before;
    return { ...left, ...generation, installed: false, running: false, changedAt: at };
  }
  return {
    format: 1,
    name: paths.name,
    product: product.name,
    title: product.title,
    urls: urlsOf(product, settled.settings),
    installed: true,
    ...generation,
    release: target.to,
    noticeId: heard.noticeId,
    settings: settled.settings,
    supervisor: found.supervisor,
    account: found.account,
    veto: vetoOf(ports),
    running: plan.steps.every((step) => step.step !== 'rest'),
    previous: previousAfter(target, plan, at),
    manifest: target.manifest,
    installedAt: before?.installed ? before.installedAt : at,
    changedAt: at,
    folder: paths.folder,
    ...trialsAfter(prepared, at),
  };
};

/** The trial that is planned; or the one that has failed, for which this goes back. */
const trialsAfter = (
  { request, target, plan }: Prepared,
  at: string,
): Pick<InstanceState, 'trial' | 'failedTrial'> => ({
  ...(plan.steps.some(({ step }) => step === 'trial')
    ? { trial: trialFrom(target.release.probation ?? 0, new Date(at)) }
    : {}),
  ...(request.failedTrial === undefined ? {} : { failedTrial: request.failedTrial }),
});

/** What can be gone back to afterwards: the release that is left, with its data; a reinstall keeps what there was. */
const previousAfter = (target: Target, plan: Plan, at: string): InstanceState['previous'] => {
  const { before } = target;
  if (before === null || !before.installed || isFromElsewhere(target.paths, before)) return null;
  if (plan.kind === 'reinstall') return before.previous;
  return {
    release: before.release,
    noticeId: before.noticeId,
    settings: before.settings,
    backup: backupName(target.paths, plan),
    at,
  };
};

const vetoOf = ({ world }: Ports): string | null => {
  const said = world.env['DO_NOT_TRACK'];
  return said !== undefined && isVeto(said) ? said : null;
};

const newKey = ({ world }: Ports): GenerationKey => {
  const key = asGenerationKey(world.random(32).toString('hex'));
  if (key === undefined) throw new Error('32 random bytes did not make a key');
  return key;
};
