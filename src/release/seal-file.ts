/**
 * release.json, the seal of a stored release: what it is, the digest of its tree, and product and release as data, so that
 * reading one needs neither the manifest's schema nor a YAML parser. The last file that is written before the folder gets its final name.
 */
import { join } from 'node:path';
import type { Product } from '../product/manifest.ts';
import { readIfThere } from '../system/files.ts';
import { asSha256, type Sha256 } from '../values.ts';

export interface Seal {
  readonly format: 1;
  readonly product: Omit<Product, 'folder'>;
  readonly version: string;
  readonly digest: string;
  /** Of everything below the folder but the seal. */
  readonly tree: Sha256;
  readonly files: number;
  readonly bytes: number;
  /** ISO 8601, UTC. */
  readonly builtAt: string;
}

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
