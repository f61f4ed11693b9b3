/**
 * The service of an installed instance as it is to run now: its spec, its supervisor, and with what people log in. Made from the state file
 * and the sealed release, without reading a manifest, so that `status` stays light.
 */

import { consentForService } from '../consent/for-service.ts';
import { Failure } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { instancePaths } from '../instance/paths.ts';
import type { InstanceState } from '../instance/state.ts';
import { readState } from '../instance/state.ts';
import { findStored } from '../release/store.ts';
import { serverVetoOf } from '../service/server-veto.ts';
import type { ServiceSpec } from '../service/spec.ts';
import { hostOf, serviceSpec, viewOfService } from '../service/spec.ts';
import type { Login } from '../service/spec-checks.ts';
import { loginOf } from '../service/spec-checks.ts';
import type { Supervisor } from '../service/supervisor.ts';
import { supervisors } from '../service/supervisor.ts';
import type { World } from '../system/world.ts';
import type { InstanceName } from '../values.ts';
import type { Readable } from './reading.ts';

export interface KnownService {
  readonly spec: ServiceSpec;
  readonly supervisor: Supervisor;
  /** Null where the product has no login. */
  readonly login: Login | null;
}

/** The service of an instance. Throws 'no-instance' where it is not installed, 'refused-check' where its release is gone. */
export const pickService = async (
  world: World,
  { home, name }: Readable,
): Promise<KnownService & { name: InstanceName }> => {
  const paths = instancePaths(home, name);
  const state = readState(paths);
  if (state?.installed === true) return { name, ...knownService(world, paths, state) };
  throw new Failure('no-instance', `${name} is not installed.`, `Install it: assent install --name ${name}`);
};

export const knownService = (world: World, paths: InstancePaths, state: InstanceState): KnownService => {
  const { product, version, digest } = state.release;
  const stored = findStored(paths.home, product, version, digest);
  if (stored === undefined) {
    throw new Failure(
      'refused-check',
      `The release ${product} ${version} is missing or incomplete in the store.`,
      `Store it again with: assent reinstall ${paths.name}. Nothing was changed.`,
    );
  }
  const host = hostOf(world, null);
  const consent = consentForService(world, paths, serverVetoOf(world, paths), state.veto);
  return {
    spec: serviceSpec(host, state, stored, paths, consent),
    supervisor: supervisors[state.supervisor],
    login: loginOf(stored, viewOfService(host, state, stored, paths), paths),
  };
};
