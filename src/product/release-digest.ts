/**
 * The digest that names a stored release: equal digests mean that the same bytes would be stored. It covers the description of the
 * release (defaults filled in), what the notice is made of, what questions and addresses the stored manifest answers for, and
 * the bytes of lockfiles and templates. It does not cover other releases of the product, what is only told about it (summary, home page,
 * licence, sizes, notes), how long it is on trial, comments or the manifest's layout.
 */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { readBytesIfThere } from '../system/files.ts';
import { canonicalJson, type Json } from '../values.ts';
import type { Product, Release } from './manifest.ts';
import { asWritten, lockFilesOf } from './parts.ts';

/** 12 hex digits. Reads lock and templates from the product's folder; throws 'usage-manifest' where one is gone. */
export const releaseDigest = (product: Product, release: Release): string => {
  const files = [
    ...release.parts.flatMap(({ source }) => lockFilesOf(source).map((name) => `${source.lock}/${name}`)),
    ...release.config.map(({ template }) => template),
  ];
  const { name, title, settings, urls, login, telemetry } = product;
  const { product: _, size: __, notes: ___, probation: ____, ...run } = asWritten(release);
  const whole = {
    format: 1,
    product: withoutAbsent({ name, title, settings, urls, login, telemetry }),
    release: run,
    files: [...new Set(files)].sort().map((file) => [file, sha256(bytesOf(product, file))]),
  };
  return sha256(canonicalJson(whole as unknown as Json)).slice(0, 12);
};

const bytesOf = (product: Product, file: string): Buffer => {
  const bytes = readBytesIfThere(join(product.folder, file));
  if (bytes !== undefined) return bytes;
  throw new Failure(
    'usage-manifest',
    `${join(product.folder, file)} is not there.`,
    `Bring it back, or check the product: assent products check ${product.folder}/manifest.yaml`,
  );
};

/** Canonical JSON has no `undefined`: a key without a value is left out. */
const withoutAbsent = (object: object): object =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
