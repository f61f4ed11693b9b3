/**
 * What would stop a release from being made on any machine, told before anybody installs it: a lockfile that pins too little, and a private
 * Node that cannot be had. Loading a product leaves both alone, so that a bad release does not keep the others from running.
 */
import type { Path, RawFault } from '../product/located-yaml.ts';
import type { Product, Release } from '../product/manifest.ts';
import { pathOfPart } from '../product/parts.ts';
import { sourceFaults } from '../source/sources.ts';
import type { World } from '../system/world.ts';
import { nodeVersions } from './runtimes.ts';

export const releaseFaults = (world: World, product: Product): RawFault[] =>
  product.releases.flatMap((release, at) => [
    ...runtimeFaults(world, release, ['releases', at]),
    ...lockFaults(world, product, release, ['releases', at]),
  ]);

const runtimeFaults = (world: World, { runtime }: Release, at: Path): RawFault[] => {
  const versions = nodeVersions(world.arch);
  if (runtime === undefined || versions.length === 0 || versions.includes(runtime)) return [];
  return [
    {
      path: [...at, 'runtime'],
      what: 'there is no private Node of that version',
      remedy: `name ${versions.join(' or ')}`,
    },
  ];
};

const lockFaults = (world: World, product: Product, { parts }: Release, at: Path): RawFault[] =>
  parts.flatMap((part) =>
    sourceFaults(world, product.folder, part.source).map((what) => ({
      path: [...at, ...pathOfPart(part), 'lock'],
      what,
      remedy: 'make it with: assent products lock MANIFEST (docs/products.md)',
    })),
  );
