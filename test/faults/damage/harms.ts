/**
 * Ways in which the bytes of a file come to harm: by a crash (torn, empty, zeros), a disk (a bit), a hand (two files in one). What only one kind of
 * file can suffer (a later format, another host) is with that file.
 */

import type { Chance } from '../chance.ts';
import type { Stage } from '../stage.ts';

export interface Harmed {
  readonly bytes: Buffer;
  /** Where, for whoever reads of a failure. */
  readonly what: string;
  /** Makes other files fit, that would give it away at once. */
  readonly beside?: (stage: Stage) => void;
}

export type Harm = (whole: Buffer, chance: Chance) => Harmed;

/** Ends somewhere before its last sign but one: no file here is whole without that. */
export const torn: Harm = (whole, chance) => {
  const at = 1 + chance.whole(whole.length - 3);
  return { bytes: whole.subarray(0, at), what: `cut at ${at} of ${whole.length}` };
};

/** One bit of one byte; not of the newline at the end, without which all is said all the same. */
export const flipped: Harm = (whole, chance) => flipBetween(0, whole.length - 1)(whole, chance);

export const flipBetween =
  (from: number, to: number): Harm =>
  (whole, chance) => {
    const at = from + chance.whole(to - from);
    const bit = chance.whole(8);
    const bytes = Buffer.from(whole);
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
    return { bytes, what: `bit ${bit} of byte ${at} of ${whole.length}: ${context(whole, at)}` };
  };

export const empty: Harm = () => ({ bytes: Buffer.alloc(0), what: 'empty' });

/** As long as it was: what a filesystem leaves that had written the length and not yet the bytes. */
export const zeros: Harm = (whole) => ({ bytes: Buffer.alloc(whole.length), what: 'zeros' });

export const twice: Harm = (whole) => ({ bytes: Buffer.concat([whole, whole]), what: 'twice in one file' });

/** Of a JSON file: one value of it is another. */
export const withMember =
  (name: string, change: (value: unknown) => unknown): Harm =>
  (whole) => {
    const value = JSON.parse(whole.toString('utf8')) as Record<string, unknown>;
    const bytes = Buffer.from(`${JSON.stringify({ ...value, [name]: change(value[name]) }, null, 2)}\n`);
    return { bytes, what: `another ${name}` };
  };

const context = (whole: Buffer, at: number): string =>
  JSON.stringify(whole.subarray(Math.max(0, at - 20), at + 20).toString('latin1'));

/** What every file can suffer. */
export const anyFile = { torn, flipped, empty, zeros, twice };
