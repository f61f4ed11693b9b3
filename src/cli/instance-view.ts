/**
 * What is seen of an instance now: its state file, an open change, the answer about telemetry, its server and how that is.
 *
 * On the light path (`status`): nothing that is slow to load, the sealed release has all that is needed.
 */

import type { Warning } from '../change/plan.ts';
import { stateUnread } from '../change/state-unread.ts';
import { explain } from '../consent/explain.ts';
import { consentOf } from '../consent/gather.ts';
import type { Answer } from '../consent/resolver.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { instancePaths } from '../instance/paths.ts';
import type { InstanceState } from '../instance/state.ts';
import { readState } from '../instance/state.ts';
import { readMemory } from '../instance/trial.ts';
import { unfinished } from '../instance/unfinished.ts';
import { findServerVeto } from '../service/server-veto.ts';
import type { World } from '../system/world.ts';
import type { ConsentView, InstanceView } from '../ui/result.ts';
import type { InstanceName } from '../values.ts';
import type { Invocation } from './invocation.ts';
import type { ServerView } from './server-view.ts';

/** The instance as it is. Throws 'refused-state-damaged' where its state file is. */
export const viewOf = async (world: World, home: string, name: InstanceName): Promise<InstanceView> => {
  const paths = instancePaths(home, name);
  const state = readState(paths);
  const open = unfinished(paths);
  const veto = findServerVeto(world, paths);
  const consent = consentView(consentOf(world, paths, veto.value), name, veto.unseen);
  const seen = state?.installed === true ? await serverOf(world, paths, state) : notInstalled;
  return {
    name,
    product: state?.product ?? name,
    title: state?.title ?? name,
    version: state?.installed === true ? state.release.version : null,
    previous: state?.previous?.release.version ?? null,
    generation: state?.generation ?? null,
    supervisor: state?.supervisor ?? null,
    ...seen,
    urls: state?.installed === true ? state.urls : {},
    paths: shownPaths(paths),
    consent,
    ...trialsOf(world, paths, state),
    ...(open === null ? {} : { unfinished: { kind: open.kind, step: open.step, at: open.at, running: open.running } }),
  };
};

/** The instance behind a command that has done what it was asked: what can't be read of it then is a warning, and the view undefined. */
export const viewBehind = async (
  { world, home }: Pick<Invocation, 'world' | 'home'>,
  { name, changed }: { readonly name: InstanceName; readonly changed: boolean },
  warn: (warning: Warning) => void,
): Promise<InstanceView | undefined> => {
  try {
    return await viewOf(world, home, name);
  } catch (error) {
    if (!changed) throw error;
    warn(stateUnread(name, error));
    return undefined;
  }
};

/** `unseen`: what may hold a veto and can't be read here. */
export const consentView = (answer: Answer, name: string, unseen: string | null): ConsentView => {
  const { state, collecting, reason, noticeId, by, at, fault, running } = answer;
  return {
    state,
    collecting,
    reason,
    noticeId,
    by,
    at,
    ...(fault === null ? {} : { fault }),
    ...(running === null ? {} : { running }),
    meaning: explain(answer, name, unseen),
  };
};

/** A trial that is over and was passed is not worth a word. */
const trialsOf = (
  world: World,
  paths: InstancePaths,
  state: InstanceState | undefined,
): Pick<InstanceView, 'trial' | 'failedTrial'> => {
  if (state?.installed !== true) return {};
  const failedTrial = state.failedTrial === undefined ? {} : { failedTrial: state.failedTrial };
  if (state.trial === undefined) return failedTrial;
  const { verdict, ending, detail } = readMemory(paths, state);
  const { until } = state.trial;
  if (verdict === null) return world.now().getTime() < Date.parse(until) ? { trial: { until } } : {};
  return { trial: { until, failed: verdict, ...(ending === 'waits' ? { waits: detail } : {}) } };
};

const notInstalled: ServerView = { state: 'stopped', health: 'unknown' };

/** Loaded where something is installed: what knows servers is as large as all the rest. */
const serverOf = async (world: World, paths: InstancePaths, state: InstanceState): Promise<ServerView> => {
  const { serverView } = await import('./server-view.ts');
  return serverView(world, paths, state);
};

const shownPaths = ({ folder, config, data, logs, backups, secrets }: InstancePaths): Record<string, string> => ({
  folder,
  config,
  data,
  logs,
  backups,
  secrets,
});
