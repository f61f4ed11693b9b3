/**
 * VerifiedArtifact: an archive in the cache whose bytes on disk had the hash that somebody pinned: a sha512 for npm, a sha256 for Debian. Only this file makes one,
 * and what unpacks asks for one: bytes that nobody checked don't typecheck there.
 *
 * The cache is HOME/cache/sha512/AB/REST or cache/sha256/AB/REST, named by the hash in hex, so that it needs no index. It is not synced: a file in it counts
 * only after it was hashed again, and one with other contents is dropped as if it had never been there.
 */
import { join } from 'node:path';
import { removeFile } from '../system/files.ts';
import { moveQuickly } from '../system/quick-files.ts';
import { type Algorithm, digestFile } from '../system/spool.ts';
import type { Brand, Integrity } from '../values.ts';

export type VerifiedArtifact = Brand<
  { readonly path: string; readonly integrity: Integrity; readonly bytes: number },
  'VerifiedArtifact'
>;

/** Where the cache keeps the archive with this hash. Pure. */
export const cachePath = (cache: string, integrity: Integrity): string => {
  const algorithm = algorithmOf(integrity);
  const hex = Buffer.from(integrity.slice(algorithm.length + 1), 'base64').toString('hex');
  return join(cache, algorithm, hex.slice(0, 2), hex.slice(2));
};

/** The archive, if the cache has it whole. */
export const findArtifact = async (cache: string, integrity: Integrity): Promise<VerifiedArtifact | undefined> => {
  const path = cachePath(cache, integrity);
  const found = await digestFile(path, algorithmOf(integrity));
  if (found?.integrity === integrity) return verified(path, integrity, found.bytes);
  if (found !== undefined) removeFile(path);
  return undefined;
};

/** Takes a file that was written and hashed into the cache; the caller has compared the hash. */
export const keepArtifact = (cache: string, file: string, integrity: Integrity, bytes: number): VerifiedArtifact => {
  const path = cachePath(cache, integrity);
  moveQuickly(file, path);
  return verified(path, integrity, bytes);
};

/** Forgets an archive that turned out to have other contents by now. */
export const dropArtifact = (artifact: VerifiedArtifact): void => removeFile(artifact.path);

const algorithmOf = (integrity: Integrity): Algorithm => (integrity.startsWith('sha256-') ? 'sha256' : 'sha512');

const verified = (path: string, integrity: Integrity, bytes: number): VerifiedArtifact =>
  ({ path, integrity, bytes }) as VerifiedArtifact;
