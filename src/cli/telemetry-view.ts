/**
 * How telemetry stands for an instance, for `telemetry status`: the answer of the resolver and what was promised. On the light path, and
 * read-only. What may not be read is never told as a no: it is refused, and unknown in a list.
 */

import { statusExit } from '../consent/explain.ts';
import { consentOf } from '../consent/gather.ts';
import type { Notice } from '../consent/notice.ts';
import { readNotice } from '../consent/notice-file.ts';
import { isVeto } from '../consent/veto.ts';
import { Failure } from '../errors.ts';
import { listInstances } from '../instance/find.ts';
import { type InstancePaths, instancePaths } from '../instance/paths.ts';
import type { InstanceState } from '../instance/state.ts';
import { readState } from '../instance/state.ts';
import { findServerVeto } from '../service/server-veto.ts';
import type { World } from '../system/world.ts';
import { partsOwner, readParts } from '../telemetry/parts.ts';
import { bytesWaiting, lastReports } from '../telemetry/sent.ts';
import type { ConsentView, InstanceSummary } from '../ui/result.ts';
import type { InstanceName } from '../values.ts';
import type { Flags } from './flags.ts';
import { systemHome } from './home.ts';
import { consentView } from './instance-view.ts';
import { looksFurther, pickToRead, refuseUnreadable, systemInstances } from './reading.ts';
import { refusedBySystem } from './refused.ts';

export interface Counted {
  readonly instance: InstanceSummary;
  readonly consent: ConsentView;
  /** For --exit-code. */
  readonly exit: number;
}

/** An instance of a list of which this user may not read how it stands; `instance.detail` says why. */
export interface Unseen {
  readonly instance: InstanceSummary & { readonly detail: string };
  readonly consent?: undefined;
  readonly exit: number;
}

export interface AllCounted {
  readonly found: readonly (Counted | Unseen)[];
  /** True where the system's home has more, or may have, that only root can see. */
  readonly isClosed: boolean;
}

export const telemetryOfAll = (world: World, home: string, flags: Flags): AllCounted => {
  const own = listInstances(home).map((name) => telemetryOrUnseen(world, home, name));
  const shared = looksFurther(world, home, flags) ? systemInstances() : [];
  if (shared === 'closed') return { found: own, isClosed: true };
  return { found: [...own, ...shared.map((name) => telemetryOrUnseen(world, systemHome, name))], isClosed: false };
};

export const telemetryOfOne = async (world: World, home: string, flags: Flags, given: string): Promise<Counted> => {
  const found = await pickToRead(world, home, flags, given);
  return telemetryOf(world, found.home, found.name);
};

/** One that may not be read must not hide the others. */
export const telemetryOrUnseen = (world: World, home: string, name: InstanceName): Counted | Unseen => {
  try {
    return telemetryOf(world, home, name);
  } catch (error) {
    const failure = refusedBySystem(error) ?? error;
    if (!(failure instanceof Failure)) throw error;
    const { exit, message, advice } = failure;
    const unknown = { product: 'unknown', title: name, version: null, generation: null };
    return { instance: { name, ...unknown, detail: `${message} ${advice}` }, exit };
  }
};

/** Throws 'refused-permission' where this user may not read how it stands. */
export const telemetryOf = (world: World, home: string, name: InstanceName): Counted => {
  const paths = instancePaths(home, name);
  refuseUnreadable(paths);
  const state = stateOrNothing(() => readState(paths));
  const veto = findServerVeto(world, paths);
  const answer = consentOf(world, paths, veto.value);
  const notice = state?.noticeId ? readNotice(paths, state.noticeId) : undefined;
  const last = lastReports(paths);
  return {
    instance: {
      name,
      product: state?.product ?? name,
      title: state?.title ?? name,
      version: state?.installed === true ? state.release.version : null,
      generation: state?.generation ?? null,
    },
    consent: {
      ...consentView(answer, name, veto.unseen),
      counted: answer.collecting && notice !== undefined ? countedBy(notice) : [],
      recipient: notice?.recipient?.name ?? null,
      endpoint: notice?.recipient?.endpoint ?? null,
      days: state !== undefined && notice !== undefined ? countedDays(paths, state, notice) : [],
      lastReport: last?.left,
      lastRefused: last?.refused,
      bytesWaiting: bytesWaiting(paths),
      callerVetoes: isVeto(world.env['DO_NOT_TRACK']),
    },
    exit: statusExit(answer),
  };
};

/** The days that numbers lie here of, whether they can be reported or not. A folder that we may not look into shows none. */
const countedDays = (paths: InstancePaths, state: InstanceState, notice: Notice): string[] => {
  try {
    return [...new Set(readParts(paths, notice, partsOwner(paths, state)).map(({ day }) => day))].sort();
  } catch {
    return [];
  }
};

const countedBy = (notice: Notice): string[] => [...notice.counters.map(({ title }) => title), ...notice.dimensions];

/** The resolver says by itself what a damaged state means for telemetry. */
const stateOrNothing = (read: () => InstanceState | undefined): InstanceState | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};
