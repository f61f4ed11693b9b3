/** What consent says to whoever starts a server. Both only ever subtract. */

import type { InstancePaths } from '../instance/paths.ts';
import type { World } from '../system/world.ts';
import { consentOf } from './gather.ts';
import { isVeto } from './veto.ts';

export interface ConsentForService {
  /** Whether a yes is in force that the server's own telemetry may follow: a finished change, no veto. */
  readonly own: boolean;
  /** Whether an acceptance is on record for this generation: then what counts may be loaded. It asks the resolver by itself before it counts. */
  readonly counting: boolean;
}

/**
 * `serverVeto`: DO_NOT_TRACK in the environment of the server that runs, or is about to start. It may go as it has come, without us, so what counts stays loaded, and asks
 * for it by itself. `vetoes`: what a change wrote for the server, and that of whoever starts it in the foreground.
 */
export const consentForService = (
  world: Pick<World, 'now' | 'machineId' | 'env'>,
  paths: InstancePaths,
  serverVeto: string | undefined,
  ...vetoes: readonly (string | null | undefined)[]
): ConsentForService => {
  const answer = consentOf(world, paths);
  const vetoed = answer.reason === 'do-not-track' || vetoes.some(isVeto);
  return { own: answer.collecting && !vetoed && !isVeto(serverVeto), counting: answer.state === 'accepted' && !vetoed };
};
