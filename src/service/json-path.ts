/** Keys joined by dots, into a JSON document. */

import type { Json } from '../values.ts';

/** The value there, or undefined where the document has no such place. */
export const valueAt = (document: Json, path: string): Json | undefined => {
  let at: Json | undefined = document;
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as { readonly [key: string]: Json })[key];
  }
  return at;
};
