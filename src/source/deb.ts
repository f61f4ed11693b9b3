/**
 * A part from Debian packages: fetched by its lock, and unpacked into a private prefix (`usr/`, `lib/`, `etc/`) without running a script of theirs.
 */
import { Failure } from '../errors.ts';
import { statIfThere } from '../system/files.ts';
import type { ReleaseWorkers } from '../system/release-workers.ts';
import { integrityOf } from '../values.ts';
import { missingAptPrograms, missingPrograms, refuseMissing } from './apt.ts';
import { cachePath, dropArtifact, type VerifiedArtifact } from './artifact.ts';
import type { DebLock } from './deb-lock.ts';
import { type Laid, unpackFailure } from './npm.ts';

/** Bytes that one package may unpack to. */
const largestPackage = 1_000_000_000;

/** Failure 'refused-apt' where this machine can't unpack packages, or can't fetch those that the cache lacks. */
export const refuseWithoutDebian = ({ packages }: DebLock, cache: string, path?: string): void => {
  const isThere = packages.every(({ sha256 }) => statIfThere(cachePath(cache, integrityOf(sha256))) !== undefined);
  refuseMissing([...missingPrograms(['dpkg-deb'], path), ...(isThere ? [] : missingAptPrograms(path))]);
};

/** Unpacks everything below `folder`. Failure 'verification-failed' where an archive can't be unpacked or has changed on disk. */
export const layOutDebs = async (
  { packages }: DebLock,
  artifacts: readonly VerifiedArtifact[],
  folder: string,
  workers: ReleaseWorkers,
): Promise<Laid> => {
  const archives = packages.map(({ name, version }, at) => {
    const artifact = artifacts[at];
    if (artifact === undefined) throw new Error(`${name} was not fetched`);
    return { path: artifact.path, integrity: artifact.integrity, label: `${name} ${version}` };
  });
  const unpacked = await workers.unpackDebs({ archives, folder, maxBytes: largestPackage }).catch((error: unknown) => {
    throw unpackFailure('Debian packages', error);
  });
  if (unpacked.mismatch === undefined) return unpacked;
  const changed = artifacts[archives.findIndex(({ label }) => label === unpacked.mismatch)];
  if (changed !== undefined) dropArtifact(changed);
  throw new Failure(
    'verification-failed',
    `The archive of ${unpacked.mismatch} changed on disk after it was checked. It was deleted.`,
    'Run the command again. If it happens again, check the disk. Nothing else was changed.',
  );
};
