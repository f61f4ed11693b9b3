/**
 * Where the home keeps what all instances share. Every path of the contract's "On disk" outside of `instances/NAME` is named here.
 * Pure but for `makeHome`.
 */
import { join } from 'node:path';
import { makeFolder } from '../system/files.ts';
import type { World } from '../system/world.ts';
import type { ProductName, Version } from '../values.ts';

export interface HomePaths {
  readonly releases: string;
  readonly runtimes: string;
  readonly cache: string;
  readonly staging: string;
  readonly instances: string;
  /** Kernel locks; never deleted while anybody may hold one. */
  readonly locks: string;
}

/** What names a stored release. */
export interface StoreKey {
  readonly product: ProductName;
  readonly version: Version;
  /** 12 hex digits, of releaseDigest. */
  readonly digest: string;
}

export const homePaths = (home: string): HomePaths => ({
  releases: join(home, 'releases'),
  runtimes: join(home, 'runtimes'),
  cache: join(home, 'cache'),
  staging: join(home, 'staging'),
  instances: join(home, 'instances'),
  locks: join(home, 'locks'),
});

/** `HOME/releases/PRODUCT/VERSION-DIGEST`. */
export const releaseFolder = (home: string, { product, version, digest }: StoreKey): string =>
  join(homePaths(home).releases, product, `${version}-${digest}`);

export const runtimeFolder = (home: string, kind: 'node' | 'headers' | 'npm', version: string): string =>
  join(homePaths(home).runtimes, `${kind}-${version}`);

/**
 * Folders that others need to look into are open to all; archives and what is half made are nobody's business. A home that is there may be anybody's folder (a
 * user's own, /srv, even /tmp): its mode is none of ours, and whether a server's account gets through it is looked at by whoever needs that.
 */
export const makeHome = (home: string): HomePaths => {
  const paths = homePaths(home);
  makeFolder(home);
  for (const folder of [paths.releases, paths.runtimes, paths.locks]) makeFolder(folder, { mode: 0o755 });
  for (const folder of [paths.cache, paths.staging]) makeFolder(folder, { mode: 0o700 });
  return paths;
};

/** Who holds a lock of the store, for people. */
export const holderOf = (world: World, step: string) => ({
  pid: world.pid,
  command: 'assent',
  step,
  startedAt: world.now().toISOString(),
});
