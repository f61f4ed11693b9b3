/**
 * Fetches pinned archives from npm registries, many at once, through npm's own fetching library: with the user's proxies,
 * certificates and credentials, which it keeps from other hosts when it is redirected there.
 *
 * - What the cache has is not fetched: with everything there, no connection is made and npm's libraries are not even loaded.
 * - An archive counts once its sha512 was the pinned one. Other bytes are deleted; that is 'verification-failed'.
 * - Trouble that may pass (no connection, 5xx, a broken transfer) is tried again a few times, but a network that is cut makes one
 *   clear Failure after some 20 seconds; the first package that fails ends the whole batch. What arrived until then stays in the cache.
 */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { removeFile } from '../system/files.ts';
import { sleep } from '../system/processes.ts';
import { type Digested, spool } from '../system/spool.ts';
import type { World } from '../system/world.ts';
import type { Integrity } from '../values.ts';
import { findArtifact, keepArtifact, type VerifiedArtifact } from './artifact.ts';
import { deadlines, fetchTrouble, isWorthAnotherTry, statusTrouble, withDeadline } from './fetch-trouble.ts';
import { agentFor } from './npm-agent.ts';
import { type NpmOptions, npmOptions, registryOf } from './npm-config.ts';

/** An archive that somebody wants, by its hash. */
export interface Wanted {
  readonly name: string;
  readonly version: string;
  readonly integrity: Integrity;
  /** Where a lockfile saw it; else the address follows from the registry. */
  readonly resolved?: string;
}

export interface FetchOptions {
  readonly world: World;
  readonly cache: string;
  /** An existing folder of our own on the filesystem of the cache. */
  readonly staging: string;
  /** Bytes that came over the network so far. */
  readonly onProgress?: (bytes: number) => void;
  /** What goes on, in a few words. */
  readonly onNote?: (text: string) => void;
  /** Largest archive that is taken, in bytes. */
  readonly maxBytes?: number;
}

interface Batch extends FetchOptions {
  readonly npm: NpmOptions;
  readonly stop: AbortController;
  readonly count: (bytes: number) => void;
}

const sockets = 16;

/** The archives by their hash. Failure 'download-failed' or 'verification-failed', about the first package that failed. */
export const fetchArtifacts = async (
  wanted: readonly Wanted[],
  options: FetchOptions,
): Promise<Map<Integrity, VerifiedArtifact>> => {
  const found = new Map<Integrity, VerifiedArtifact>();
  const missing = new Map<Integrity, Wanted>();
  for (const one of wanted) {
    if (found.has(one.integrity) || missing.has(one.integrity)) continue;
    const artifact = await findArtifact(options.cache, one.integrity);
    if (artifact) found.set(one.integrity, artifact);
    else missing.set(one.integrity, one);
  }
  if (missing.size === 0) return found;
  for (const artifact of await fetchAll([...missing.values()], options)) found.set(artifact.integrity, artifact);
  return found;
};

const fetchAll = async (wanted: readonly Wanted[], options: FetchOptions): Promise<VerifiedArtifact[]> => {
  const npm = await npmOptions(options.world);
  let bytes = 0;
  const count = (more: number): void => {
    bytes += more;
    options.onProgress?.(bytes);
  };
  const batch: Batch = { ...options, npm, count, stop: new AbortController() };
  const queue = [...wanted];
  const artifacts: VerifiedArtifact[] = [];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      artifacts.push(await fetchOne(next, batch));
  };
  const lanes = Array.from({ length: Math.min(sockets, wanted.length) }, work);
  try {
    await Promise.all(lanes);
  } catch (error) {
    batch.stop.abort();
    queue.length = 0;
    await Promise.allSettled(lanes);
    throw error;
  }
  return artifacts;
};

const fetchOne = async (wanted: Wanted, batch: Batch): Promise<VerifiedArtifact> => {
  const started = performance.now();
  const url = addressOf(wanted, batch.npm);
  if (batch.npm.offline === true) throw fetchTrouble(wanted, url, new Error('npm is configured to stay offline'));
  for (let attempt = 1; ; attempt++) {
    const file = join(batch.staging, batch.world.random(8).toString('hex'));
    try {
      const { integrity, bytes } = await transfer(url, wanted, file, batch);
      if (integrity === wanted.integrity) return keepArtifact(batch.cache, file, wanted.integrity, bytes);
      throw mismatch(wanted, url, integrity);
    } catch (error) {
      removeFile(file);
      if (error instanceof Failure) throw error;
      const again = isWorthAnotherTry(error) && attempt < 3 && performance.now() - started < deadlines.retry;
      if (!again || batch.stop.signal.aborted) throw fetchTrouble(wanted, url, error);
      await sleep(attempt * 400);
    }
  }
};

const transfer = async (url: string, wanted: Wanted, file: string, batch: Batch): Promise<Digested> => {
  const { default: npmFetch } = await import('npm-registry-fetch');
  const { npm } = batch;
  const agent = await agentFor(url, npm, { sockets, connectMs: deadlines.connect });
  return withDeadline(batch.stop.signal, async (signal, alive) => {
    const spec = `${wanted.name}@${wanted.version}`;
    const own = { agent, spec, signal, cache: undefined, retry: { retries: 0 }, timeout: deadlines.silence };
    const response = await npmFetch(url, { ...npm, ...own } as unknown as Parameters<typeof npmFetch>[1]);
    if (response.status !== 200) throw statusTrouble(response.status);
    alive();
    const body = response.body as AsyncIterable<Uint8Array>;
    const onBytes = (bytes: number): void => {
      alive(bytes);
      batch.count(bytes);
    };
    return spool(body, file, { maxBytes: batch.maxBytes ?? 400_000_000, onBytes });
  });
};

/**
 * Where the archive is fetched from. A lockfile's address on the public registry means "the registry": the user's own one takes its
 * place, as npm has it (`replace-registry-host`). What comes from there is checked by the same hash.
 */
export const addressOf = (wanted: Wanted, npm: NpmOptions): string => {
  const registry = registryOf(npm, wanted.name);
  const { name, version, resolved } = wanted;
  if (resolved === undefined) return `${registry}${name}/-/${name.split('/').at(-1)}-${version}.tgz`;
  const { hostname, pathname, search } = new URL(resolved);
  const replaced = npm.replaceRegistryHost ?? 'npmjs';
  const isMeant =
    replaced === 'always' || replaced === hostname || (replaced === 'npmjs' && hostname === 'registry.npmjs.org');
  return isMeant ? `${registry}${pathname.slice(1)}${search}` : resolved;
};

const mismatch = ({ name, version, integrity }: Wanted, url: string, found: string): Failure =>
  new Failure(
    'verification-failed',
    `What ${new URL(url).host} sent as ${name} ${version} is something else: expected ${integrity}, got ${found}. It was deleted.`,
    'Something between here and the registry changes packages, or the registry was tampered with: find out which before you go on. Nothing was changed.',
  );
