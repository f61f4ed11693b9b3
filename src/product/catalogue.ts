/**
 * The catalogue: a folder a product under `products/` of the running program; and manifests of one's own, named by a path.
 *
 * What a command gets as PRODUCT[@VERSION] is resolved here: to a name of the catalogue unless it looks like a path (it has a
 * slash in it, or ends in .yaml or .yml), and to the newest stable release unless a version is given.
 */

import { join, resolve } from 'node:path';
import { Failure, messageOf } from '../errors.ts';
import { listFolder, readIfThere, statIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import { asProductName, type ProductName } from '../values.ts';
import type { RawFault } from './located-yaml.ts';
import type { Inspected, Product, Release } from './manifest.ts';
import { nearest, shown, suggestion } from './wording.ts';

/** What a person meant by PRODUCT[@VERSION]: the version is as typed, and may be none. */
export interface ProductReference {
  readonly product: string;
  readonly version?: string;
}

/** `maildev@3.0.0`, `maildev`, `./my/manifest.yaml@1.0.0` -> their two parts. Nothing is looked up. */
export const parseProductReference = (text: string): ProductReference => {
  const at = text.lastIndexOf('@');
  const afterPath = at > text.lastIndexOf('/');
  return at > 0 && afterPath ? { product: text.slice(0, at), version: text.slice(at + 1) } : { product: text };
};

/** Names of the products in the catalogue, sorted. Their manifests are not read. */
export const loadCatalogue = (world: World): ProductName[] =>
  listFolder(productsFolder(world)).filter(
    (name): name is ProductName =>
      asProductName(name) !== undefined &&
      statIfThere(join(productsFolder(world), name, 'manifest.yaml')) !== undefined,
  );

/** Whether PRODUCT is meant as a path to a manifest. */
export const isManifestPath = (text: string): boolean => text.includes('/') || /\.ya?ml$/i.test(text);

/**
 * The product of that name, or of the manifest at that path. Throws 'no-product' (with the nearest names) where there is none, and
 * 'usage-manifest' where its manifest, or a file that it names, has faults.
 */
export const loadProduct = async (world: World, nameOrPath: string): Promise<Product> => {
  const { file, inspected } = await inspectProduct(world, nameOrPath);
  if (inspected.product !== undefined) return inspected.product;
  const { manifestFailure } = await import('./manifest.ts');
  throw manifestFailure(file, inspected.faults);
};

/**
 * As `loadProduct`, but with faults and hints as data, for `products check`. Throws only where there is no such manifest. `further` are checks
 * that loading leaves to those who make the release.
 */
export const inspectProduct = async (
  world: World,
  nameOrPath: string,
  further: (product: Product) => RawFault[] = () => [],
): Promise<{ file: string; inspected: Inspected }> => {
  const file = manifestFile(world, nameOrPath);
  const text = textOf(file, nameOrPath);
  if (text === undefined) throw noProduct(world, nameOrPath, file);
  const [{ inspectManifest }, { checkManifestFiles }] = await Promise.all([
    import('./manifest.ts'),
    import('./manifest-files.ts'),
  ]);
  const checks = (product: Product): RawFault[] => [...checkManifestFiles(product), ...further(product)];
  return { file, inspected: inspectManifest(text, file, checks) };
};

/** The product of the manifest at that path, whatever lies beside it: for whoever makes the files that it names. Throws as loadProduct. */
export const loadWithoutFiles = async (world: World, path: string): Promise<Product> => {
  const file = manifestFile(world, path);
  const text = textOf(file, path);
  if (text === undefined) throw noProduct(world, path, file);
  const { parseManifest } = await import('./manifest.ts');
  return parseManifest(text, file);
};

/** The release of that version, or else the newest stable one (the newest at all where none is stable). Throws 'no-release'. */
export const pickRelease = (product: Product, version?: string): Release => {
  const wanted = version?.replace(/^v(?=\d)/, '');
  const stable = product.releases.filter((release) => !release.version.split('+')[0]?.includes('-'));
  const release =
    wanted === undefined
      ? (stable.at(-1) ?? product.releases.at(-1))
      : product.releases.find((one) => one.version === wanted);
  if (release !== undefined) return release;
  const versions = product.releases.map((one) => one.version);
  const advice = `There ${versions.length === 1 ? 'is' : 'are'}: ${versions.join(', ')}. Without a version the newest is taken.`;
  if (wanted === '') throw new Failure('no-release', `No version stands behind "${product.name}@".`, advice);
  const near = nearest(wanted ?? '', versions);
  throw new Failure(
    'no-release',
    `${product.title} has no release ${shown(version ?? '')} in this catalogue.`,
    near === undefined ? advice : `Did you mean "${product.name}@${near}"? ${advice}`,
  );
};

const productsFolder = (world: World): string => join(world.program, 'products');

const manifestFile = (world: World, nameOrPath: string): string => {
  if (!isManifestPath(nameOrPath))
    return join(productsFolder(world), asProductName(nameOrPath) ?? '-', 'manifest.yaml');
  const path = resolve(world.cwd, nameOrPath);
  return statIfThere(path)?.kind === 'folder' ? join(path, 'manifest.yaml') : path;
};

const textOf = (file: string, nameOrPath: string): string | undefined => {
  try {
    return readIfThere(file);
  } catch (error) {
    throw new Failure(
      'usage-manifest',
      `${file} can't be read: ${messageOf(error)}.`,
      `Name a readable file instead of ${shown(nameOrPath)}; links are not followed.`,
    );
  }
};

const noProduct = (world: World, nameOrPath: string, file: string): Failure => {
  if (isManifestPath(nameOrPath)) {
    return new Failure(
      'no-product',
      `There is no manifest at ${file}.`,
      'Give the path of a manifest.yaml, or a name of the catalogue: assent products list.',
    );
  }
  const advice = suggestion(nameOrPath, loadCatalogue(world), 'The catalogue has');
  return new Failure(
    'no-product',
    nameOrPath.startsWith('@')
      ? `No product stands before the "@" of ${shown(nameOrPath)}.`
      : `There is no product ${shown(nameOrPath)} in the catalogue.`,
    `${advice} A manifest of your own: give its path.`,
  );
};
