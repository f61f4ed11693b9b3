/**
 * A release from npm: fetched by its lockfile, and laid out as npm itself would lay it out, without running a single script of a package.
 *
 * The lockfile says what lies where, so nothing is resolved here and no metadata is asked of the registry: archives by hash, one
 * folder each, links to their commands.
 */
import { join } from 'node:path';
import { Failure, messageOf } from '../errors.ts';
import { codeOf } from '../system/files.ts';
import { linkQuickly } from '../system/quick-files.ts';
import type { ReleaseWorkers } from '../system/release-workers.ts';
import { dropArtifact, type VerifiedArtifact } from './artifact.ts';
import { type FetchOptions, fetchArtifacts } from './fetch.ts';
import type { NpmLock, NpmPackage } from './npm-lock.ts';

export interface Laid {
  readonly files: number;
  readonly bytes: number;
}

/** Bytes that one package may unpack to. The largest in use, a whole Node, has 190 MB. */
const largestPackage = 1_000_000_000;

/** The archive for each location of the lockfile. Failures as of fetchArtifacts. */
export const fetchNpm = async (lock: NpmLock, options: FetchOptions): Promise<Map<string, VerifiedArtifact>> => {
  const artifacts = await fetchArtifacts(lock.packages, options);
  return new Map(
    lock.packages.map(({ location, integrity }) => {
      const artifact = artifacts.get(integrity);
      if (artifact === undefined) throw new Error(`${location} was not fetched`);
      return [location, artifact];
    }),
  );
};

/** Unpacks everything below `folder` and links the commands. Failure 'verification-failed' where an archive can't be unpacked or has changed on disk. */
export const layOutNpm = async (
  lock: NpmLock,
  artifacts: ReadonlyMap<string, VerifiedArtifact>,
  folder: string,
  { workers, onProgress }: { readonly workers: ReleaseWorkers; readonly onProgress?: (files: number) => void },
): Promise<Laid> => {
  let files = 0;
  let bytes = 0;
  const layOne = async (one: NpmPackage): Promise<void> => {
    const artifact = artifacts.get(one.location);
    if (artifact === undefined) throw new Error(`${one.location} was not fetched`);
    const laid = await unpackArtifact(artifact, join(folder, one.location), {
      workers,
      label: `${one.name} ${one.version}`,
      programs: Object.values(one.bin),
    });
    files += laid.files;
    bytes += laid.bytes;
    onProgress?.(files);
  };
  await Promise.all(largestFirst(lock, artifacts).map(layOne));
  return { files: files + linkCommands(lock, folder), bytes };
};

/** Unpacks one archive into a new folder. `only` limits it to paths that start so. */
export const unpackArtifact = async (
  artifact: VerifiedArtifact,
  folder: string,
  options: {
    readonly workers: ReleaseWorkers;
    readonly label: string;
    readonly programs?: readonly string[];
    readonly only?: readonly string[];
    readonly maxBytes?: number;
  },
): Promise<Laid> => {
  const { workers, label, programs = [], only = [], maxBytes = largestPackage } = options;
  try {
    const unpacked = await workers.unpack({
      archive: artifact.path,
      integrity: artifact.integrity,
      folder,
      programs,
      only,
      maxBytes,
    });
    if (unpacked.mismatch === undefined) return unpacked;
  } catch (error) {
    throw unpackFailure(label, error);
  }
  dropArtifact(artifact);
  throw new Failure(
    'verification-failed',
    `The archive of ${label} changed on disk after it was checked: ${artifact.path}. It was deleted.`,
    'Run the command again. If it happens again, check the disk. Nothing else was changed.',
  );
};

/** Why an archive that is the pinned one could not be unpacked. */
export const unpackFailure = (label: string, error: unknown): Failure => {
  const isFull = ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');
  return isFull
    ? new Failure(
        'refused-space',
        `The disk became full while ${label} was unpacked.`,
        'Make room, then run the command again. Nothing was changed.',
        error,
      )
    : new Failure(
        'verification-failed',
        `${label} could not be unpacked: ${messageOf(error)}.`,
        'Its archive is the one that was pinned, so another version of the product is needed. Nothing was changed.',
        error,
      );
};

/** Large ones first, so that no thread is left alone with one at the end. */
const largestFirst = (lock: NpmLock, artifacts: ReadonlyMap<string, VerifiedArtifact>): NpmPackage[] => {
  const size = (one: NpmPackage): number => artifacts.get(one.location)?.bytes ?? 0;
  return [...lock.packages].sort((a, b) => size(b) - size(a));
};

/** Links in `node_modules/.bin` beside each package, as npm makes them; where two packages have a command of one name, the first has it. */
const linkCommands = (lock: NpmLock, folder: string): number => {
  let made = 0;
  for (const { location, bin } of [...lock.packages, ...lock.bundled]) {
    const at = location.lastIndexOf('node_modules/') + 'node_modules/'.length;
    for (const [command, path] of Object.entries(bin)) {
      const link = join(folder, location.slice(0, at), '.bin', command);
      if (linkQuickly(`../${location.slice(at)}/${path}`, link)) made += 1;
    }
  }
  return made;
};
