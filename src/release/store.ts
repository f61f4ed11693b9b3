/**
 * The store of releases: HOME/releases/PRODUCT/VERSION-DIGEST, complete, verified, read-only, shared by instances.
 *
 * release.json is the seal of a stored release: what it is, the digest of its tree, and product and release as data, so that
 * reading one needs neither the manifest's schema nor a YAML parser. It is the last file that is written before the folder gets its final
 * name. A folder without a seal that says what its place says is no stored release, whatever else is in it.
 *
 * Light, for `status` comes through here; making a release (make-release.ts) is loaded when one is made.
 */
import { join } from 'node:path';
import { Failure, messageOf } from '../errors.ts';
import type { Product, Release } from '../product/manifest.ts';
import { withParts } from '../product/parts.ts';
import type { World } from '../system/world.ts';
import type { Brand, ProductName, Version } from '../values.ts';
import { releaseFolder } from './layout.ts';
import { nodePath } from './runtime.ts';
import { readSeal, sealName } from './seal-file.ts';
import type { StoreEvents } from './store-events.ts';

/** A release that is complete in the store. Made by findStored alone. */
export type StoredRelease = Brand<
  {
    /** As it was when it was stored; its folder is the stored one, and `release` is its only release. */
    readonly product: Product;
    readonly release: Release;
    readonly digest: string;
    readonly folder: string;
    /** Path of the private Node that it runs on; absent where it needs none. */
    readonly node?: string;
  },
  'StoredRelease'
>;

/** The complete release under its final name; undefined where there is none. Light enough for `status`. */
export const findStored = (
  home: string,
  product: ProductName,
  version: Version,
  digest: string,
): StoredRelease | undefined => {
  const folder = releaseFolder(home, { product, version, digest });
  const seal = readSeal(folder);
  if (seal === undefined || seal.product.name !== product || seal.version !== version || seal.digest !== digest)
    return undefined;
  const written = seal.product.releases.find((one) => one.version === version);
  if (written === undefined) return undefined;
  const release = withParts(written) as Release;
  const node = release.runtime === undefined ? {} : { node: nodePath(home, release.runtime) };
  const stored = { ...seal.product, releases: [release], folder };
  return { product: stored, release, digest, folder, ...node } as unknown as StoredRelease;
};

/**
 * The stored release; made now unless it is there. From now on, until this process ends, nobody else prunes it. `notice` is the text of
 * its notice.json. Failures: 'download-failed', 'verification-failed', 'build-failed', 'refused-compiler', 'refused-space', 'usage-manifest'.
 */
export const storeRelease = async (
  world: World,
  home: string,
  product: Product,
  release: Release,
  notice: string | null,
  events?: StoreEvents,
): Promise<StoredRelease> => {
  const [{ releaseDigest }, { holdStore }] = await Promise.all([
    import('../product/release-digest.ts'),
    import('./holds.ts'),
  ]);
  const digest = releaseDigest(product, release);
  const find = (): StoredRelease | undefined => findStored(home, product.name, release.version, digest);
  await holdStore(world, home);
  const found = find();
  if (found !== undefined) return found;
  const { makeRelease } = await import('./make-release.ts');
  await makeRelease({ world, home, product, release, digest, notice, events });
  const made = find();
  if (made !== undefined) return made;
  throw inTheWay(product, release, releaseFolder(home, { product: product.name, version: release.version, digest }));
};

/** Every difference between a stored release and its seal; empty where it is as it was sealed. Reads the whole tree. */
export const verifyStored = async (stored: StoredRelease): Promise<string[]> => {
  const seal = readSeal(stored.folder);
  if (seal === undefined) return [`${join(stored.folder, sealName)} is gone or damaged`];
  try {
    const { withReleaseWorkers } = await import('../system/release-workers.ts');
    const found = await withReleaseWorkers(1, (workers) =>
      workers.seal({ folder: stored.folder, except: [sealName], readOnly: false }),
    );
    if (found.digest === seal.tree) return [];
    return [
      `its files are not what was stored: ${found.files} in place of ${seal.files}, ${found.bytes} bytes in place of ${seal.bytes}`,
    ];
  } catch (error) {
    return [messageOf(error)];
  }
};

const inTheWay = (product: Product, release: Release, folder: string): Failure =>
  new Failure(
    'refused-check',
    `${folder} is in the way: it stands where ${product.title} ${release.version} belongs, and is not a complete release.`,
    'Look at it, move it elsewhere, and run the command again. Nothing was changed.',
  );
