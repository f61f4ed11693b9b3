/**
 * Fetches the packages of a lock: from the cache, else from the host's mirror by apt, else from the mirror's pool (a file lies there for some days after
 * the lists have a newer one), else from the archive of everything that Debian ever published.
 *
 * Wherever a file came from, it counts once its sha256 is the lock's. What the cache has whole is not fetched, and with everything there neither apt nor a
 * network is needed.
 */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { listFolder, makeFolder, readIfThere, statIfThere } from '../system/files.ts';
import { digestFile } from '../system/spool.ts';
import { integrityOf } from '../values.ts';
import { type Apt, fetchByApt, openApt, runApt } from './apt.ts';
import { fullDisk, isFull, saidBy } from './apt-trouble.ts';
import { findArtifact, keepArtifact, type VerifiedArtifact } from './artifact.ts';
import type { DebLock, DebPackage } from './deb-lock.ts';
import type { FetchOptions } from './fetch.ts';

/** Keeps every version of every package of Debian. */
const snapshotArchive = 'https://snapshot.debian.org';

/** The archive of each package, in the order of the lock. Failures as of openApt; 'download-failed' and 'verification-failed' name the package. */
export const fetchDebs = async (
  lock: DebLock,
  options: FetchOptions,
  { snapshot = snapshotArchive }: { readonly snapshot?: string } = {},
): Promise<VerifiedArtifact[]> => {
  const found = new Map<DebPackage, VerifiedArtifact>();
  for (const wanted of lock.packages) {
    const artifact = await findArtifact(options.cache, integrityOf(wanted.sha256));
    if (artifact !== undefined) found.set(wanted, artifact);
  }
  const missing = lock.packages.filter((wanted) => !found.has(wanted));
  if (missing.length > 0)
    for (const [wanted, artifact] of await fetchAll(lock, missing, options, snapshot)) found.set(wanted, artifact);
  return lock.packages.flatMap((wanted) => found.get(wanted) ?? []);
};

interface Fetching {
  readonly apt: Apt;
  /** Where files arrive. */
  readonly folder: string;
  readonly options: FetchOptions;
}

const fetchAll = async (
  lock: DebLock,
  missing: readonly DebPackage[],
  options: FetchOptions,
  snapshot: string,
): Promise<Map<DebPackage, VerifiedArtifact>> => {
  const { world, staging } = options;
  const folder = join(staging, `debs-${world.random(4).toString('hex')}`);
  options.onNote?.(`reading the lists of ${lock.suites.join(', ')}`);
  const { suites, architecture } = lock;
  const apt = await openApt({ world, folder: join(folder, 'apt'), suites, architecture });
  const fetching: Fetching = { apt, folder: join(folder, 'files'), options };
  makeFolder(fetching.folder, { mode: 0o755 });
  const said = await watching(fetching, () => fetchFromMirror(fetching, missing));
  const artifacts = new Map<DebPackage, VerifiedArtifact>();
  for (const wanted of missing) {
    const file = join(fetching.folder, fileNameOf(wanted));
    const has = statIfThere(file) !== undefined || (await fetchElsewhere(fetching, wanted, file, snapshot));
    if (!has) throw nowhere(wanted, said || apt.gone);
    artifacts.set(wanted, await take(wanted, file, options));
  }
  return artifacts;
};

/** Lets apt load what its lists have. Returns apt's complaints, which matter only where a package is nowhere else. */
const fetchFromMirror = async ({ apt, folder }: Fetching, missing: readonly DebPackage[]): Promise<string> => {
  const known = await versionsOf(
    apt,
    missing.map(({ name }) => name),
  );
  const wanted = missing.filter(({ name, version }) => known.has(`${name}=${version}`));
  if (wanted.length === 0) return '';
  const words = wanted.map(({ name, version }) => `${name}=${version}`);
  const result = await runApt(apt, ['apt-get', 'download', ...words], { cwd: folder, timeoutMs: 30 * 60_000 });
  if (result.code === 0) return '';
  const said = saidBy(result);
  if (isFull(said)) throw fullDisk(said);
  return said;
};

