/**
 * DO_NOT_TRACK in the server's environment: that of its very process where it can be seen, else the one that it would be started with. What a change
 * wrote for the server is in its state, and counts in any case.
 *
 * Light, for `telemetry status` answers for the running server: files alone are read, and nobody is asked. Who counts or sends beside a server asks here
 * too; shut in as they are they can't see its process, so for them a drop-in counts as soon as it is there, and one that they can't read is a veto.
 */

import type { InstancePaths } from '../instance/paths.ts';
import { type InstanceState, readState } from '../instance/state.ts';
import { releaseFolder } from '../release/layout.ts';
import { readSeal } from '../release/seal-file.ts';
import { statIfThere } from '../system/files.ts';
import { environmentOf } from '../system/process-table.ts';
import { isAlive } from '../system/processes.ts';
import { findUserById } from '../system/users.ts';
import { readRecord } from './process-record.ts';
import { unitName } from './unit.ts';
import { type Asker, dropInFolders, type UnitEnvironment, unitEnvironment, veto } from './unit-environment.ts';
import { mainProcessOf } from './unit-group.ts';

export interface ServerVeto {
  /** The variable's value; undefined where it is not set. */
  readonly value: string | undefined;
  /** What can't be read here and may set it, where that alone is why it counts as set. */
  readonly unseen: string | null;
}

export const findServerVeto = (world: Asker, paths: InstancePaths): ServerVeto =>
  vetoIn(paths, (owner, state) => {
    const coming = (): UnitEnvironment => comingEnvironment(world, paths, owner, state);
    const running = runningEnvironment(paths, owner, state);
    // What counts and sends beside a system unit sees no process: what it takes for a veto is one, also where the server has none.
    const isShutIn = owner === 0 && state?.supervisor === 'systemd';
    const unseen = running === undefined || !isShutIn || veto in running.variables ? null : coming().unseen;
    return unseen === null ? (running ?? coming()) : { variables: { [veto]: '1' }, unseen };
  });

export const serverVetoOf = (world: Asker, paths: InstancePaths): string | undefined =>
  findServerVeto(world, paths).value;

/** For whoever is about to start the server: what is to come counts, and not the process that ends. */
export const comingVetoOf = (world: Asker, paths: InstancePaths): string | undefined =>
  vetoIn(paths, (owner, state) => comingEnvironment(world, paths, owner, state)).value;

const vetoIn = (
  paths: InstancePaths,
  look: (owner: number, state: InstanceState | undefined) => UnitEnvironment,
): ServerVeto => {
  const owner = statIfThere(paths.folder)?.uid;
  const { variables, unseen } = owner === undefined ? nothing : look(owner, stateOf(paths));
  return { value: variables[veto], unseen };
};

const nothing: UnitEnvironment = { variables: {}, unseen: null };

/** A process has always some environment: an empty one can't be seen. */
const runningEnvironment = (
  paths: InstancePaths,
  owner: number,
  state: InstanceState | undefined,
): UnitEnvironment | undefined => {
  const child = readRecord(paths, owner)?.child ?? null;
  const bySystemd = state?.supervisor === 'systemd' ? mainProcessOf(unitName(paths.name), owner) : undefined;
  const pid = child !== null && isAlive(child) ? child.pid : bySystemd;
  const variables = pid === undefined ? {} : environmentOf(pid);
  return Object.keys(variables).length === 0 ? undefined : { variables, unseen: null };
};

const comingEnvironment = (
  world: Asker,
  paths: InstancePaths,
  owner: number,
  state: InstanceState | undefined,
): UnitEnvironment => {
  if (state?.installed !== true) return nothing;
  const folders = state.supervisor === 'systemd' ? dropInFolders(world, owner) : [];
  const home = findUserById(owner)?.home;
  return unitEnvironment({ unit: unitName(paths.name), folders, home }, environmentFileOf(paths, state));
};

const environmentFileOf = ({ home, config }: InstancePaths, { release }: InstanceState): string | null => {
  const sealed = readSeal(releaseFolder(home, release))?.product.releases.find(
    ({ version }) => version === release.version,
  );
  const file = sealed?.service?.environmentFile;
  return file === undefined ? null : `${config}/${file}`;
};

/** The resolver says by itself what a damaged state means. */
const stateOf = (paths: InstancePaths): InstanceState | undefined => {
  try {
    return readState(paths);
  } catch {
    return undefined;
  }
};
