/**
 * Runs what a spec says, for as long as it lasts: the part of `assent run` that needs no more than the spec.
 *
 * - Two can't run one instance: a kernel lock, held as long as this process lives, says so.
 * - A server never runs as root: as root the instance has an account, or nothing is run.
 * - What a supervisor that was killed left running is ended before anything is started.
 */

import { dirname } from 'node:path';
import { Failure } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { makeFolder } from '../system/files.ts';
import { type Lock, tryLock } from '../system/lock.ts';
import type { World } from '../system/world.ts';
import { readRecord, removeRecord, supervisorLock } from './process-record.ts';
import { runCompanions } from './run-companions.ts';
import type { ServiceSpec } from './spec.ts';
import { type SuperviseOptions, supervise } from './supervise.ts';
import { endServer } from './survivors.ts';

/**
 * `specNow`: the spec as consent has it by then, for each start anew. `mayRun`: whether what counts and sends beside the server may run now.
 * Returns the exit code. Failure 'instance-busy' where another one runs it, 'refused-permission' where the server would be root.
 */
export const runSpec = async (
  world: World,
  spec: ServiceSpec,
  mode: 'foreground' | 'detached',
  specNow: () => ServiceSpec = () => spec,
  mayRun: () => boolean = () => false,
  options: SuperviseOptions = {},
): Promise<number> => {
  const { paths, instance } = spec;
  if (world.user.uid === 0 && (spec.account === null || spec.account.uid === 0)) throw wouldBeRoot(instance);
  const lock = takeLock(world, paths, mode);
  try {
    await endServer(spec, readRecord(paths, spec.host.uid)?.child ?? null);
    const companions = runCompanions(world, spec, mayRun);
    try {
      return await supervise(world, spec, mode, specNow, options);
    } finally {
      await companions.end();
    }
  } finally {
    removeRecord(paths);
    lock.release();
  }
};

const wouldBeRoot = (name: string): Failure =>
  new Failure(
    'refused-permission',
    `${name} was installed without a system user of its own, and a server never runs as root.`,
    'Run it as the user that installed it, or install it anew as root.',
  );

const takeLock = (world: World, paths: InstancePaths, mode: string): Lock => {
  const path = supervisorLock(paths);
  makeFolder(dirname(path));
  const command = `assent run ${paths.name}${mode === 'detached' ? ' --detached' : ''}`;
  const attempt = tryLock(path, { pid: world.pid, command, step: 'run', startedAt: world.now().toISOString() });
  if ('lock' in attempt) return attempt.lock;
  throw runsAlready(
    paths.name,
    `process ${attempt.heldBy?.pid ?? 'unknown'} (${attempt.heldBy?.command ?? 'assent run'})`,
  );
};

export const runsAlready = (name: string, by: string): Failure =>
  new Failure('instance-busy', `${name} is run by ${by} already.`, `Stop it first: assent stop ${name}`);
