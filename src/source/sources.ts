/**
 * The kinds of sources behind one interface: a part is opened (its lock is read), fetched, and laid out in its folder. Whoever makes a release knows
 * no kind.
 */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { type DebArchitecture, debArchitectureOf } from '../product/machine-names.ts';
import { type DebSource, debLockName, type NpmSource, type Source } from '../product/parts.ts';
import { readIfThere } from '../system/files.ts';
import type { ReleaseWorkers } from '../system/release-workers.ts';
import type { World } from '../system/world.ts';
import { layOutDebs, refuseWithoutDebian } from './deb.ts';
import { type DebLock, parseDebLock } from './deb-lock.ts';
import type { FetchOptions } from './fetch.ts';
import { fetchNpm, type Laid, layOutNpm } from './npm.ts';
import { parseNpmLock } from './npm-lock.ts';

export interface OpenedSource {
  /** How many packages belong on this machine. */
  readonly packages: number;
  /** Refuses where this machine lacks programs that fetching and unpacking take. */
  readonly refuseUnready: (cache: string) => void;
  readonly fetch: (options: FetchOptions) => Promise<FetchedSource>;
}

/** All of its archives are in the cache, verified. */
export interface FetchedSource {
  readonly layOut: (folder: string, options: LayingOut) => Promise<Laid>;
}

interface LayingOut {
  readonly workers: ReleaseWorkers;
  readonly onProgress?: (files: number) => void;
}

/** Reads the lock of a source for this machine; `folder` is the product's. Failure 'usage-manifest', 'refused-platform'. */
export const openSource = (world: World, folder: string, source: Source): OpenedSource =>
  source.kind === 'npm' ? openNpm(world, folder, source) : openDeb(world, folder, source);

const openNpm = (world: World, folder: string, source: NpmSource): OpenedSource => {
  const file = join(folder, source.lock, 'package-lock.json');
  const lock = parseNpmLock(readIfThere(file) ?? '', file, world);
  return {
    packages: lock.packages.length,
    refuseUnready: () => {},
    fetch: async (options) => {
      const artifacts = await fetchNpm(lock, options);
      return { layOut: (target, laying) => layOutNpm(lock, artifacts, target, laying) };
    },
  };
};

const openDeb = (world: World, folder: string, source: DebSource): OpenedSource => {
  const architecture = debArchitectureOf(world.arch);
  if (architecture === undefined || !source.architectures.includes(architecture))
    throw notForThisMachine(world, source);
  const lock = readDebLock(folder, source, architecture);
  return {
    packages: lock.packages.length,
    refuseUnready: (cache) => refuseWithoutDebian(lock, cache),
    fetch: async (options) => {
      const { fetchDebs } = await import('./deb-fetch.ts');
      const artifacts = await fetchDebs(lock, options);
      return {
        layOut: async (target, { workers, onProgress }) => {
          const laid = await layOutDebs(lock, artifacts, target, workers);
          onProgress?.(laid.files);
          return laid;
        },
      };
    },
  };
};

/** What would stop a source from being fetched on any machine that it is for: sentences without an end; empty where all is well. */
export const sourceFaults = (world: World, folder: string, source: Source): string[] => {
  try {
    if (source.kind === 'deb') return source.architectures.flatMap((one) => debFaults(folder, source, one));
    // One that is not there, or is no file, is told of by who looks for it.
    if (readIfThere(join(folder, source.lock, 'package-lock.json')) !== undefined) openNpm(world, folder, source);
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // A release for other machines is no fault of its manifest.
    return error.code === 'usage-manifest' ? [error.message.replace(/\.$/, '')] : [];
  }
};

const debFaults = (folder: string, source: DebSource, architecture: DebArchitecture): string[] => {
  const { suites, packages } = readDebLock(folder, source, architecture);
  const name = debLockName(architecture);
  const has = (wanted: string): boolean => packages.some((one) => one.name === wanted.split('/')[0]);
  const lacking = source.packages.filter((wanted) => !has(wanted));
  const unwanted = source.without.filter(has);
  return [
    ...(lacking.length > 0 ? [`${name} lacks ${lacking.join(', ')}`] : []),
    ...(unwanted.length > 0 ? [`${name} has ${unwanted.join(', ')}, which "without" leaves out`] : []),
    ...(suites.join(' ') === source.suites.join(' ') ? [] : [`${name} was made from ${suites.join(', ')}`]),
  ];
};

const readDebLock = (folder: string, source: DebSource, architecture: DebArchitecture): DebLock => {
  const file = join(folder, source.lock, debLockName(architecture));
  return parseDebLock(readIfThere(file) ?? '', file, architecture);
};

const notForThisMachine = ({ arch }: World, { architectures }: DebSource): Failure =>
  new Failure(
    'refused-platform',
    `Its packages are made for ${architectures.join(' and ')}, and this machine is of the architecture ${arch}.`,
    'Install this product on a machine that its packages are made for. Nothing was changed.',
  );
