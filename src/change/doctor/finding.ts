/** What `doctor` finds, and what a check is given to look at. */

import type { InstancePaths } from '../../instance/paths.ts';
import type { InstanceState } from '../../instance/state.ts';
import type { StoredRelease } from '../../release/store.ts';
import type { ServiceSpec } from '../../service/spec.ts';
import type { Observation, Supervisor } from '../../service/supervisor.ts';
import type { World } from '../../system/world.ts';

export interface Finding {
  /** Stable, for scripts: `release-altered`. */
  readonly id: string;
  /** Null where it is about the machine or the home. */
  readonly instance: string | null;
  /** A note is worth knowing and nothing to mend: it does not make the command fail. */
  readonly level: 'problem' | 'warning' | 'note';
  readonly message: string;
  readonly remedy: string;
}

export type Found = Omit<Finding, 'instance'>;

/** An installed instance whose release is there, looked at once for all checks. */
export interface Patient {
  readonly world: World;
  readonly home: string;
  readonly paths: InstancePaths;
  readonly state: InstanceState;
  readonly stored: StoredRelease;
  readonly spec: ServiceSpec;
  readonly supervisor: Supervisor;
  readonly observed: Observation;
}

export const problem = (id: string, message: string, remedy: string): Found => ({
  id,
  level: 'problem',
  message,
  remedy,
});
export const warning = (id: string, message: string, remedy: string): Found => ({
  id,
  level: 'warning',
  message,
  remedy,
});
export const note = (id: string, message: string, remedy: string): Found => ({ id, level: 'note', message, remedy });
