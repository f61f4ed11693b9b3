/**
 * The time that a line tells, in the forms in which servers write it: `25/Nov/2026:12:00:00 +0000`, RFC 3339, or a number since 1970 in seconds,
 * milliseconds, microseconds or nanoseconds (told apart by its size). Read from bytes; NaN for what is none of them.
 */

export const timeAt = (bytes: Uint8Array, from: number, to: number): number => {
  if (to - from < 9 || to - from > 40) return Number.NaN;
  if (bytes[from + 2] === slash) return commonTime(bytes, from, to);
  return bytes[from + 4] === dash ? isoTime(bytes, from, to) : numberTime(bytes, from, to);
};

const [slash, dash, plus, dot, colon, blank] = [0x2f, 0x2d, 0x2b, 0x2e, 0x3a, 0x20];
const minute = 60_000;

/** `25/Nov/2026:12:00:00 +0000` */
const commonTime = (bytes: Uint8Array, from: number, to: number): number => {
  if (to - from !== 26 || bytes[from + 6] !== slash || bytes[from + 11] !== colon) return Number.NaN;
  if (bytes[from + 20] !== blank) return Number.NaN;
  const day = dayNumber(number(bytes, from + 7, 4), monthOf(bytes, from + 3), number(bytes, from, 2));
  return day + clock(bytes, from + 12) - offset(bytes, from + 21, to);
};

/** `2026-11-25T12:00:00.123Z`, also with a blank in the middle. */
const isoTime = (bytes: Uint8Array, from: number, to: number): number => {
  if (to - from < 20 || bytes[from + 7] !== dash) return Number.NaN;
  const day = dayNumber(number(bytes, from, 4), number(bytes, from + 5, 2), number(bytes, from + 8, 2));
  let at = from + 19;
  let fraction = 0;
  if (bytes[at] === dot) {
    let worth = 100;
    for (at += 1; at < to && isDigit(bytes[at] as number); at += 1) {
      fraction += ((bytes[at] as number) - 0x30) * worth;
      worth /= 10;
    }
  }
  return day + clock(bytes, from + 11) + Math.trunc(fraction) - offset(bytes, at, to);
};

const numberTime = (bytes: Uint8Array, from: number, to: number): number => {
  let whole = 0;
  let at = from;
  for (; at < to && isDigit(bytes[at] as number); at += 1) whole = whole * 10 + (bytes[at] as number) - 0x30;
  let [fraction, worth] = [0, 0.1];
  if (bytes[at] === dot) {
    for (at += 1; at < to && isDigit(bytes[at] as number); at += 1) {
      fraction += ((bytes[at] as number) - 0x30) * worth;
      worth /= 10;
    }
  }
  if (at !== to) return Number.NaN;
  const value = whole + fraction;
  const unit = value < 1e11 ? 1000 : value < 1e14 ? 1 : value < 1e17 ? 1e-3 : 1e-6;
  return Math.trunc(value * unit);
};

/** `12:00:00` in milliseconds. A leap second is the one after it. */
const clock = (bytes: Uint8Array, at: number): number => {
  if (bytes[at + 2] !== colon || bytes[at + 5] !== colon) return Number.NaN;
  const [hours, minutes, seconds] = [number(bytes, at, 2), number(bytes, at + 3, 2), number(bytes, at + 6, 2)];
  return hours > 23 || minutes > 59 || seconds > 60
    ? Number.NaN
    : hours * 60 * minute + minutes * minute + seconds * 1000;
};

/** `Z`, `+0000`, `-07:00` in milliseconds. */
const offset = (bytes: Uint8Array, at: number, to: number): number => {
  if (to - at === 1) return (bytes[at] as number) === 0x5a ? 0 : Number.NaN;
  const hasColon = to - at === 6 && bytes[at + 3] === colon;
  if (!hasColon && to - at !== 5) return Number.NaN;
  const sign = bytes[at] === plus ? 1 : bytes[at] === dash ? -1 : Number.NaN;
  return sign * (number(bytes, at + 1, 2) * 60 + number(bytes, at + (hasColon ? 4 : 3), 2)) * minute;
};

const number = (bytes: Uint8Array, from: number, digits: number): number => {
  let value = 0;
  for (let at = from; at < from + digits; at += 1) {
    const byte = bytes[at] as number;
    if (!isDigit(byte)) return Number.NaN;
    value = value * 10 + byte - 0x30;
  }
  return value;
};

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'].map(
  (name) => ((name.charCodeAt(0) << 16) | (name.charCodeAt(1) << 8) | name.charCodeAt(2)) >>> 0,
);

const monthOf = (bytes: Uint8Array, at: number): number => {
  const [a, b, c] = [bytes[at] as number, bytes[at + 1] as number, bytes[at + 2] as number];
  return months.indexOf((((a | 0x20) << 16) | ((b | 0x20) << 8) | (c | 0x20)) >>> 0) + 1 || Number.NaN;
};

const dayNumber = (year: number, month: number, day: number): number => {
  const at = Date.UTC(year, month - 1, day);
  return month >= 1 && month <= 12 && day >= 1 && new Date(at).getUTCDate() === day ? at : Number.NaN;
};
