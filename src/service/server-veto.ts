/**
 * DO_NOT_TRACK in the server's environment: that of its very process where it can be seen, else the one that it would be started with. What a change
 * wrote for the server is in its state, and counts in any case.
 *
 * Light, for `telemetry status` answers for the running server: files alone are read, and nobody is asked. Who counts or sends beside a server asks here
 * too; shut in as they are they can't see its process, so for them a drop-in counts as soon as it is there.
 */

import type { InstancePaths } from '../instance/paths.ts';
import { type InstanceState, readState } from '../instance/state.ts';
import { releaseFolder } from '../release/layout.ts';
import { readSeal } from '../release/seal-file.ts';
import { statIfThere } from '../system/files.ts';
import { environmentOf } from '../system/process-table.ts';
import { isAlive } from '../system/processes.ts';
import { readRecord } from './process-record.ts';
import { unitName } from './unit.ts';
import { type Asker, dropInFolders, unitEnvironment } from './unit-environment.ts';
import { mainProcessOf } from './unit-group.ts';

/** The variable's value; undefined where it is not set or can't be seen. */
export const serverVetoOf = (world: Asker, paths: InstancePaths): string | undefined => {
  const owner = statIfThere(paths.folder)?.uid;
  const state = stateOf(paths);
  if (owner === undefined) return undefined;
  return (runningEnvironment(paths, owner, state) ?? comingEnvironment(world, paths, owner, state))['DO_NOT_TRACK'];
};

type Environment = Readonly<Record<string, string>>;

/** A process has always some environment: an empty one can't be seen. */
const runningEnvironment = (
  paths: InstancePaths,
  owner: number,
  state: InstanceState | undefined,
): Environment | undefined => {
  const child = readRecord(paths, owner)?.child ?? null;
  const bySystemd = state?.supervisor === 'systemd' ? mainProcessOf(unitName(paths.name), owner) : undefined;
  const pid = child !== null && isAlive(child) ? child.pid : bySystemd;
  const environment = pid === undefined ? {} : environmentOf(pid);
  return Object.keys(environment).length === 0 ? undefined : environment;
};

const comingEnvironment = (
  world: Asker,
  paths: InstancePaths,
  owner: number,
  state: InstanceState | undefined,
): Environment => {
  if (state?.installed !== true) return {};
  const folders = state.supervisor === 'systemd' ? dropInFolders(world, owner) : [];
  return unitEnvironment(unitName(paths.name), folders, environmentFileOf(paths, state));
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
