/**
 * Lines that are JSON objects, as nginx, Caddy and traefik write them. Only the keys that are wanted are looked at; everything else is passed over
 * without becoming a value. It is looser than JSON (a number may be any word), but a line that is torn, nested too deeply, or followed by something is none.
 *
 * Wanted keys are a tree, for some stand in objects of objects (`request.headers.User-Agent`). Where a list stands in place of a value, as Caddy
 * writes headers, its only element is the value.
 */

import { put, type Scan, type SlotName, type Spans, slots } from './spans.ts';

/** Names of one field in the order of preference; a dot leads into an object. */
export type FieldNames = Readonly<Record<SlotName, readonly string[]>>;

export const makeJsonScan = (names: FieldNames): Scan => {
  const root = treeOf(names);
  return (bytes, from, to, spans) => {
    const start = skipBlank(bytes, from, to);
    if (start >= to || bytes[start] !== braceOpen) return false;
    const end = readObject({ bytes, to, spans }, start, root, 0);
    return end > 0 && skipBlank(bytes, end, to) === to;
  };
};

interface Wanted {
  readonly name: Uint8Array;
  /** What is wanted in this object, by the length of its key. */
  readonly inner: Wanted[][];
  slot: number;
  rank: number;
  /** Fields that stand in this object itself: seeing it says that they could have been there. */
  readonly holds: number[];
}

interface Line {
  readonly bytes: Uint8Array;
  readonly to: number;
  readonly spans: Spans;
}

const treeOf = (names: FieldNames): Wanted => {
  const root = newWanted('');
  for (const [name, slot] of Object.entries(slots)) {
    for (const [rank, path] of names[name as SlotName].entries()) insert(root, path.split('.'), slot, rank);
  }
  return root;
};

const newWanted = (name: string): Wanted => ({ name: Buffer.from(name), inner: [], slot: -1, rank: 0, holds: [] });

const insert = (node: Wanted, [key = '', ...further]: readonly string[], slot: number, rank: number): void => {
  const length = Buffer.from(key).length;
  while (node.inner.length <= length) node.inner.push([]);
  const siblings = node.inner[length] as Wanted[];
  let child = siblings.find(({ name }) => isSame(name, Buffer.from(key), 0));
  if (child === undefined) {
    child = newWanted(key);
    siblings.push(child);
  }
  if (further.length > 0) {
    insert(child, further, slot, rank);
  } else {
    node.holds.push(slot);
    child.slot = slot;
    child.rank = rank;
  }
};

const [braceOpen, braceClose, bracketOpen, bracketClose] = [0x7b, 0x7d, 0x5b, 0x5d];
const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const deepest = 16;

/** Behind the object that begins here; -1 where there is none. */
const readObject = (line: Line, start: number, node: Wanted | undefined, depth: number): number => {
  const { bytes, to, spans } = line;
  if (depth > deepest) return -1;
  for (const slot of node?.holds ?? nothing) spans.held[slot] = 1;
  let at = skipBlank(bytes, start + 1, to);
  if (bytes[at] === braceClose && at < to) return at + 1;
  while (at < to) {
    if (bytes[at] !== quote) return -1;
    const keyEnd = stringEnd(bytes, at + 1, to);
    const value = skipBlank(bytes, keyEnd + 1, to);
    if (value >= to || bytes[value] !== colon) return -1;
    const child = node === undefined ? undefined : childOf(node, bytes, at + 1, keyEnd);
    const end = readValue(line, skipBlank(bytes, value + 1, to), child, depth);
    if (end < 0) return -1;
    at = skipBlank(bytes, end, to);
    if (at >= to) return -1;
    if (bytes[at] === braceClose) return at + 1;
    if (bytes[at] !== comma) return -1;
    at = skipBlank(bytes, at + 1, to);
  }
  return -1;
};

const nothing: readonly number[] = [];

