/**
 * Makes a release for the store: fetch, lay out, compile by name, seal, write out, rename. Everything happens in staging, and the folder appears
 * under its final name when nothing is left to do. Each part lies in a folder of its own below it, or the only one at its root.
 *
 * A run that is killed leaves only something to sweep; of two that store the same release at once one wins, and the other takes the
 * winner's. Whatever fails here has changed nothing.
 */
import { join } from 'node:path';
import type { Product, Release } from '../product/manifest.ts';
import { asWritten, lockFilesOf, type Part } from '../product/parts.ts';
import { needsCompiler, refuseWithoutCompiler } from '../source/compiler.ts';
import { rebuildNative } from '../source/npm-rebuild.ts';
import { type FetchedSource, type OpenedSource, openSource } from '../source/sources.ts';
import { readBytesIfThere, syncTree } from '../system/files.ts';
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
  await refuseUnready(world, home, product, release);
  await withStaging(world, home, async (staging) => {
    const folder = join(staging, 'release');
    await make(storing, staging, folder);
    syncTree(folder);
    settle(folder, releaseFolder(home, { product: product.name, version: release.version, digest }));
  });
};

/** Failures 'refused-compiler' and 'refused-apt' where this machine lacks what making the release takes. */
export const refuseUnready = async (world: World, home: string, product: Product, release: Release): Promise<void> => {
  await refuseWithoutCompiler(release);
  for (const { opened } of openParts(world, product, release)) opened.refuseUnready(homePaths(home).cache);
};

/** How many packages a release has on this machine. */
export const countPackages = (world: World, product: Product, release: Release): number =>
  openParts(world, product, release).reduce((sum, { opened }) => sum + opened.packages, 0);

interface OpenedPart {
  readonly part: Part;
  readonly opened: OpenedSource;
}

const openParts = (world: World, product: Product, release: Release): OpenedPart[] =>
  release.parts.map((part) => ({ part, opened: openSource(world, product.folder, part.source) }));

const make = (storing: Storing, staging: string, folder: string): Promise<void> =>
  withReleaseWorkers(2, async (workers) => {
    await fill(storing, staging, folder, workers);
    addDescription(storing, folder);
    const writing = beginWritingOut(folder);
    const { digest, files, bytes } = await workers.seal({ folder, except: [], readOnly: true });
    await writing;
    const { folder: _, ...product } = { ...storing.product, releases: [asWritten(storing.release)] };
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
  const fetched = await fetchParts(storing, staging);
  const tools = await buildTools(storing);
  await layOutParts(storing, fetched, folder, workers);
  for (const { part } of fetched) addLock(storing, part, folder);
  if (tools === undefined) return;
  for (const { part } of fetched) await compile(storing, part, folder, { staging, ...tools });
};

interface FetchedPart {
  readonly part: Part;
  readonly fetched: FetchedSource;
}

const fetchParts = async (
  { world, home, product, release, events }: Storing,
  staging: string,
): Promise<FetchedPart[]> => {
  const all: FetchedPart[] = [];
  const tell = progressOf(events, release.size.download, 'bytes');
  for (const { part, opened } of openParts(world, product, release)) {
    const onProgress = tell();
    const onNote = (text: string): void => events?.note(text);
    const fetched = await opened.fetch({ world, cache: homePaths(home).cache, staging, onProgress, onNote });
    all.push({ part, fetched });
  }
  return all;
};

const layOutParts = async (
  { release, events }: Storing,
  all: readonly FetchedPart[],
  folder: string,
  workers: ReleaseWorkers,
): Promise<void> => {
  const tell = progressOf(events, release.size.files, 'files');
  for (const { part, fetched } of all) await fetched.layOut(join(folder, part.name), { workers, onProgress: tell() });
};

/** One display for all parts: each begins where the one before it ended. */
const progressOf = (events: StoreEvents | undefined, expected: number, unit: 'bytes' | 'files') => {
  let before = 0;
  let now = 0;
  return () => {
    before += now;
    now = 0;
    const start = before;
    return (done: number): void => {
      now = done;
      events?.progress({ done: start + done, total: Math.max(start + done, expected), unit });
    };
  };
};

/** What compiling takes; undefined where nothing is compiled. */
const buildTools = async ({ world, home, release, events }: Storing) => {
  if (!needsCompiler(release) || release.runtime === undefined) return undefined;
  return {
    node: await ensureNode(world, home, release.runtime, events),
    headers: await ensureHeaders(world, home, release.runtime, events),
    npm: await ensureNpm(world, home, events),
  };
};

const compile = async (
  { events }: Storing,
  { name, source }: Part,
  folder: string,
  tools: Parameters<typeof rebuildNative>[2],
): Promise<void> => {
  if (source.kind !== 'npm' || source.rebuild.length === 0) return;
  events?.note(`compiling ${source.rebuild.join(', ')}`);
  await rebuildNative(join(folder, name), source.rebuild, tools);
};

/** What makes the folder tell what it is: manifest, templates, notice. The locks lie in the parts' folders, where npm looks for its own. */
const addDescription = (storing: Storing, folder: string): void => {
  const { product, release, notice } = storing;
  addFile(product, 'manifest.yaml', folder, 'manifest.yaml');
  for (const template of new Set(release.config.map((file) => file.template)))
    addFile(product, template, folder, template);
  if (notice !== null) writeQuickly(join(folder, 'notice.json'), notice, 0o444);
};

const addLock = ({ product }: Storing, { name, source }: Part, folder: string): void => {
  for (const file of lockFilesOf(source)) addFile(product, `${source.lock}/${file}`, join(folder, name), file);
};

const addFile = (product: Product, from: string, folder: string, to: string): void => {
  const bytes = readBytesIfThere(join(product.folder, from));
  // A manifest of one's own may have another name; the seal has all that is needed of it.
  if (bytes !== undefined) writeQuickly(join(folder, to), bytes, 0o644);
};
