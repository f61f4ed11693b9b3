/**
 * Writes the locks of a manifest that are missing or do not fit it any more, or all of them where that is asked for: everything is resolved first, and then
 * written, so that what fails has written nothing.
 *
 * A lock is what a release is: another one is another release, which installations of the old one are not touched by. So what is pinned is left alone unless it is
 * to be refreshed, and what changed is told package by package, for a review.
 */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { Product, Release } from '../product/manifest.ts';
import { type DebSource, debLockName, lockFilesOf, type NpmSource, type Part } from '../product/parts.ts';
import { debLockText } from '../source/deb-lock.ts';
import { resolveDebs } from '../source/deb-resolve.ts';
import { resolveNpm } from '../source/npm-resolve.ts';
import { openSource } from '../source/sources.ts';
import { makeFolder, readIfThere, writeDurably } from '../system/files.ts';
import type { World } from '../system/world.ts';
import { isPinned } from './pinned.ts';
import { ensureNode, ensureNpm } from './runtime.ts';
import { ownNodeVersion } from './runtimes.ts';
import { withStaging } from './staging.ts';
import type { StoreEvents } from './store-events.ts';

/** One file of a lock, and how it differs from what was there. */
export interface WrittenLock {
  readonly release: string;
  /** Empty for the part at the root. */
  readonly part: string;
  /** Below the manifest's folder. */
  readonly file: string;
  readonly changed: boolean;
  /** It was pinned and is left alone. */
  readonly kept: boolean;
  readonly packages: number;
  readonly added: readonly { readonly name: string; readonly version: string }[];
  readonly removed: readonly { readonly name: string; readonly version: string }[];
  readonly moved: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  /** What the packages of a `deb` source depend on and the host has. */
  readonly ofTheHost: readonly string[];
}

export interface Locking {
  readonly world: World;
  readonly home: string;
  readonly product: Product;
  /** In the order of the manifest; those that are to be locked. */
  readonly releases: readonly Release[];
  /** Resolves also what is pinned already. */
  readonly refresh: boolean;
  readonly events?: StoreEvents;
}

/** Failures: 'download-failed', 'verification-failed', 'refused-apt', 'usage-manifest'; nothing is written then. */
export const lockProduct = (locking: Locking): Promise<WrittenLock[]> =>
  withStaging(locking.world, locking.home, async (staging) => {
    const files: LockFile[] = [];
    for (const release of locking.releases)
      for (const part of release.parts)
        files.push(...(keptFiles(locking, release, part) ?? (await resolvePart(locking, release, part, staging))));
    return files.map((file) => write(locking.product, file));
  });

interface LockFile {
  readonly release: Release;
  readonly part: Part;
  readonly name: string;
  readonly text: string;
  readonly ofTheHost: readonly string[];
  readonly kept?: boolean;
}

/** The locks of a part as they are, where they are to stay so. */
const keptFiles = ({ world, product, refresh }: Locking, release: Release, part: Part): LockFile[] | undefined => {
  if (refresh || !isPinned(world, product, part)) return undefined;
  const names = lockFilesOf(part.source).filter((name) => name !== 'package.json');
  const textOf = (name: string): string => readIfThere(join(product.folder, part.source.lock, name)) ?? '';
  return names.map((name) => ({ release, part, name, text: textOf(name), ofTheHost: [], kept: true }));
};

const resolvePart = (locking: Locking, release: Release, part: Part, staging: string): Promise<LockFile[]> => {
  const place = part.name === '' ? '' : ` (${part.name})`;
  locking.events?.note(`resolving ${release.version}${place}`);
  const folder = join(staging, locking.world.random(6).toString('hex'));
  makeFolder(folder, { mode: 0o755 });
  return part.source.kind === 'npm'
    ? resolveNpmPart(locking, release, part, part.source, folder)
    : resolveDebPart(locking, release, part, part.source, folder);
};

