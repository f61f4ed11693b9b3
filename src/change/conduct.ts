/**
 * A change from its first question to its last word: ask -> plan -> transaction. Every command that changes an instance comes
 * through here, with a request and the ports for questions and progress.
 *
 * The order is the promise. A no is heard first and takes effect at once. Then the settings, then telemetry, then the plan, then the last
 * question; then the lock, and a look whether the plan is still true; then everything slow; then the transaction.
 */

import { holdAsking } from '../consent/asking.ts';
import { consentOf } from '../consent/gather.ts';
import type { Way } from '../consent/resolver.ts';
import { sayNo } from '../consent/withdraw.ts';
import { Failure } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { instancePaths } from '../instance/paths.ts';
import type { InstanceState } from '../instance/state.ts';
import { readState } from '../instance/state.ts';
import { statIfThere } from '../system/files.ts';
import { onEndingSignal } from '../system/signals.ts';
import { hearConsent, settleSettings } from './ask.ts';
import { refuseUnacknowledged, refuseUnknownAcks } from './dangers.ts';
import { refuseIfChanged } from './digest.ts';
import { followConsent, offWhereWithdrawn, serverOffOrTold } from './follow-consent.ts';
import { refuseForeign, refuseHeld, refuseUnwritable } from './hold.ts';
import { standing } from './nothing-to-do.ts';
import type { Prepared } from './perform.ts';
import { perform } from './perform.ts';
import type { Plan } from './plan.ts';
import { makePlan } from './planning.ts';
import type { ChangeRequest, ChangeResult, Outcome, Ports } from './request.ts';
import { saveAnswers } from './save-answers.ts';
import { refuseWithoutSpace } from './space.ts';
import { sweep } from './stage.ts';
import { stateUnread } from './state-unread.ts';
import { survey } from './survey.ts';
import type { Target } from './target.ts';
import { refuseUnfinished, resolveTarget, targetInstance } from './target.ts';

export const outcomes = {
  install: 'installed',
  reinstall: 'reinstalled',
  upgrade: 'upgraded',
  rollback: 'rolled-back',
  uninstall: 'uninstalled',
} as const satisfies Record<ChangeRequest['kind'], Outcome>;

export const conduct = async (ports: Ports, request: ChangeRequest): Promise<ChangeResult> => {
  const paths = instancePaths(ports.home, await targetInstance(ports, request));
  const withdrew = request.telemetry?.say === 'off' && (await noAtOnce(ports, request, paths, request.telemetry.by));
  refuseOthers(ports, paths);
  const target = await resolveTarget(ports, request, paths.name);
  const instead = await standing(ports, request, target);
  if (instead === 'unchanged') return unchanged(ports, paths, withdrew);
  if (instead !== undefined) return conduct(ports, instead);
  if (!request.dryRun) refuseUnwritable(paths);
  const asking = request.dryRun ? undefined : holdAsking(ports.world, paths);
  try {
    return await carryThrough(ports, request, target, () => asking?.release());
  } finally {
    asking?.release();
  }
};

/** From the first question to the end. `noLonger`: whoever has said no is on the way to a yes no more. */
const carryThrough = async (
  ports: Ports,
  request: ChangeRequest,
  target: Target,
  noLonger: () => void,
): Promise<ChangeResult> => {
  const { paths } = target;
  ports.events.title(`${target.product.title} ${target.release.version}`, target.product.summary);
  const settled = await settleSettings(ports, request, target);
  const heard = await hearConsent(ports, request, target, settled.settings);
  if (heard.answer.say !== 'yes') noLonger();
  if (heard.answer.say === 'no' && heard.answer.by === 'prompt') await noAtOnce(ports, request, paths, 'prompt');
  if (!request.dryRun) await sweep(ports, paths);
  const found = await surveyAlone(ports, request, target, settled);
  const plan = makePlan(ports, request, target, found, heard);
  ports.events.plan(plan);
  refuseWithoutSpace(plan.space);
  refuseUnknownAcks(plan, request.ack);
  if (request.dryRun) return planned(ports, paths, plan);
  await lastQuestion(ports, request, plan);
  await saveAnswers(ports, request, target, settled, heard);
  const prepared: Prepared = { request, target, settled, heard, found, plan };
  const done = await performed(ports, prepared);
  await followConsent(ports, paths);
  return resultOf(ports, paths, { ...done, outcome: outcomes[request.kind], changed: true, plan });
};

