/**
 * Which home a unit of ours belongs to, by its own text. Pure. Units bear the name of an instance and nothing of its home, so this is what tells those of
 * two homes apart.
 *
 * A server's unit has always set HOME to the instance's data, which no manifest and no setting changes (spec.ts); all others run Assent with `--home`.
 */

import { unquoted } from './unit-text.ts';

/** The home, as whoever wrote the unit was told it. Undefined for a timer, a drop-in, and whatever Assent did not write. */
export const homeNamedIn = (text: string, instance: string): string | undefined => {
  const lines = text.split('\n');
  const data = firstWord(lines, /^Environment="HOME=((?:[^"\\]|\\.)*)"$/);
  if (data !== undefined) return homeOfData(data, instance);
  return firstWord(lines, /^ExecStart=.* "--home" "((?:[^"\\]|\\.)*)"/)?.replaceAll('$$', '$');
};

const firstWord = (lines: readonly string[], form: RegExp): string | undefined => {
  const [found] = lines.flatMap((line) => form.exec(line)?.[1] ?? []);
  return found === undefined ? undefined : unquoted(found);
};

const homeOfData = (data: string, instance: string): string | undefined => {
  const inside = `/instances/${instance}/data`;
  return data.endsWith(inside) ? data.slice(0, -inside.length) || '/' : undefined;
};
