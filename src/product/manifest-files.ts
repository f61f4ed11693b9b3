/**
 * The files beside a manifest: lock folders and templates that its releases name have to be there and to be sound. Checked when a product
 * is loaded from the catalogue or from a path, not in a stored release, which carries only what it needs.
 */

import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { readIfThere, statIfThere } from '../system/files.ts';
import type { Path, RawFault } from './located-yaml.ts';
import type { ConfigFile, Product, Release } from './manifest.ts';
import { templateFaults } from './manifest-checks-templates.ts';
import { lockFilesOf, type Part, pathOfPart } from './parts.ts';

/** Longest template that is read, in bytes. */
const templateLimit = 1024 * 1024;

export const checkManifestFiles = (product: Product): RawFault[] =>
  product.releases.flatMap((release, at) => [
    ...release.parts.flatMap((part) => lockFaults(product, part, ['releases', at, ...pathOfPart(part), 'lock'])),
    ...release.config.flatMap((file, index) => configFaults(product, release, file, ['releases', at, 'config', index])),
  ]);

const lockFaults = ({ folder }: Product, { source }: Part, path: Path): RawFault[] =>
  lockFilesOf(source).flatMap((name) => {
    const relative = `${source.lock}/${name}`;
    const wrong = linkOnTheWay(folder, relative) ?? notThere(join(folder, relative), Number.POSITIVE_INFINITY);
    if (wrong === undefined) return [];
    const remedy = 'make it with: assent products lock MANIFEST (docs/products.md)';
    return [{ path, what: `${relative} ${wrong}`, remedy }];
  });

const configFaults = (product: Product, release: Release, { template, secret }: ConfigFile, at: Path): RawFault[] => {
  const path = [...at, 'template'];
  const file = join(product.folder, template);
  const wrong = linkOnTheWay(product.folder, template) ?? notThere(file, templateLimit);
  if (wrong !== undefined) return [{ path, what: `${template} ${wrong}`, remedy: 'write it, or correct the path' }];
  const text = readIfThere(file) ?? '';
  return templateFaults(product, text, secret ? 'secret' : 'service', release).map(({ what, remedy }) => ({
    path,
    what: `${template}: ${what}`,
    remedy,
  }));
};

const notThere = (file: string, limit: number): string | undefined => {
  try {
    const stat = statIfThere(file);
    if (stat === undefined) return 'is not there';
    if (stat.kind !== 'file') return 'is not a plain file';
    return stat.size > limit ? `is larger than ${limit} bytes` : undefined;
  } catch (error) {
    return `can't be looked at (${messageOf(error)})`;
  }
};

/** A link could lead out of the product's folder. */
const linkOnTheWay = (folder: string, relative: string): string | undefined => {
  const parts = relative.split('/');
  const link = parts.map((_, at) => parts.slice(0, at + 1).join('/')).find((part) => isLink(join(folder, part)));
  return link === undefined ? undefined : `leads over a link (${link})`;
};

const isLink = (path: string): boolean => {
  try {
    return statIfThere(path)?.kind === 'link';
  } catch {
    return false;
  }
};
