/**
 * The test store: releases of the real catalogue, fetched, verified and built once, and then lent to each scenario as hard links.
 * It is an ordinary home without instances, made by the program's own store, and kept between runs in .test-store; a release is
 * made anew when its digest changes. (Not below node_modules: stored releases are read-only, and npm could not remove them.)
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeNotice } from '../../src/consent/notice.ts';
import { loadProduct, parseProductReference, pickRelease } from '../../src/product/catalogue.ts';
import type { Product, Release } from '../../src/product/manifest.ts';
import { releaseDigest } from '../../src/product/release-digest.ts';
import { holdStore } from '../../src/release/holds.ts';
import { releaseFolder, runtimeFolder } from '../../src/release/layout.ts';
import { ensureNode } from '../../src/release/runtime.ts';
import { ownNodeVersion } from '../../src/release/runtimes.ts';
import { storeRelease } from '../../src/release/store.ts';
import { realWorld, type World } from '../../src/system/world.ts';
import { inTurn } from './turns.ts';

export const repository = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
const seed = join(repository, '.test-store');

/** For first installations of root: two of them at once may choose one number for their system users, and one of them is refused then. */
export const usersLock = join(seed, 'users.lock');

/** The user that scenarios run as: somebody without rights, where we are root. */
export const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined;

/** Makes sure that the releases (`maildev@3.0.0`, `PATH/manifest.yaml@3.0.0`) are in the test store; returns its folder. */
export const seedStore = (releases: readonly string[]): Promise<string> => {
  const seeded = seeding.then(() => seedAll(releases));
  seeding = seeded.catch(() => undefined);
  return seeded;
};

/** One at a time: scenarios that run side by side want the same releases, in this process and in others. */
let seeding: Promise<unknown> = Promise.resolve();

const seedAll = async (releases: readonly string[]): Promise<string> => {
  const marks = await Promise.all(releases.map(async (wanted) => markOf(await meant(wanted))));
  // Nobody waits for what others build.
  if (marks.every((mark) => existsSync(mark))) return seed;
  mkdirSync(seed, { recursive: true });
  // The first to come fetches and builds for the others.
  return inTurn(join(seed, 'seeding.lock'), 'seeding', () => seedLocked(releases));
};

const seedLocked = async (releases: readonly string[]): Promise<string> => {
  const world = { ...realWorld(), program: repository };
  const made = await Promise.all(releases.map((wanted) => make(world, wanted)));
  const marks = made.filter((mark) => mark !== undefined);
  const parts = ['releases', 'runtimes', 'cache'].map((part) => join(seed, part));
  if (nobody && marks.length > 0) must('chown', '-R', '-h', `${nobody.uid}:${nobody.gid}`, ...parts);
  for (const mark of marks) writeFileSync(mark, '');
  return seed;
};

const markOf = ({ product, release, digest }: Awaited<ReturnType<typeof meant>>): string =>
  join(seed, `${product.name}-${release.version}-${digest}.made`);

/** Stores the release unless it is there; the file to mark it with once it belongs to whom it is for. */
const make = async (world: World, wanted: string): Promise<string | undefined> => {
  const { product, release, digest } = await meant(wanted);
  const mark = markOf({ product, release, digest });
  if (existsSync(mark)) return undefined;
  const notice = makeNotice(product, release);
  await ensureNode(world, seed, ownNodeVersion);
  if (release.runtime !== undefined) await ensureNode(world, seed, release.runtime);
  await storeRelease(world, seed, product, release, notice === null ? null : `${JSON.stringify(notice, null, 2)}\n`);
  return mark;
};

/**
 * Lends these releases, with the Nodes that they and we run on, to a new home: hard links, or copies on another filesystem.
 * `keeps`: this process then holds the store, as another run would, so that no change prunes what is lent for a later one.
 */
export const lendStore = async (home: string, releases: readonly string[], keeps: boolean): Promise<void> => {
  mkdirSync(home, { recursive: true });
  const folders = new Set([runtimeFolder(seed, 'node', ownNodeVersion)]);
  for (const wanted of releases) {
    const { product, release, digest } = await meant(wanted);
    folders.add(releaseFolder(seed, { product: product.name, version: release.version, digest }));
    if (release.runtime !== undefined) folders.add(runtimeFolder(seed, 'node', release.runtime));
  }
  for (const folder of folders) if (existsSync(folder)) lend(folder, join(home, folder.slice(seed.length)));
  if (keeps) await holdStore(realWorld(), home);
  if (nobody) for (const made of parents(home)) must('chown', `${nobody.uid}:${nobody.gid}`, made);
};

/** The same as copies that belong to root, as everything in a home of root's does. */
export const copyStore = async (home: string, releases: readonly string[], keeps: boolean): Promise<void> => {
  const lent = `${home}.lent`;
  await lendStore(lent, releases, false);
  must('cp', '-r', '--preserve=mode,timestamps,links', '--no-preserve=ownership', lent, home);
  must('find', lent, '-type', 'd', '-exec', 'chmod', 'u+rwx', '{}', '+');
  must('rm', '-rf', lent);
  if (keeps) await holdStore(realWorld(), home);
};

const lend = (from: string, to: string): void => {
  mkdirSync(dirname(to), { recursive: true });
  if (spawnSync('cp', ['-al', from, to]).status === 0) return;
  spawnSync('rm', ['-rf', to]);
  must('cp', '-a', from, to);
};

/** What lending made but the releases and runtimes themselves: the home, what lies in it, and the folders and locks of the store. */
const parents = (home: string): string[] => {
  const below = (folder: string): string[] =>
    existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  const locks = join(home, 'locks');
  return [home, ...below(home), ...below(join(home, 'releases')), ...below(locks), ...below(join(locks, 'store'))];
};

const meant = async (wanted: string): Promise<{ product: Product; release: Release; digest: string }> => {
  const { product: name, version } = parseProductReference(wanted);
  const product = await loadProduct({ ...realWorld(), program: repository }, name);
  const release = pickRelease(product, version);
  return { product, release, digest: releaseDigest(product, release) };
};

const must = (command: string, ...args: string[]): void => {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
};
