/**
 * Supervisor: who starts a server, keeps it running and stops it. One port of a few functions, three kinds, one closed table.
 *
 * Invariants that every kind keeps, and that the steps of a change rely on:
 * - every function is idempotent and decides from what is there: installing twice, stopping what is stopped, is no error;
 * - `stop` returns when the whole process group (cgroup) is really gone, orphans of a killed supervisor included;
 * - a server never runs as root, and never twice;
 * - what belongs to another home is left alone, for two homes may have instances of the same name.
 */

import type { SupervisorKind } from '../instance/state.ts';
import type { ProcessIdentity } from '../system/processes.ts';
import type { World } from '../system/world.ts';
import { isManagerThere } from './manager.ts';
import { noneSupervisor } from './none.ts';
import type { Named } from './own-units.ts';
import { processSupervisor } from './process.ts';
import type { ServiceSpec } from './spec.ts';
import { systemdSupervisor } from './systemd.ts';

export type { SupervisorKind } from '../instance/state.ts';

/** What is seen of a service at one moment. */
export interface Observation {
  /** `failed`: it is meant to run and does not (it died, or waits to be started again). */
  readonly state: 'running' | 'stopped' | 'failed';
  /** The server's main process, while it runs. */
  readonly main?: ProcessIdentity;
  /** How often the supervisor started it again by itself since the last `start`. */
  readonly restarts: number;
  /** It is not started again by itself any more: for the number of its starts, whoever has made them, or because a death is its end. */
  readonly gaveUp?: 'starts' | 'death';
}

export interface LogOptions {
  /** How many of the last lines to begin with. */
  readonly lines: number;
  /** Go on with what is written from now on, until `until` aborts. */
  readonly follow: boolean;
  readonly until?: AbortSignal;
}

export interface Supervisor {
  readonly kind: SupervisorKind;
  /**
   * Failure 'refused-check' where what bears the service's name is another home's, or nobody's that we know: all that follows would act on it. `isNew`:
   * nothing of the name is installed in this home.
   */
  readonly mustBeOurs: (named: Named, how?: { readonly isNew?: boolean }) => Promise<void>;
  /** Puts in place what the supervisor needs on disk, and has it start at boot where it can and the spec says that it runs. Starts nothing. */
  readonly install: (spec: ServiceSpec) => Promise<void>;
  /** The same of the boot alone, for whoever starts or stops the server without a change. Nothing where nothing is installed, or it is another home's. */
  readonly atBoot: (spec: ServiceSpec) => Promise<void>;
  /** Stops the server and takes away what `install` made. */
  readonly remove: (spec: ServiceSpec) => Promise<void>;
  /** Returns once the server's process was made; whether it is healthy is for the gate to say. Failure 'refused-check' where it can't be started. */
  readonly start: (spec: ServiceSpec) => Promise<void>;
  /** Returns when nothing of the server runs any more, at once where the service of its name is another home's. Failure 'refused-check' where something survives even KILL. */
  readonly stop: (spec: ServiceSpec) => Promise<void>;
  readonly observe: (spec: ServiceSpec) => Promise<Observation>;
  /** Lines of the server's output, without their line ends. */
  readonly logs: (spec: ServiceSpec, options: LogOptions) => AsyncIterable<string>;
  /** Paths that `install` makes outside of the instance's folder. */
  readonly describe: (spec: ServiceSpec) => Promise<string[]>;
  /** What an admin should know about this kind here: ids for JSON, messages and remedies for people. */
  readonly warnings: (spec: ServiceSpec) => ServiceWarning[];
}

export interface ServiceWarning {
  readonly id: string;
  readonly message: string;
  readonly remedy: string;
}

export const supervisors = {
  systemd: systemdSupervisor,
  process: processSupervisor,
  none: noneSupervisor,
} as const satisfies Record<SupervisorKind, Supervisor>;

/** systemd where it runs (for other users than root: where the user's own manager can be reached), else `process`. */
export const detectSupervisor = ({ user }: World): SupervisorKind => (isManagerThere(user.uid) ? 'systemd' : 'process');