/** Behind a change that is refused in the end an earlier yes stands as it was: unless somebody has withdrawn it, and found the instance held. */
const performed: typeof perform = async (ports, prepared) => {
  const { paths } = prepared.target;
  const began = consentOf(ports.world, paths).collecting;
  try {
    return await perform(ports, prepared);
  } catch (error) {
    await offWhereWithdrawn(ports, paths, began);
    throw error;
  }
};

/** Better said before the questions than behind them. The lock itself is taken after the last one. */
const refuseOthers = ({ world }: Ports, paths: InstancePaths): void => {
  refuseForeign(world, paths);
  refuseUnfinished(paths);
  refuseHeld(paths);
};

/** What a survey finds wrong (a port that is taken), or changed since the first look, may be the work of another run that has begun meanwhile. */
const surveyAlone: typeof survey = async (ports, request, target, settled) => {
  try {
    const found = await survey(ports, request, target, settled);
    refuseIfChanged(target.paths, target.stateDigest);
    return found;
  } catch (error) {
    refuseOthers(ports, target.paths);
    throw error;
  }
};

/**
 * `--dry-run` excepted, a no is on record there and then: it ends a yes in force, and beats one that another run was given meanwhile or that waits for
 * `recover`. That needs no state file, but something of the instance: where there is nothing, no log is made. True if that changed something. A signal
 * meanwhile ends the command behind it, for what is recorded and half erased is not left so.
 */
const noAtOnce = async (ports: Ports, request: ChangeRequest, paths: InstancePaths, by: Way): Promise<boolean> => {
  if (request.dryRun || statIfThere(paths.folder)?.kind !== 'folder') return false;
  const serverOff = () => serverOffOrTold(ports, paths);
  let stopped: string | undefined;
  const unwatch = onEndingSignal((signal) => {
    if (signal !== 'SIGHUP') stopped = signal;
  });
  const { changed, warnings, failure } = await sayNo(ports.world, paths, by, { serverOff }).finally(unwatch);
  if (failure !== null) throw failure;
  if (changed) ports.withdrawn?.(paths.name);
  for (const message of warnings) ports.events.warn({ id: 'withdrawal', message, remedy: 'Nothing is counted.' });
  if (stopped !== undefined) throw new Failure('cancelled', `Stopped by ${stopped}.`, 'Nothing was changed.');
  return changed;
};

/** At a terminal the plan is confirmed; elsewhere `--yes` has to be there, and an acknowledgement for each danger. */
const lastQuestion = async (ports: Ports, request: ChangeRequest, plan: Plan): Promise<void> => {
  const open = plan.dangers.filter((danger) => !request.ack.includes(danger.id));
  if (!ports.asker.interactive) {
    refuseUnacknowledged(plan, request.ack);
    if (request.yes) return;
    throw new Failure(
      'confirmation-needed',
      'There is no terminal to confirm the plan at.',
      'Pass --yes to take the plan as it is, or --dry-run to see it. Nothing was changed.',
    );
  }
  if (open.length === 0 && request.yes) return;
  if (await ports.asker.confirm(plan, open, request.yes)) return;
  throw new Failure('cancelled', 'Cancelled.', 'Nothing was changed.');
};

const unchanged = (ports: Ports, paths: InstancePaths, withdrew: boolean): ChangeResult =>
  resultOf(ports, paths, { outcome: 'unchanged', changed: withdrew, plan: null, setAside: [], downtimeSeconds: null });

const planned = (ports: Ports, paths: InstancePaths, plan: Plan): ChangeResult =>
  resultOf(ports, paths, { outcome: 'planned', changed: false, plan, setAside: [], downtimeSeconds: null });

/** A change that is done is done, whether or not its state can be read back now. */
const stateBehind = (ports: Ports, paths: InstancePaths, changed: boolean): InstanceState | null => {
  try {
    return readState(paths) ?? null;
  } catch (error) {
    if (!changed) throw error;
    ports.events.warn(stateUnread(paths.name, error));
    return null;
  }
};

type Ending = Pick<ChangeResult, 'outcome' | 'changed' | 'plan' | 'setAside' | 'downtimeSeconds'>;

export const resultOf = (ports: Ports, paths: InstancePaths, ending: Ending): ChangeResult => {
  const state = stateBehind(ports, paths, ending.changed);
  return {
    ...ending,
    state,
    consent: state === null ? null : consentOf(ports.world, paths, state.veto ?? undefined),
    noticeId: state?.noticeId ?? null,
    warnings: ending.plan?.warnings ?? [],
  };
};
