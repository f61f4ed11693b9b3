/**
 * Makes a release for the store: fetch, lay out, compile by name, seal, write out, rename. Everything happens in staging, and the folder appears
 * under its final name when nothing is left to do.
 *
 * A run that is killed leaves only something to sweep; of two that store the same release at once one wins, and the other takes the
 * winner's. Whatever fails here has changed nothing.
 */
import { join } from 'node:path';
import type { Product, Release } from '../product/manifest.ts';
import { needsCompiler, refuseWithoutCompiler } from '../source/compiler.ts';
import { fetchNpm, layOutNpm } from '../source/npm.ts';
import { type NpmLock, parseNpmLock } from '../source/npm-lock.ts';
import { rebuildNative } from '../source/npm-rebuild.ts';
import { readBytesIfThere, readIfThere, syncTree } from '../system/files.ts';
import { beginWritingOut, writeQuickly } from '../system/quick-files.ts';
import { type ReleaseWorkers, withReleaseWorkers } from '../system/release-workers.ts';
import type { World } from '../system/world.ts';
import { homePaths, releaseFolder } from './layout.ts';
import { ensureHeaders, ensureNode, ensureNpm } from './runtime.ts';
import { type Seal, sealName } from './seal-file.ts';
import { settle } from './settle.ts';
import { withStaging } from './staging.ts';
import type { StoreEvents } from './store-events.ts';

export interface Storing {
  readonly world: World;
  readonly home: string;
  readonly product: Product;
  readonly release: Release;
  readonly digest: string;
  readonly notice: string | null;
  readonly events: StoreEvents | undefined;
}

/** Stores it, or finds that another run has done so meanwhile. */
export const makeRelease = async (storing: Storing): Promise<void> => {
  const { world, home, product, release, digest } = storing;
  await refuseWithoutCompiler(release);
  await withStaging(world, home, async (staging) => {
    const folder = join(staging, 'release');
    await make(storing, staging, folder);
    syncTree(folder);
    settle(folder, releaseFolder(home, { product: product.name, version: release.version, digest }));
  });
};

/** The lockfile of a release, for this machine. */
export const lockOf = (world: World, product: Product, release: Release): NpmLock => {
  const file = join(product.folder, release.source.lock, 'package-lock.json');
  return parseNpmLock(readIfThere(file) ?? '', file, world);
};

const make = (storing: Storing, staging: string, folder: string): Promise<void> =>
  withReleaseWorkers(2, async (workers) => {
    await fill(storing, staging, folder, workers);
    addDescription(storing, folder);
    const writing = beginWritingOut(folder);
    const { digest, files, bytes } = await workers.seal({ folder, except: [], readOnly: true });
    await writing;
    const { folder: _, ...product } = { ...storing.product, releases: [storing.release] };
    const seal: Seal = {
      format: 1,
      product,
      version: storing.release.version,
      digest: storing.digest,
      tree: digest as Seal['tree'],
      files,
      bytes,
      builtAt: storing.world.now().toISOString(),
    };
    writeQuickly(join(folder, sealName), `${JSON.stringify(seal, null, 2)}\n`, 0o444);
  });

const fill = async (storing: Storing, staging: string, folder: string, workers: ReleaseWorkers): Promise<void> => {
  const { world, home, product, release, events } = storing;
  const lock = lockOf(world, product, release);
  const { download, files } = release.size;
  const artifacts = await fetchNpm(lock, {
    world,
    cache: homePaths(home).cache,
    staging,
    onProgress: (done) => events?.progress({ done, total: Math.max(done, download), unit: 'bytes' }),
  });
  const tools = await buildTools(storing);
  await layOutNpm(lock, artifacts, folder, {
    workers,
    onProgress: (done) => events?.progress({ done, total: Math.max(done, files), unit: 'files' }),
  });
  if (tools === undefined) return;
  const names = release.source.rebuild;
  events?.note(`compiling ${names.join(', ')}`);
  addLock(storing, folder);
  await rebuildNative(folder, names, { staging, ...tools });
};

/** What compiling takes; undefined where nothing is compiled. */
const buildTools = async ({ world, home, release, events }: Storing) => {
  if (!needsCompiler(release)) return undefined;
  return {
    node: await ensureNode(world, home, release.runtime, events),
    headers: await ensureHeaders(world, home, release.runtime, events),
    npm: await ensureNpm(world, home, events),
  };
};

/** What makes the folder tell what it is: manifest, locks, templates, notice. */
const addDescription = (storing: Storing, folder: string): void => {
  const { product, release, notice } = storing;
  if (!needsCompiler(release)) addLock(storing, folder);
  addFile(product, 'manifest.yaml', folder, 'manifest.yaml');
  for (const template of new Set(release.config.map((file) => file.template)))
    addFile(product, template, folder, template);
  if (notice !== null) writeQuickly(join(folder, 'notice.json'), notice, 0o444);
};

const addLock = ({ product, release }: Storing, folder: string): void => {
  for (const name of ['package.json', 'package-lock.json'])
    addFile(product, `${release.source.lock}/${name}`, folder, name);
};

const addFile = (product: Product, from: string, folder: string, to: string): void => {
  const bytes = readBytesIfThere(join(product.folder, from));
  // A manifest of one's own may have another name; the seal has all that is needed of it.
  if (bytes !== undefined) writeQuickly(join(folder, to), bytes, 0o644);
};
