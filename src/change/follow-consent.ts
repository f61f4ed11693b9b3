/**
 * A server's own telemetry follows the resolver. It is off before every start; only behind a finished change with a yes, and only if
 * the notice had a section for it, is it turned on, and read back.
 */

import { consentOf } from '../consent/gather.ts';
import { readNotice } from '../consent/notice-file.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { readState } from '../instance/state.ts';
import { ensureProgram } from '../release/program.ts';
import { gate } from '../service/health.ts';
import { readBackTelemetry } from '../service/own-telemetry.ts';
import type { ServiceSpec } from '../service/spec.ts';
import { hostOf, serviceSpec } from '../service/spec.ts';
import type { Supervisor } from '../service/supervisor.ts';
import { supervisors } from '../service/supervisor.ts';
import { storedRelease } from './context.ts';
import type { Ports } from './request.ts';

/** Behind a change: turns the server's own telemetry on where that was agreed to. Never fails the change. */
export const followConsent = async (ports: Ports, paths: InstancePaths): Promise<void> => {
  try {
    const own = await ownTelemetrySpec(ports, paths, true);
    if (own === undefined || !consentOf(ports.world, paths, own.veto).collecting) return;
    await restartWith(own);
  } catch (error) {
    ports.events.warn({
      id: 'own-telemetry',
      message: `The server's own telemetry could not be turned on: ${error instanceof Error ? error.message : String(error)}.`,
      remedy: 'It stays off. See: assent doctor.',
    });
  }
};

/** For a withdrawal: off, restarted, read back. Throws where the server still sends. */
export const serverTelemetryOff = async (ports: Ports, paths: InstancePaths): Promise<void> => {
  const own = await ownTelemetrySpec(ports, paths, false);
  if (own !== undefined) await restartWith(own);
};

interface OwnTelemetry {
  readonly spec: ServiceSpec;
  readonly supervisor: Supervisor;
  readonly veto: string | undefined;
}

const ownTelemetrySpec = async (ports: Ports, paths: InstancePaths, on: boolean): Promise<OwnTelemetry | undefined> => {
  const state = readState(paths);
  if (state?.installed !== true) return undefined;
  // What a yes can turn on stands in the stored notice; where that has nothing of the kind, a release that is gone is nobody's trouble here.
  if (state.noticeId === null || readNotice(paths, state.noticeId)?.ownTelemetry === null) return undefined;
  const stored = storedRelease(paths, state.release);
  if (stored.release.ownTelemetry?.notice === undefined) return undefined;
  const host = hostOf(ports.world, await ensureProgram(ports.world, ports.home));
  return {
    spec: serviceSpec(host, state, stored, paths, on),
    supervisor: supervisors[state.supervisor],
    veto: state.veto ?? undefined,
  };
};

/** Restarts a running server that does not do as the spec says, waits until it answers, and asks it again. */
const restartWith = async ({ spec, supervisor }: OwnTelemetry): Promise<void> => {
  const { state } = await supervisor.observe(spec);
  await supervisor.install(spec);
  if (state === 'stopped' || (await readBackTelemetry(spec))?.obeyed === true) return;
  if (supervisor.kind === 'none') throw new Error('nobody here can restart it: that is up to whoever runs it');
  await supervisor.stop(spec);
  await supervisor.start(spec);
  const health = await gate(supervisor, spec);
  const reading = await readBackTelemetry(spec);
  if (reading === undefined || reading.obeyed === true) return;
  // What does not run sends nothing.
  if ((await supervisor.observe(spec)).state !== 'running' && !spec.ownTelemetry?.on) return;
  throw new Error(health.healthy ? reading.detail : `${reading.detail} (${health.reason ?? 'it is not healthy'})`);
};
