/**
 * Makes a private runtime from its pinned archive: unpacked in staging, tried, made read-only, written out, renamed. Its folder is complete or
 * not there. Two that make the same one get in nobody's way: the second takes what the first has made. One that is there and does not run is replaced. A Node that the running copy of Assent has
 * of its own, and that is what it was, need not be fetched again: so `recover` works without a network where all runtimes are lost.
 */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { VerifiedArtifact } from '../source/artifact.ts';
import { fetchArtifacts, type Wanted } from '../source/fetch.ts';
import { unpackArtifact } from '../source/npm.ts';
import { statIfThere, syncTree } from '../system/files.ts';
import { doubleQuickly } from '../system/quick-files.ts';
import { withReleaseWorkers } from '../system/release-workers.ts';
import type { World } from '../system/world.ts';
import { homePaths } from './layout.ts';
import { type AskedAs, askedIn, wrongAnswer } from './node-answer.ts';
import { ownNode } from './program-build.ts';
import { nodeVersions, pinOf } from './runtimes.ts';
import { putAside, settle } from './settle.ts';
import { withStaging } from './staging.ts';
import type { StoreEvents } from './store-events.ts';

export interface WantedRuntime {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  /** Paths of the package that are wanted; all where it is empty. */
  readonly only: readonly string[];
  /** A program in it that has to run here and to tell this version. */
  readonly runs?: string;
}

export const makeRuntime = (world: World, home: string, runtime: WantedRuntime, events?: StoreEvents): Promise<void> =>
  withStaging(world, home, async (staging) => {
    const integrity = pinOf(runtime.name, runtime.version);
    if (integrity === undefined) throw notPinned(world, runtime);
    const { name, version, only } = runtime;
    const own = runtime.runs === 'bin/node' ? ownNode(world, version) : undefined;
    const artifact = own ?? (await fetchOne(world, home, staging, { name, version, integrity }, events));
    const folder = join(staging, 'runtime');
    await withReleaseWorkers(1, async (workers) => {
      if (typeof artifact === 'string') doubleQuickly(artifact, join(folder, 'bin/node'));
      else await unpackArtifact(artifact, folder, { workers, label: `${name} ${version}`, only });
      if (runtime.runs !== undefined) await tryProgram(join(folder, runtime.runs), version);
      await workers.seal({ folder, except: [], readOnly: true });
    });
    syncTree(folder);
    if (await isBroken(runtime, askedIn(home, world.user.uid))) putAside(runtime.folder, join(staging, 'broken'));
    settle(folder, runtime.folder);
  });

const fetchOne = async (
  world: World,
  home: string,
  staging: string,
  wanted: Wanted,
  events: StoreEvents | undefined,
): Promise<VerifiedArtifact> => {
  const { name, integrity } = wanted;
  const onProgress = (done: number): void => events?.progress({ done, total: downloadSize(name), unit: 'bytes' });
  const artifacts = await fetchArtifacts([wanted], { world, cache: homePaths(home).cache, staging, onProgress });
  const artifact = artifacts.get(integrity);
  if (artifact === undefined) throw new Error(`${name} was not fetched`);
  return artifact;
};

/** Bytes of the archive, about: for the progress display. */
const downloadSize = (name: string): number => (name === 'npm' ? 2_900_000 : 52_500_000);

const tryProgram = async (program: string, version: string): Promise<void> => {
  const said = await wrongAnswer(program, version);
  if (said === null) return;
  throw new Failure(
    'refused-platform',
    `The private Node ${version} does not run on this machine: ${said}.`,
    'It needs Linux with glibc 2.28 or newer. Nothing was changed.',
  );
};

/** There, and without a program that runs. */
const isBroken = async ({ folder, runs, version }: WantedRuntime, as: AskedAs): Promise<boolean> =>
  runs !== undefined &&
  statIfThere(folder) !== undefined &&
  (await wrongAnswer(join(folder, runs), version, as)) !== null;

const notPinned = (world: World, { name, version }: WantedRuntime): Failure =>
  new Failure(
    'no-release',
    `There is no private ${name} ${version} for this machine.`,
    `A manifest can name Node ${nodeVersions(world.arch).join(' or ') || '(none for this architecture)'} as its runtime. Nothing was changed.`,
  );
