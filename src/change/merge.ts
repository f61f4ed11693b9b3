/**
 * Local edits of configuration survive: three-way merge of one file. `base` is what we wrote the last time, `local` what is
 * there now, `wanted` what we would write. Pure.
 *
 * A conflict never overwrites: the local file stays, what we would have written is put beside it as FILE.new, and the plan names a danger.
 *
 * What we write is text. A local file that is none (Latin-1, say) comes as its bytes: it is kept as it is or in conflict, and never merged, for a
 * file in two encodings is of use to nobody.
 */

import { diff3Merge } from 'node-diff3';

export type Merged =
  | { readonly kind: 'write'; readonly content: Content; readonly merged: boolean }
  | { readonly kind: 'absent' }
  | { readonly kind: 'conflict'; readonly local: Content; readonly wanted: string };

export type Content = string | Uint8Array;

/** Undefined stands for a file that is not there. */
export const mergeFile = (base: string | undefined, local: Content | undefined, wanted: string | undefined): Merged => {
  if (local === wanted) return write(wanted, false);
  if (local === base) return write(wanted, false);
  if (wanted === base) return write(local, true);
  if (local === undefined || wanted === undefined || base === undefined) return conflictOr(local, wanted);
  if (typeof local !== 'string') return { kind: 'conflict', local, wanted };
  return mergeTexts(base, local, wanted);
};

const write = (content: Content | undefined, merged: boolean): Merged =>
  content === undefined ? { kind: 'absent' } : { kind: 'write', content, merged };

/** One side has no such file: only a removal of ours against a local edit is harmless (the edited file stays). */
const conflictOr = (local: Content | undefined, wanted: string | undefined): Merged => {
  if (wanted === undefined) return write(local, true);
  return { kind: 'conflict', local: local ?? '', wanted };
};

const mergeTexts = (base: string, local: string, wanted: string): Merged => {
  const regions = diff3Merge(lines(local), lines(base), lines(wanted), { excludeFalseConflicts: true });
  const parts: string[] = [];
  for (const region of regions) {
    if (region.ok === undefined) return { kind: 'conflict', local, wanted };
    parts.push(...region.ok);
  }
  return { kind: 'write', content: parts.join('\n'), merged: true };
};

const lines = (text: string): string[] => text.split('\n');
