/**
 * `start`, `stop` and `restart`: no change in the sense of consent (no generation, no journal), but they hold the instance's lock, and
 * write down whether the server is meant to run.
 *
 * The state file is written before the server is started and after it is stopped: whatever is interrupted in between, a server that
 * is meant to run is found down, and never the other way round. A boot starts what is meant to run, and nothing else.
 */

import { consentForService } from '../consent/for-service.ts';
import { consentOf } from '../consent/gather.ts';
import { Failure } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import type { InstanceState } from '../instance/state.ts';
import { readState, refuseCopy, writeState } from '../instance/state.ts';
import { ensureProgram, findProgram, type Program } from '../release/program.ts';
import { gate } from '../service/health.ts';
import { comingVetoOf } from '../service/server-veto.ts';
import type { ServiceSpec } from '../service/spec.ts';
import { hostOf, serviceSpec } from '../service/spec.ts';
import { supervisors } from '../service/supervisor.ts';
import { toTheEnd } from '../system/signals.ts';
import { storedRelease } from './context.ts';
import { offWhereWithdrawn } from './follow-consent.ts';
import { holdInstance } from './hold.ts';
import type { Ports } from './request.ts';
import { refuseUnfinished } from './target.ts';

export type PowerKind = 'start' | 'stop' | 'restart';

/** True if the server was started or stopped; false where it was as it should be. Throws 'refused-check' where it does not become healthy. */
export const power = async (ports: Ports, paths: InstancePaths, kind: PowerKind): Promise<boolean> => {
  const hold = holdInstance(ports.world, paths, kind);
  const began = consentOf(ports.world, paths).collecting;
  try {
    refuseUnfinished(paths);
    const state = installedState(paths);
    refuseUnsupervised(state, kind);
    const program =
      kind === 'stop' ? findProgram(ports.world, ports.home) : await ensureProgram(ports.world, ports.home);
    const spec = specNow(ports, paths, { ...state, running: kind !== 'stop' }, program);
    // A server that was stopped to be restarted is not left so by a Ctrl-C.
    return await toTheEnd(() => turn(paths, state, spec, kind), ports.events.note);
  } finally {
    hold.release();
    // The server has come up as it was meant to before, or is to come up so.
    await offWhereWithdrawn(ports, paths, began);
  }
};

const turn = async (
  paths: InstancePaths,
  state: InstanceState,
  spec: ServiceSpec,
  kind: PowerKind,
): Promise<boolean> => {
  await supervisors[state.supervisor].mustBeOurs(spec);
  if (kind !== 'stop') refuseCopy(paths, state);
  if (kind === 'stop') return stop(paths, state, spec);
  if (kind === 'restart') await supervisors[state.supervisor].stop(spec);
  return (await start(paths, state, spec)) || kind === 'restart';
};

const start = async (paths: InstancePaths, state: InstanceState, spec: ServiceSpec): Promise<boolean> => {
  const supervisor = supervisors[state.supervisor];
  const before = await supervisor.observe(spec);
  mark(paths, state, true);
  if (before.state !== 'running') {
    await supervisor.install(spec);
    await supervisor.start(spec);
  } else await supervisor.atBoot(spec);
  const report = await gate(supervisor, spec);
  if (report.healthy) return before.state !== 'running';
  throw new Failure(
    'refused-check',
    `${spec.title} was started and is not healthy: ${report.reason ?? 'it does not answer'}.`,
    `It is left as it is. Its log: assent logs ${paths.name}. All checks: assent doctor ${paths.name}.`,
  );
};

const stop = async (paths: InstancePaths, state: InstanceState, spec: ServiceSpec): Promise<boolean> => {
  const supervisor = supervisors[state.supervisor];
  const before = await supervisor.observe(spec);
  await supervisor.stop(spec);
  await supervisor.atBoot(spec);
  mark(paths, state, false);
  return before.state !== 'stopped';
};

const mark = (paths: InstancePaths, state: InstanceState, running: boolean): void => {
  if (state.running !== running) writeState(paths, { ...state, running });
};

/** The server's own telemetry follows consent, as at every start. */
const specNow = (ports: Ports, paths: InstancePaths, state: InstanceState, program: Program): ServiceSpec => {
  const host = hostOf(ports.world, program);
  return serviceSpec(
    host,
    state,
    storedRelease(paths, state.release),
    paths,
    consentForService(ports.world, paths, comingVetoOf(ports.world, paths), state.veto),
  );
};

const installedState = (paths: InstancePaths): InstanceState => {
  const state = readState(paths);
  if (state?.installed === true) return state;
  throw new Failure(
    'no-instance',
    `${paths.name} is not installed.`,
    `Install it: assent install --name ${paths.name}`,
  );
};

const refuseUnsupervised = (state: InstanceState, kind: PowerKind): void => {
  if (state.supervisor !== 'none' || kind === 'stop') return;
  throw new Failure(
    'refused-check',
    `${state.name} was installed without a supervisor, so there is nobody to ${kind} it.`,
    `Run it in the foreground: assent run ${state.name}. Nothing was changed.`,
  );
};
