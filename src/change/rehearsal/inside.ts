/**
 * The rehearsal from inside of its namespaces: the server is run as `assent run --detached` runs it, with prepare commands, restarts, its own
 * telemetry kept off and nothing of ours loaded, and the gate of a change watches it for as long as there. A shorter look would let
 * pass what the real one then finds with the server stopped.
 *
 * Nothing is stopped in the end: with this process the kernel ends everything in these namespaces.
 */

import { Failure, messageOf } from '../../errors.ts';
import { type InstancePaths, instancePaths } from '../../instance/paths.ts';
import { readState } from '../../instance/state.ts';
import { renderAll } from '../../product/template.ts';
import { findStored } from '../../release/store.ts';
import { gate } from '../../service/health.ts';
import { readRecord } from '../../service/process-record.ts';
import { runSpec } from '../../service/run-spec.ts';
import { consentOff, hostOf, type ServiceSpec, serviceSpec, viewOfService } from '../../service/spec.ts';
import { supervisors } from '../../service/supervisor.ts';
import { sleep } from '../../system/processes.ts';
import type { World } from '../../system/world.ts';
import type { InstanceName } from '../../values.ts';

/** What it is told, as JSON. */
export interface RehearsalOrder {
  readonly home: string;
  readonly name: InstanceName;
}

export interface RehearsalReport {
  readonly healthy: boolean;
  /** Why it is not. */
  readonly reason?: string;
  /** The end of the server's log. */
  readonly log: string;
}

export type RehearsalAnswer = { readonly report: RehearsalReport } | { readonly error: string };

export const rehearseInside = async (world: World, { home, name }: RehearsalOrder): Promise<RehearsalReport> => {
  const spec = specInCopy(world, instancePaths(home, name));
  let trouble: string | undefined;
  const serving = runSpec(world, spec, 'detached').catch((error: unknown) => {
    trouble = messageOf(error);
  });
  await Promise.race([firstTry(spec), serving]);
  if (trouble !== undefined) return { healthy: false, reason: trouble, log: await logTail(spec) };
  const { healthy, reason } = await gate(supervisors.process, spec);
  return { healthy, ...(reason === undefined ? {} : { reason }), log: healthy ? '' : await logTail(spec) };
};

/** As after the change, but with what the manifest says for a rehearsal. Whose HOME and PATH they are is no manifest's affair. */
const specInCopy = (world: World, paths: InstancePaths): ServiceSpec => {
  const state = readState(paths);
  const stored = state && findStored(paths.home, state.release.product, state.release.version, state.release.digest);
  if (state === undefined || stored === undefined) {
    throw new Failure('refused-check', 'The copy has no state, or its release is not in the store.', 'Try again.');
  }
  const host = hostOf(world, null);
  const spec = serviceSpec(host, state, stored, paths, consentOff);
  const view = viewOfService(host, state, stored, paths);
  const added = renderAll(stored.release.rehearsal?.environment ?? {}, view, 'rehearsal.environment');
  const { HOME = '', PATH = '' } = spec.environment;
  return { ...spec, environment: { ...spec.environment, ...added, HOME, PATH } };
};

/** Until the server was started, or could not be: the gate tells which. */
const firstTry = async (spec: ServiceSpec): Promise<void> => {
  const end = performance.now() + ((spec.prepare.length + 1) * spec.startSeconds + 15) * 1000;
  while (performance.now() < end) {
    const phase = readRecord(spec.paths, spec.host.uid)?.phase;
    if (phase !== undefined && phase !== 'starting') return;
    await sleep(5);
  }
};

const logTail = async (spec: ServiceSpec): Promise<string> => {
  const lines: string[] = [];
  for await (const line of supervisors.process.logs(spec, { lines: 12, follow: false })) lines.push(line);
  return lines.join('\n');
};
