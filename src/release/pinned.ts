/**
 * Whether a part of a release is pinned: its locks are there, sound, and made from what the manifest and its `package.json` want. Such a lock is what people may have
 * installed, so that nothing but an explicit wish makes another one of it.
 */

import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Product } from '../product/manifest.ts';
import { lockFilesOf, type Part } from '../product/parts.ts';
import { sourceFaults } from '../source/sources.ts';
import { readIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';

export const isPinned = (world: World, { folder }: Product, { source }: Part): boolean => {
  const texts = lockFilesOf(source).map((name) => readIfThere(join(folder, source.lock, name)));
  if (texts.includes(undefined) || sourceFaults(world, folder, source).length > 0) return false;
  if (source.kind === 'deb') return true;
  const [wanted, locked] = texts.map((text) => JSON.parse(text ?? '') as Named);
  return isDeepStrictEqual(wanted?.dependencies ?? {}, locked?.packages?.['']?.dependencies ?? {});
};

/** What both files say of the packages that are wanted. */
interface Named {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly packages?: Readonly<Record<string, Named>>;
}