const readValue = (line: Line, at: number, wanted: Wanted | undefined, depth: number): number => {
  const { bytes, to } = line;
  if (at >= to) return -1;
  if (bytes[at] === braceOpen) {
    const end = readObject(line, at, wanted, depth + 1);
    // Where a header's value should stand, an object says something: kept as it is written, so that it counts as an objection.
    if (end > 0 && (wanted?.slot === slots.gpc || wanted?.slot === slots.dnt)) keep(line.spans, wanted, at, end);
    return end;
  }
  if (bytes[at] === bracketOpen) return readList(line, at, wanted, depth + 1);
  return readPlain(line, at, wanted);
};

const readPlain = ({ bytes, to, spans }: Line, at: number, wanted: Wanted | undefined): number => {
  const isText = bytes[at] === quote;
  const from = isText ? at + 1 : at;
  const end = isText ? stringEnd(bytes, from, to) : wordEnd(bytes, from, to);
  if (end >= to || (!isText && end === from)) return -1;
  if (wanted !== undefined) keep(spans, wanted, from, end);
  return isText ? end + 1 : end;
};

/** A list of one plain value is that value; any other is kept as it is written. */
const readList = (line: Line, start: number, wanted: Wanted | undefined, depth: number): number => {
  const { bytes, to, spans } = line;
  if (depth > deepest) return -1;
  let at = skipBlank(bytes, start + 1, to);
  let count = 0;
  while (at < to && bytes[at] !== bracketClose) {
    const isPlain = bytes[at] !== braceOpen && bytes[at] !== bracketOpen;
    const end = readValue(line, at, isPlain && count === 0 ? wanted : undefined, depth);
    if (end < 0) return -1;
    count += isPlain ? 1 : 2;
    at = skipBlank(bytes, end, to);
    if (at < to && bytes[at] === comma) at = skipBlank(bytes, at + 1, to);
    else if (bytes[at] !== bracketClose) return -1;
  }
  if (at >= to) return -1;
  if (count > 1 && wanted !== undefined) keepAnew(spans, wanted, start, at + 1);
  return at + 1;
};

/** The first of two keys with one name counts, and a name that is preferred counts before others. */
const keep = (spans: Spans, { slot, rank }: Wanted, from: number, to: number): void => {
  if (slot < 0 || ((spans.from[slot] as number) >= 0 && (spans.rank[slot] as number) <= rank)) return;
  put(spans, slot, from, to);
  spans.rank[slot] = rank;
};

const keepAnew = (spans: Spans, { slot, rank }: Wanted, from: number, to: number): void => {
  if (slot < 0 || ((spans.from[slot] as number) >= 0 && (spans.rank[slot] as number) < rank)) return;
  put(spans, slot, from, to);
  spans.rank[slot] = rank;
};

const childOf = ({ inner }: Wanted, bytes: Uint8Array, from: number, to: number): Wanted | undefined => {
  const siblings = inner[to - from];
  if (siblings === undefined) return undefined;
  for (let at = 0; at < siblings.length; at += 1) {
    const child = siblings[at] as Wanted;
    if (isSame(child.name, bytes, from)) return child;
  }
  return undefined;
};

const isSame = (name: Uint8Array, bytes: Uint8Array, from: number): boolean => {
  for (let at = 0; at < name.length; at += 1) if (name[at] !== bytes[from + at]) return false;
  return true;
};

const skipBlank = (bytes: Uint8Array, from: number, to: number): number => {
  let at = from;
  while (at < to && (bytes[at] === 0x20 || bytes[at] === 0x09)) at += 1;
  return at;
};

const stringEnd = (bytes: Uint8Array, from: number, to: number): number => {
  let at = from;
  while (at < to) {
    const byte = bytes[at];
    if (byte === quote) return at;
    at += byte === backslash ? 2 : 1;
  }
  return to;
};

const wordEnd = (bytes: Uint8Array, from: number, to: number): number => {
  let at = from;
  while (at < to) {
    const byte = bytes[at] as number;
    if (byte <= 0x20 || byte === comma || byte === braceClose || byte === bracketClose) return at;
    if (byte === quote || byte === colon || byte === braceOpen || byte === bracketOpen) return to;
    at += 1;
  }
  return to;
};
