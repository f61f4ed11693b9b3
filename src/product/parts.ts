/**
 * Parts: a release is made of one or more, each from a source of its own and each in a folder of its own below the release's.
 *
 * A manifest may say `source:` for a release with a single part at its root; that is only a way of writing. What is read becomes parts
 * (`partsOf`), and what is stored or digested is written as before (`writtenParts`): a release that was stored before there were parts
 * keeps its digest and its seal.
 */

import type { z } from 'zod';
import type { debSource, npmSource } from './schema-source.ts';

export type NpmSource = z.output<typeof npmSource>;
export type DebSource = z.output<typeof debSource>;
export type Source = NpmSource | DebSource;

export interface Part {
  /** Its folder below the release's; empty for the one part that lies at the root. */
  readonly name: string;
  readonly source: Source;
}

/** As a manifest, a seal or a digest has it: one of the two. */
export interface WrittenParts {
  readonly source?: Source;
  readonly parts?: Readonly<Record<string, Source>>;
}

export const partsOf = ({ source, parts = {} }: WrittenParts): Part[] =>
  source === undefined ? Object.entries(parts).map(([name, each]) => ({ name, source: each })) : [{ name: '', source }];

export const writtenParts = (parts: readonly Part[]): WrittenParts => {
  const root = parts.find(({ name }) => name === '');
  return root === undefined
    ? { parts: Object.fromEntries(parts.map(({ name, source }) => [name, source])) }
    : { source: root.source };
};

/** A release with `parts` in place of what was written. Also for one that came out of a seal. */
export const withParts = <T extends WrittenParts>(written: T): Omit<T, 'source' | 'parts'> & { parts: Part[] } => {
  const { source: _, parts: __, ...rest } = written;
  return { ...rest, parts: partsOf(written) };
};

/** The other way round. */
export const asWritten = <T extends { readonly parts: readonly Part[] }>(
  release: T,
): Omit<T, 'parts'> & WrittenParts => {
  const { parts, ...rest } = release;
  return { ...rest, ...writtenParts(parts) };
};

/** Where a part's source stands in a manifest, below its release. */
export const pathOfPart = ({ name }: Part): string[] => (name === '' ? ['source'] : ['parts', name]);

/** The files of a lock folder that pin a source, by name. */
export const lockFilesOf = (source: Source): string[] =>
  source.kind === 'npm' ? ['package.json', 'package-lock.json'] : source.architectures.map(debLockName);

/** Name of the lock of one architecture, in Debian's words. */
export const debLockName = (architecture: string): string => `deb-${architecture}.json`;
