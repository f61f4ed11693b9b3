/**
 * What every step of a change is given: the opening entry, and the services before and after as data. It is made from
 * the opening entry and the disk alone, so that `recover` works with the same context as the change itself.
 */

import { consentForService } from '../consent/for-service.ts';
import { Failure } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import type { Account, InstanceState, ReleaseRef } from '../instance/state.ts';
import { homePaths } from '../release/layout.ts';
import { findProgram } from '../release/program.ts';
import type { StoredRelease } from '../release/store.ts';
import { findStored } from '../release/store.ts';
import type { ServiceHost, ServiceSpec } from '../service/spec.ts';
import { consentOff, hostOf, serviceSpec } from '../service/spec.ts';
import type { Supervisor } from '../service/supervisor.ts';
import { supervisors } from '../service/supervisor.ts';
import type { World } from '../system/world.ts';
import type { Opening } from './journal.ts';
import type { Events } from './request.ts';

export interface ChangeContext {
  readonly world: World;
  readonly home: string;
  readonly paths: InstancePaths;
  readonly events: Events;
  readonly opening: Opening;
  readonly supervisor: Supervisor;
  /** The service as it was found; null before a first install. */
  readonly specBefore: ServiceSpec | null;
  /** The service as it shall be; null for an uninstall. */
  readonly specAfter: ServiceSpec | null;
  readonly releaseAfter: StoredRelease | null;
  readonly account: Account | null;
  /** Why the server of before, put back as it was found, is not healthy: set by an undo, for what is told of it. */
  readonly putBack: { unhealthy: string | null };
  /** When the server was stopped, and first answered well again: `performance.now()`, for the last screen only. */
  readonly times: { downAt: number | null; upAt: number | null };
}

/** `mayLack`: an undo, and what follows a commit, can do without the release; what leads to the commit can't. */
export const contextOf = (
  world: World,
  paths: InstancePaths,
  opening: Opening,
  events: Events,
  { mayLack = false } = {},
): ChangeContext => {
  const host = hostOf(world, findProgram(world, paths.home));
  const { before, after } = opening;
  const installedBefore = before?.installed === true ? before : null;
  const found = after.installed ? findStoredOf(paths, after.release) : undefined;
  const stored = found ?? (after.installed && !mayLack ? storedRelease(paths, after.release) : null);
  return {
    world,
    home: paths.home,
    paths,
    events,
    opening,
    supervisor: supervisors[after.supervisor],
    specBefore:
      installedBefore && findStoredOf(paths, installedBefore.release) ? specOf(installedBefore, paths, host) : null,
    putBack: { unhealthy: null },
    times: { downAt: null, upAt: null },
    // Anew at each look: the step before the service puts the answer on record, and a withdrawal may take it away in the middle.
    get specAfter() {
      if (stored === null) return null;
      const { counting } = consentForService(world, paths, undefined, after.veto);
      return serviceSpec(host, after, stored, paths, { own: false, counting });
    },
    releaseAfter: stored,
    account: after.account,
  };
};

/** The service of an installed instance: its server's own telemetry off, and nothing counted. A yes of before is over where this is asked. */
export const specOf = (state: InstanceState, paths: InstancePaths, host: ServiceHost): ServiceSpec =>
  serviceSpec(host, state, storedRelease(paths, state.release), paths, consentOff);

/** The stored release that an instance refers to. Throws 'refused-check' where its folder is gone or incomplete. */
export const storedRelease = (paths: InstancePaths, ref: ReleaseRef): StoredRelease => {
  const stored = findStoredOf(paths, ref);
  if (stored !== undefined) return stored;
  throw new Failure(
    'refused-check',
    `The release ${ref.product} ${ref.version} is missing or incomplete in ${homePaths(paths.home).releases}.`,
    'Store it again with: assent reinstall. Nothing was changed.',
  );
};

const findStoredOf = (paths: InstancePaths, ref: ReleaseRef): StoredRelease | undefined =>
  findStored(paths.home, ref.product, ref.version, ref.digest);
