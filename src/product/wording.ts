/**
 * Words for messages: how a value from outside is shown, and which known name it may have meant.
 *
 * What people typed is cut to a line's length and its control characters are escaped, so that a message can't be used to
 * paint a terminal. Small and without other modules but the distance function: any path may load it.
 */

import { distance } from 'fastest-levenshtein';

/** The value in quotes, on one line, at most about 60 characters of it. */
export const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const safe = printable(text);
  return `"${safe.length > 60 ? `${safe.slice(0, 57)}...` : safe}"`;
};

/** The text with whatever could move a cursor or hide itself written as an escape. */
export const printable = (text: string): string =>
  text.replace(unprintable, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The known name that is nearest to what was given, or undefined where none is near. */
export const nearest = (given: string, known: readonly string[]): string | undefined => {
  const plain = given.slice(0, 64).toLowerCase();
  const ranked = known
    .map((name) => ({ name, far: distance(plain, name.toLowerCase()) }))
    .filter(
      ({ name, far }) =>
        isPart(plain, name.toLowerCase()) || far <= Math.max(2, Math.floor(Math.max(plain.length, name.length) / 3)),
    )
    .sort((a, b) => a.far - b.far || lengthGap(plain, a.name) - lengthGap(plain, b.name) || (a.name < b.name ? -1 : 1));
  return ranked[0]?.name;
};

/** `smtp` for `smtpPort`: three letters or more that one name begins with. */
const isPart = (given: string, name: string): boolean =>
  Math.min(given.length, name.length) >= 3 && (name.startsWith(given) || given.startsWith(name));

const lengthGap = (one: string, other: string): number => Math.abs(one.length - other.length);

/** `Did you mean "x"?` where a known name is near; what there is, where none is or the list is short. Empty if nothing is known. */
export const suggestion = (given: string, known: readonly string[], label: string): string => {
  const near = nearest(given, known);
  const all =
    known.length === 0 ? '' : `${label}: ${known.slice(0, 20).join(', ')}${known.length > 20 ? ', ...' : ''}.`;
  if (near === undefined) return all;
  return known.length > 6 ? `Did you mean "${near}"?` : `Did you mean "${near}"? ${all}`;
};

/** Control and format characters, line separators, and halves of surrogate pairs. */
export const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu;
