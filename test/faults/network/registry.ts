/**
 * A registry on this machine that has the packages of a lockfile, and spoils what it sends in one of many ways. What it has is the test store's, which came from
 * the real registry once and was checked.
 */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { cachePath } from '../../../src/source/artifact.ts';
import { parseNpmLock } from '../../../src/source/npm-lock.ts';
import { realWorld } from '../../../src/system/world.ts';
import { repository } from '../../support/seed.ts';

export interface Archive {
  /** Where a registry has it: /NAME/-/NAME-VERSION.tgz. */
  readonly path: string;
  readonly bytes: Buffer;
}

/** Spoils one answer. */
export type Spoil = (response: ServerResponse, archive: Archive, registry: Registry) => void;

export interface Registry {
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** From now on: which archives are spoiled, and how. Undefined is honest. */
  spoil: { readonly how: Spoil; readonly whom: (path: string) => boolean } | undefined;
  readonly close: () => void;
}

/** Every archive of the lockfile; the test store has fetched them. */
export const archivesOf = (lockFile: string): Archive[] => {
  const cache = join(repository, '.test-store/cache');
  const { packages } = parseNpmLock(readFileSync(lockFile, 'utf8'), lockFile, realWorld());
  return packages.map(({ name, version, integrity }) => {
    const file = cachePath(cache, integrity);
    if (!existsSync(file))
      throw new Error(`the test store lacks ${name} ${version}: remove .test-store, it is made anew`);
    return { path: `/${name}/-/${name.split('/').at(-1)}-${version}.tgz`, bytes: readFileSync(file) };
  });
};

export const startRegistry = async (archives: readonly Archive[]): Promise<Registry> => {
  const byPath = new Map(archives.map((archive) => [archive.path, archive]));
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    // What is sent on elsewhere comes back under /moved.
    const archive = byPath.get(path.replace(/^\/moved/, ''));
    if (archive === undefined) return void response.writeHead(404).end('{}');
    registry.asked.push(path);
    if (registry.spoil?.whom(archive.path)) registry.spoil.how(response, archive, registry);
    else response.writeHead(200, { 'content-length': archive.bytes.length }).end(archive.bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const registry: Registry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    spoil: undefined,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return registry;
};

/** Whether a file of the cache is what its name says. */
export const isGood = (cache: string, file: string): boolean => {
  const digest = createHash('sha512')
    .update(readFileSync(join(cache, 'sha512', file)))
    .digest('hex');
  return file === `${digest.slice(0, 2)}/${digest.slice(2)}`;
};
