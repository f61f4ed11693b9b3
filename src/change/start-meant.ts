/**
 * A server that is meant to run, and is down where a change of it has been interrupted: the machine may have lost its power meanwhile. It is started by whoever ends
 * the change, for where there is no systemd, nobody else would.
 */

import { messageOf } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { readState } from '../instance/state.ts';
import { findProgram } from '../release/program.ts';
import { gate } from '../service/health.ts';
import { hostOf } from '../service/spec.ts';
import { type Observation, type SupervisorKind, supervisors } from '../service/supervisor.ts';
import { specOf } from './context.ts';
import type { Ports } from './request.ts';

/** systemd goes on with what has failed; of a run of our own that has, nothing but its record is left. */
const isDown = (kind: SupervisorKind, { state }: Observation): boolean =>
  state === 'stopped' || (kind === 'process' && state === 'failed');

/** Throws nothing. The change is ended, whatever comes of this: a server that can't be started, or does not answer, is a warning. */
export const startMeant = async ({ world, home, events }: Ports, paths: InstancePaths): Promise<void> => {
  try {
    const state = readState(paths);
    if (state?.installed !== true || !state.running || state.supervisor === 'none') return;
    const spec = specOf(state, paths, hostOf(world, findProgram(world, home)));
    const supervisor = supervisors[state.supervisor];
    if (!isDown(state.supervisor, await supervisor.observe(spec))) return;
    await supervisor.start(spec);
    // A boot waits for nobody's health.
    if (state.supervisor === 'systemd') return;
    const { healthy, reason } = await gate(supervisor, spec);
    if (!healthy) throw new Error(reason ?? 'it is not healthy');
  } catch (error) {
    events.warn({
      id: 'not-started',
      message: `The change is ended, and the server is not up: ${messageOf(error)}`,
      remedy: `See its log: assent logs ${paths.name}. Then: assent start ${paths.name}`,
    });
  }
};
