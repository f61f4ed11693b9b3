/**
 * What would stop a release from being made on any machine, told before anybody installs it: a lockfile that pins too little, and a private
 * Node that cannot be had. Loading a product leaves both alone, so that a bad release does not keep the others from running.
 */
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { Path, RawFault } from '../product/located-yaml.ts';
import type { Product, Release } from '../product/manifest.ts';
import { parseNpmLock } from '../source/npm-lock.ts';
import { readIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import { nodeVersions } from './runtimes.ts';

export const releaseFaults = (world: World, product: Product): RawFault[] =>
  product.releases.flatMap((release, at) => [
    ...runtimeFaults(world, release, ['releases', at]),
    ...lockFaults(world, product, release, ['releases', at]),
  ]);

const runtimeFaults = (world: World, { runtime }: Release, at: Path): RawFault[] => {
  const versions = nodeVersions(world.arch);
  if (versions.length === 0 || versions.includes(runtime)) return [];
  return [
    {
      path: [...at, 'runtime'],
      what: 'there is no private Node of that version',
      remedy: `name ${versions.join(' or ')}`,
    },
  ];
};

/** A release for other machines is no fault of its manifest; a file that is not there, or is no file, is told of by who looks for it. */
const lockFaults = (world: World, product: Product, { source }: Release, at: Path): RawFault[] => {
  const file = join(product.folder, source.lock, 'package-lock.json');
  try {
    const text = readIfThere(file);
    if (text !== undefined) parseNpmLock(text, file, world);
    return [];
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'usage-manifest') return [];
    const remedy =
      'make it with: npm install --package-lock-only --ignore-scripts --lockfile-version=3 (docs/products.md)';
    return [{ path: [...at, 'source', 'lock'], what: error.message.replace(/\.$/, ''), remedy }];
  }
};
