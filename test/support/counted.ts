/**
 * An installation of a real product with a yes on record, made without a change: state, notice, log and record as the code that writes them for people does,
 * and the folder that a yes makes. The server's release is the test store's.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makeNotice, noticeId } from '../../src/consent/notice.ts';
import { storeNotice } from '../../src/consent/notice-file.ts';
import { loadProduct, parseProductReference, pickRelease } from '../../src/product/catalogue.ts';
import { releaseDigest } from '../../src/product/release-digest.ts';
import { releaseFolder, runtimeFolder } from '../../src/release/layout.ts';
import { ownNodeVersion } from '../../src/release/runtimes.ts';
import { finish, type Home, makeHome, open, raiseOf, sure, testWorld } from '../consent/support.ts';
import { repository, seedStore } from './seed.ts';

export interface Counted {
  readonly home: Home;
  /** Folder of the stored release, and the Node that it runs on. */
  readonly release: string;
  readonly node: string;
  /** The value of `--import`. */
  readonly preload: string;
}

/** `maildev@3.0.0`, counted in the home folder. */
export const countedInstance = async (folder: string, wanted: string): Promise<Counted> => {
  const seed = await seedStore([wanted]);
  const { product: name, version } = parseProductReference(wanted);
  const product = await loadProduct({ ...testWorld(), program: repository }, name);
  const release = pickRelease(product, version);
  const notice = sure(makeNotice(product, release));
  const home = makeHome(folder);
  mkdirSync(home.paths.folder, { recursive: true });
  storeNotice(home.world, home.paths, notice, null);
  const answer = { say: 'yes', by: 'prompt', noticeId: noticeId(notice) } as const;
  const raise = raiseOf(home, { change: 'install', version: release.version, notice, answer, since: 0, generation: 1 });
  await open(home, 'install', raise, undefined);
  await finish(home);
  mkdirSync(home.paths.counts, { recursive: true });
  const preload = pathToFileURL(join(repository, 'dist/count-preload.mjs'));
  preload.searchParams.set('home', folder);
  preload.searchParams.set('name', home.paths.name);
  const key = { product: product.name, version: release.version, digest: releaseDigest(product, release) };
  const node = join(runtimeFolder(seed, 'node', release.runtime ?? ownNodeVersion), 'bin/node');
  return { home, release: releaseFolder(seed, key), node, preload: preload.href };
};