const resolveDebPart = async (
  { world, events }: Locking,
  release: Release,
  part: Part,
  source: DebSource,
  folder: string,
): Promise<LockFile[]> => {
  const files: LockFile[] = [];
  for (const architecture of source.architectures) {
    events?.note(`asking apt for ${source.packages.join(', ')} (${architecture})`);
    const { lock, ofTheHost } = await resolveDebs(world, join(folder, architecture), source, architecture);
    files.push({ release, part, name: debLockName(architecture), text: debLockText(lock), ofTheHost });
  }
  return files;
};

const resolveNpmPart = async (
  locking: Locking,
  release: Release,
  part: Part,
  source: NpmSource,
  folder: string,
): Promise<LockFile[]> => {
  const { world, home, product, events } = locking;
  const own = readIfThere(join(product.folder, source.lock, 'package.json'));
  const wanted = own ?? wantedAsBefore(product, release, part);
  if (wanted === undefined) throw nothingNamed(product, source);
  const npm = [
    await ensureNode(world, home, ownNodeVersion, events),
    join(await ensureNpm(world, home, events), 'bin/npm-cli.js'),
  ];
  const before = readIfThere(join(product.folder, source.lock, 'package-lock.json'));
  const text = await resolveNpm({
    world,
    folder: join(folder, 'resolve'),
    npm,
    wanted,
    dependencies: source.dependencies ?? true,
    before,
  });
  const lock = { release, part, name: 'package-lock.json', text, ofTheHost: [] };
  refuseUnsound(world, folder, source, text);
  return own === undefined ? [{ ...lock, name: 'package.json', text: wanted }, lock] : [lock];
};

/** Read again as an installation would read it, before it replaces anything. */
const refuseUnsound = (world: World, folder: string, source: NpmSource, text: string): void => {
  writeDurably(join(folder, 'package-lock.json'), text);
  openSource(world, folder, { ...source, lock: '.' });
};

/** The package.json of the release before, with its version where that was the release's own. */
const wantedAsBefore = (product: Product, release: Release, { name }: Part): string | undefined => {
  const before = product.releases[product.releases.indexOf(release) - 1];
  const source = before?.parts.find((part) => part.name === name)?.source;
  const text = source?.kind === 'npm' ? readIfThere(join(product.folder, source.lock, 'package.json')) : undefined;
  return before && text?.replaceAll(`"${before.version}"`, `"${release.version}"`);
};

const write = ({ folder }: Product, { release, part, name, text, ofTheHost, kept = false }: LockFile): WrittenLock => {
  const file = join(part.source.lock, name);
  const before = readIfThere(join(folder, file));
  const [then, now] = [versionsIn(before ?? ''), versionsIn(text)];
  if (before !== text) {
    makeFolder(join(folder, part.source.lock), { mode: 0o755 });
    writeDurably(join(folder, file), text, { mode: 0o644 });
  }
  const listed = (from: Map<string, string>, other: Map<string, string>) =>
    [...from].filter(([key]) => !other.has(key)).map(([key, version]) => ({ name: key, version }));
  return {
    release: release.version,
    part: part.name,
    file,
    changed: before !== text,
    kept,
    packages: now.size,
    added: listed(now, then),
    removed: listed(then, now),
    moved: [...now].flatMap(([key, to]) => {
      const from = then.get(key);
      return from === undefined || from === to ? [] : [{ name: key, from, to }];
    }),
    ofTheHost,
  };
};

/** Name, or location for npm -> version, of either kind of lock. */
const versionsIn = (text: string): Map<string, string> => {
  let lock: { packages?: unknown };
  try {
    lock = JSON.parse(text) as typeof lock;
  } catch {
    return new Map();
  }
  const packages = (lock.packages ?? {}) as Record<string, { name?: string; version?: string }>;
  const entries = Object.entries(packages).filter(([location]) => location !== '');
  return new Map(
    entries.map(([location, { name, version }]) => [
      Array.isArray(packages) ? (name ?? '') : location.replace(/^node_modules\//, ''),
      version ?? '',
    ]),
  );
};

const nothingNamed = ({ folder }: Product, { lock }: NpmSource): Failure =>
  new Failure(
    'usage-manifest',
    `${join(folder, lock)}/package.json is not there, and no release before tells which package it is.`,
    `Write it: { "name": "assent-release", "private": true, "dependencies": { "NAME": "VERSION" } }. Nothing was written.`,
  );
