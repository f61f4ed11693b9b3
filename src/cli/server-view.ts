/** How the server of an installed instance is, looked at now: its processes, its answers, and its own telemetry where it has one. */

import { messageOf } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import type { InstanceState } from '../instance/state.ts';
import { checkOnce } from '../service/health/checks.ts';
import type { World } from '../system/world.ts';
import type { InstanceView } from '../ui/result.ts';
import type { KnownService } from './known-service.ts';
import { knownService } from './known-service.ts';

export type ServerView = Pick<InstanceView, 'state' | 'health' | 'login' | 'detail' | 'ownTelemetry'>;

/** Throws nothing: what can't be seen is unknown, and says why. */
export const serverView = async (world: World, paths: InstancePaths, state: InstanceState): Promise<ServerView> => {
  try {
    const known = knownService(world, paths, state);
    return { ...(await observe(known, state)), ...loginOf(known) };
  } catch (error) {
    return { state: 'unknown', health: 'unknown', detail: messageOf(error) };
  }
};

const observe = async ({ spec, supervisor }: KnownService, state: InstanceState): Promise<ServerView> => {
  const seen = await supervisor.observe(spec);
  if (seen.state !== 'running') return { state: seen.state, health: state.running ? 'unhealthy' : 'unknown' };
  const report = await checkOnce(spec);
  const detail = report.healthy ? undefined : report.reason;
  return {
    state: 'running',
    health: report.healthy ? 'healthy' : 'unhealthy',
    ...(detail === undefined ? {} : { detail }),
    ...(await ownTelemetryOf(spec)),
  };
};

/** A switch has to be seen, not believed: the running server is asked, where it has a telemetry of its own. */
const ownTelemetryOf = async (spec: KnownService['spec']): Promise<Pick<InstanceView, 'ownTelemetry'>> => {
  if (spec.ownTelemetry === null) return {};
  const { readBackTelemetry } = await import('../service/own-telemetry.ts');
  const reading = await readBackTelemetry(spec);
  return reading === undefined ? {} : { ownTelemetry: reading };
};

const loginOf = ({ login }: KnownService): Pick<InstanceView, 'login'> =>
  login === null ? {} : { login: { user: login.user, passwordFile: login.secretFile } };