/** `NAME=VERSION` of everything that the lists have of these packages. */
const versionsOf = async (apt: Apt, names: readonly string[]): Promise<Set<string>> => {
  const { stdout } = await runApt(apt, ['apt-cache', 'madison', ...names]);
  const lines = stdout.split('\n').map((line) => line.split('|').map((word) => word.trim()));
  return new Set(lines.map(([name, version]) => `${name}=${version}`));
};

const fetchElsewhere = async (
  { apt, folder, options }: Fetching,
  wanted: DebPackage,
  file: string,
  snapshot: string,
): Promise<boolean> => {
  const mirrors = apt.sources.filter(({ suite }) => suite === wanted.suite).flatMap(({ uris }) => uris);
  for (const mirror of new Set(mirrors)) {
    if (await fetchByApt(apt, `${mirror.replace(/\/$/, '')}/${wanted.path}`, file)) return true;
  }
  options.onNote?.(`${wanted.name} ${wanted.version} has left the mirror: looking in the snapshot archive`);
  const list = join(folder, `${wanted.name}.json`);
  const name = encodeURIComponent(wanted.name);
  const about = `${snapshot}/mr/binary/${name}/${encodeURIComponent(wanted.version)}/binfiles?fileinfo=1`;
  if (!(await fetchByApt(apt, about, list))) return false;
  const hash = snapshotHash(readIfThere(list) ?? '', wanted);
  return hash !== undefined && (await fetchByApt(apt, `${snapshot}/file/${hash}`, file));
};

/** The snapshot archive names files by their sha1; it only finds the file, and the lock's sha256 is what counts. */
const snapshotHash = (text: string, { architecture }: DebPackage): string | undefined => {
  try {
    const { result } = JSON.parse(text) as { result?: { architecture?: unknown; hash?: unknown }[] };
    const hash = result?.find((one) => one.architecture === architecture)?.hash;
    return typeof hash === 'string' && /^[0-9a-f]{40}$/.test(hash) ? hash : undefined;
  } catch {
    return undefined;
  }
};

const take = async (wanted: DebPackage, file: string, { cache }: FetchOptions): Promise<VerifiedArtifact> => {
  const integrity = integrityOf(wanted.sha256);
  const found = await digestFile(file, 'sha256');
  if (found?.integrity === integrity) return keepArtifact(cache, file, integrity, found.bytes);
  throw new Failure(
    'verification-failed',
    `What came as ${wanted.name} ${wanted.version} is something else: expected ${integrity}, got ${found?.integrity ?? 'nothing'}. It was deleted.`,
    'Something between here and the mirror changes packages, or the mirror is not the one that the lock was made from: find out which before you go on. Nothing was changed.',
  );
};

/** As apt names what it downloads. */
const fileNameOf = ({ name, version, architecture }: DebPackage): string =>
  `${name}_${version.replaceAll(':', '%3a')}_${architecture}.deb`;

/** Tells a few times a second how much has arrived. */
const watching = async <T>({ folder, options }: Fetching, work: () => Promise<T>): Promise<T> => {
  const tell = (): void => {
    const sizes = listFolder(folder).map((name) => statIfThere(join(folder, name))?.size ?? 0);
    options.onProgress?.(sizes.reduce((sum, size) => sum + size, 0));
  };
  const timer = setInterval(tell, 250);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    tell();
  }
};

const nowhere = ({ name, version, suite }: DebPackage, said: string): Failure =>
  new Failure(
    'download-failed',
    `${name} ${version} of ${suite} is neither on this machine's mirror nor in the snapshot archive${said === '' ? '' : ` (apt: ${said})`}.`,
    `Check the network; or make the lock anew from what the mirror has now, and look at the difference: assent products lock MANIFEST --refresh. What has arrived so far is kept; nothing else was changed.`,
  );
