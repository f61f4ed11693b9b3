/**
 * release.json, the seal of a stored release: what it is, the digest of its tree, and product and release as data, so that
 * reading one needs neither the manifest's schema nor a YAML parser. The last file that is written before the folder gets its final name.
 */
import { join } from 'node:path';
import type { Product, Release } from '../product/manifest.ts';
import type { WrittenParts } from '../product/parts.ts';
import { readIfThere } from '../system/files.ts';
import { asSha256, type Sha256 } from '../values.ts';

export interface Seal {
  readonly format: 1;
  /** Its releases as a manifest writes them: `source` or `parts`. */
  readonly product: Omit<Product, 'folder' | 'releases'> & { readonly releases: readonly SealedRelease[] };
  readonly version: string;
  readonly digest: string;
  /** Of everything below the folder but the seal. */
  readonly tree: Sha256;
  readonly files: number;
  readonly bytes: number;
  /** ISO 8601, UTC. */
  readonly builtAt: string;
}

type SealedRelease = Omit<Release, 'parts'> & WrittenParts;

export const sealName = 'release.json';

/** Undefined where there is none, or one that this version of Assent can't read. */
export const readSeal = (folder: string): Seal | undefined => {
  try {
    const seal = JSON.parse(readIfThere(join(folder, sealName)) ?? 'null') as Partial<Seal> | null;
    const isSeal =
      seal?.format === 1 && Array.isArray(seal.product?.releases) && asSha256(String(seal.tree)) !== undefined;
    return isSeal ? (seal as Seal) : undefined;
  } catch {
    return undefined;
  }
};
