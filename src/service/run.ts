/**
 * `assent run NAME`: the server in the foreground, for containers and other inits; detached, the same code is the process supervisor.
 *
 * - In the foreground nothing is started again: the server's end is ours, with its code, and whoever started us decides.
 * - As process 1 it first becomes an init that reaps orphans (src/system/own-process.ts).
 */

import { basename, dirname } from 'node:path';
import { Failure } from '../errors.ts';
import { type InstancePaths, instancePaths } from '../instance/paths.ts';
import { type InstanceState, readState } from '../instance/state.ts';
import { unfinished } from '../instance/unfinished.ts';
import { findStored } from '../release/store.ts';
import { readLinkIfThere } from '../system/files.ts';
import { becomeInit, isFirstProcess } from '../system/own-process.ts';
import type { Stream } from '../system/terminal.ts';
import type { World } from '../system/world.ts';
import { asVersion, type InstanceName } from '../values.ts';
import { applyOwnTelemetry } from './own-telemetry.ts';
import { runSpec, runsAlready } from './run-spec.ts';
import { hostOf, type ServiceSpec, type SpecConsent, serviceSpec } from './spec.ts';
import { systemdSupervisor } from './systemd.ts';
import { watchTrial } from './watch-trial.ts';

export interface RunRequest {
  readonly home: string;
  readonly name: InstanceName;
  /** `prepare-only` is what a unit does before the server starts: it keeps the server's own telemetry as consent has it. */
  readonly mode: 'foreground' | 'detached' | 'prepare-only';
  /** What consent says, asked anew before each start of the server. */
  readonly consent: () => SpecConsent;
  /** Whether what counts and sends beside the server may run; asked every few seconds. Default: never. */
  readonly mayRun?: () => boolean;
  /** Where what a server in the foreground writes to its standard output goes. Default: to ours. */
  readonly serverOut?: Stream;
  /** Called by whoever really starts the server, right before each start. */
  readonly beforeStart?: () => void;
}

/** Runs until the server ends or a signal ends it. Returns the exit code: the server's, or 0 where it ended because we told it to. */
export const runInstance = async (world: World, request: RunRequest): Promise<number> => {
  const { home, name, mode, consent, mayRun, serverOut = 'out', beforeStart = () => {} } = request;
  if (mode === 'foreground' && isFirstProcess()) becomeInit();
  const paths = instancePaths(home, name);
  const specNow = () => specOfCurrent(world, paths, consent());
  const spec = specNow();
  if (mode === 'prepare-only') {
    await applyOwnTelemetry(spec);
    return 0;
  }
  if (mode === 'foreground') await refuseForeground(spec);
  const specAtStart = () => {
    beforeStart();
    return specNow();
  };
  if (mode === 'foreground') return runSpec(world, spec, mode, specAtStart, mayRun, { serverOut });
  return runSpec(world, spec, mode, specAtStart, mayRun, { beside: (say) => watchTrial(world, paths, specNow, say) });
};

/** The spec of the release that `current` names. Failure 'no-instance' where nothing is installed, 'refused-check' where the release is gone. */
export const specOfCurrent = (world: World, paths: InstancePaths, consent: SpecConsent): ServiceSpec => {
  const state = readState(paths);
  if (state === undefined || !state.installed) {
    throw new Failure(
      'no-instance',
      `There is no instance "${paths.name}" in ${paths.home}.`,
      'Install it: assent install',
    );
  }
  return serviceSpec(hostOf(world, null), state, storedOfCurrent(paths, state), paths, consent);
};

const storedOfCurrent = (paths: InstancePaths, state: InstanceState) => {
  const link = readLinkIfThere(paths.current) ?? '';
  const [version, digest] = /^(.+)-([0-9a-f]{12})$/.exec(basename(link))?.slice(1) ?? [];
  const exact = version === undefined ? undefined : asVersion(version);
  const stored =
    exact === undefined || digest === undefined || basename(dirname(link)) !== state.product
      ? undefined
      : findStored(paths.home, state.product, exact, digest);
  if (stored !== undefined) return stored;
  throw new Failure(
    'refused-check',
    `${paths.current} leads to no complete release${link === '' ? '' : ` (${link})`}.`,
    `Look with: assent doctor ${paths.name}`,
  );
};

const refuseForeground = async (spec: ServiceSpec): Promise<void> => {
  const change = unfinished(spec.paths);
  if (change?.running) {
    throw new Failure(
      'instance-busy',
      `A change (${change.kind}) of ${spec.instance} is running.`,
      'Wait until it has ended.',
    );
  }
  if (change !== null) {
    throw new Failure(
      'change-interrupted',
      `A change (${change.kind}) of ${spec.instance} was interrupted at ${change.step}.`,
      `End it first: assent recover ${spec.instance}`,
    );
  }
  const observed = readState(spec.paths)?.supervisor === 'systemd' ? await systemdSupervisor.observe(spec) : undefined;
  if (observed?.main !== undefined) throw runsAlready(spec.instance, `systemd (process ${observed.main.pid})`);
};
