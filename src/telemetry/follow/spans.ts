/**
 * Where in a buffer the fields of one line lie, and how they become texts. A line is taken apart without making a text of anything: most
 * lines feed no counter, and of those not one byte is copied.
 *
 * One such table is used for all lines, one after the other. Nothing here throws, whatever the bytes are.
 */

export const slots = {
  time: 0,
  address: 1,
  method: 2,
  path: 3,
  request: 4,
  status: 5,
  agent: 6,
  gpc: 7,
  dnt: 8,
} as const;
export type SlotName = keyof typeof slots;
const count = Object.keys(slots).length;

export interface Spans {
  /** First byte of each field; -1 where the line has none. */
  readonly from: Int32Array;
  /** Behind its last byte. */
  readonly to: Int32Array;
  /** Which of a field's possible names it was found under. */
  readonly rank: Int32Array;
  /** 1 where the objects are there in which the field would stand. */
  readonly held: Uint8Array;
}

export const makeSpans = (): Spans => ({
  from: new Int32Array(count).fill(-1),
  to: new Int32Array(count),
  rank: new Int32Array(count),
  held: new Uint8Array(count),
});

export const clear = ({ from, held }: Spans): void => {
  from.fill(-1);
  held.fill(0);
};

export const put = (spans: Spans, slot: number, from: number, to: number): void => {
  spans.from[slot] = from;
  spans.to[slot] = to;
};

/** Takes a scanned line: false where the line is not of its format. */
export type Scan = (bytes: Uint8Array, from: number, to: number, spans: Spans) => boolean;

/** Bytes as a text, with the escapes of nginx, Apache and JSON resolved. What is no escape stays as it is. */
export const textOf = (bytes: Buffer, from: number, to: number): string => {
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte === backslash || byte > 0x7e) return unescaped(bytes, from, to);
  }
  return bytes.toString('latin1', from, to);
};

const backslash = 0x5c;

const unescaped = (bytes: Buffer, from: number, to: number): string => {
  const parts: string[] = [];
  let start = from;
  for (let at = from; at < to - 1; at += 1) {
    if (bytes[at] !== backslash) continue;
    const long = { x: 2, u: 4 }[String.fromCharCode(bytes[at + 1] as number)] ?? 0;
    const code = long === 0 ? single(bytes[at + 1] as number) : hex(bytes, at + 2, at + 2 + long, to);
    if (code < 0) continue;
    parts.push(bytes.toString('utf8', start, at), String.fromCharCode(code));
    start = at + 2 + long;
    at = start - 1;
  }
  return parts.join('') + bytes.toString('utf8', start, to);
};

const singles = new Map(
  [...'nrtbfv"\\/'].map((letter, at) => [letter.charCodeAt(0), '\n\r\t\b\f\v"\\/'.charCodeAt(at)]),
);
const single = (byte: number): number => singles.get(byte) ?? -1;

const hex = (bytes: Uint8Array, from: number, to: number, end: number): number => {
  if (to > end) return -1;
  let value = 0;
  for (let at = from; at < to; at += 1) {
    const digit = hexDigit(bytes[at] as number);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
};

const hexDigit = (byte: number): number => {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const small = byte | 0x20;
  return small >= 0x61 && small <= 0x66 ? small - 0x57 : -1;
};
