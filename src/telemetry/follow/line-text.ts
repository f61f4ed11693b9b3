/**
 * Lines of the combined and the common log format, each with two more quoted fields at the end: Sec-GPC and DNT.
 *
 *   ADDRESS - USER [25/Nov/2026:12:00:00 +0000] "REQUEST" STATUS BYTES "REFERER" "USER-AGENT" "SEC-GPC" "DNT"
 *
 * A user's name is what somebody typed and may hold spaces and brackets, but no bare quote: so the line is read from its first quote, and the
 * time is what stands right before it. Every field is looked at once, from left to right. A line with other fields than these is not counted.
 */

import { put, type Scan, slots } from './spans.ts';

/** `quoted`: names of the quoted fields behind the number of bytes, null for one that is passed over. */
const scanner =
  (quoted: readonly (number | null)[]): Scan =>
  (bytes, from, to, spans) => {
    const addressEnd = find(bytes, from, to, space);
    const quote = closing(bytes, addressEnd, to);
    const time = quote - timeWidth;
    if (addressEnd === from || quote >= to || time <= addressEnd) return false;
    if (bytes[time - 1] !== 0x5b || bytes[quote - 2] !== 0x5d || bytes[quote - 1] !== space) return false;
    const requestEnd = closing(bytes, quote + 1, to);
    const status = requestEnd + 2;
    put(spans, slots.address, from, addressEnd);
    put(spans, slots.time, time, quote - 2);
    put(spans, slots.request, quote + 1, requestEnd);
    put(spans, slots.status, status, status + 3);
    if (bytes[status - 1] !== space || bytes[status + 3] !== space) return false;
    let at = sizeEnd(bytes, status + 4, to);
    for (const slot of quoted) {
      if (at + 3 > to || bytes[at] !== space || bytes[at + 1] !== quoteMark) return false;
      const end = closing(bytes, at + 2, to);
      if (end >= to) return false;
      if (slot !== null) put(spans, slot, at + 2, end);
      at = end + 1;
    }
    return at === to;
  };

export const scanCombined = scanner([null, slots.agent, slots.gpc, slots.dnt]);
export const scanCommon = scanner([slots.gpc, slots.dnt]);

const space = 0x20;
const quoteMark = 0x22;
const backslash = 0x5c;
/** From the first digit of the day to the quote: `25/Nov/2026:12:00:00 +0000] `. */
const timeWidth = 28;

const find = (bytes: Uint8Array, from: number, to: number, byte: number): number => {
  let at = from;
  while (at < to && bytes[at] !== byte) at += 1;
  return at;
};

/** Where the next bare quote is; `to` where there is none. */
const closing = (bytes: Uint8Array, from: number, to: number): number => {
  let at = from;
  while (at < to) {
    const byte = bytes[at];
    if (byte === quoteMark) return at;
    at += byte === backslash ? 2 : 1;
  }
  return to;
};

const sizeEnd = (bytes: Uint8Array, from: number, to: number): number => {
  let at = from;
  if (bytes[at] === 0x2d) return at + 1;
  while (at < to && (bytes[at] as number) >= 0x30 && (bytes[at] as number) <= 0x39) at += 1;
  return at === from ? to : at;
};
