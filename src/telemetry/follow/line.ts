/**
 * A line of an access log -> what a recorder counts, or nothing. For the formats that a manifest may name.
 *
 * Whoever objects to being counted is sorted out first, and doubt is an objection: a line that lacks one of the two headers' fields, or has
 * anything but "not sent" or 0 in it, is not counted. Then what can feed no counter; only of the rest texts are made.
 *
 * It never throws, whatever is in the log, and looks at each byte a fixed number of times: a log holds what strangers send.
 */

import type { AccessLog } from '../../product/manifest.ts';
import type { Seen } from '../counting/seen.ts';
import { type FieldNames, makeJsonScan } from './line-json.ts';
import { scanCombined, scanCommon } from './line-text.ts';
import { timeAt } from './line-time.ts';
import { makeRouteFilter, type RouteFilter } from './route-filter.ts';
import { clear, makeSpans, put, type Scan, type Spans, slots, textOf } from './spans.ts';

/** `at` is when the server says it was. */
export type LineSeen = Seen & { readonly at: Date };
export type ReadLine = (bytes: Buffer, from: number, to: number) => LineSeen | undefined;

/** What is written of a line at most: longer values are no real ones, and would only cost memory. */
const longestUrl = 2048;
const longestAgent = 2048;
const longestAddress = 64;

export const makeLineReader = (
  log: Pick<AccessLog, 'format' | 'signals' | 'fields'>,
  counters: readonly { readonly routes: readonly string[] }[],
): ReadLine => {
  const spans = makeSpans();
  const scan = scanOf(log);
  const objects = objectionsOf(log);
  const filter = makeRouteFilter(counters);
  return (bytes, from, to) => {
    clear(spans);
    const end = to > from && bytes[to - 1] === carriageReturn ? to - 1 : to;
    if (!scan(bytes, from, end, spans) || objects(bytes, spans)) return undefined;
    return seenIn(bytes, spans, filter);
  };
};

const carriageReturn = 0x0d;

const scanOf = ({ format, signals, fields = {} }: Pick<AccessLog, 'format' | 'signals' | 'fields'>): Scan => {
  if (format === 'json') return makeJsonScan(namesOf(fields));
  if (!signals) return () => false;
  return format === 'combined' ? scanCombined : scanCommon;
};

/** Docs/products.md has this table for publishers. */
export const usualNames: FieldNames = {
  time: ['time_iso8601', 'time_local', 'msec', 'ts', 'StartUTC', 'time', 'timestamp'],
  address: ['remote_addr', 'request.client_ip', 'request.remote_ip', 'ClientHost', 'remote_ip', 'address'],
  method: ['request_method', 'request.method', 'RequestMethod', 'method'],
  path: ['request_uri', 'request.uri', 'RequestPath', 'uri', 'path'],
  request: ['request'],
  status: ['status', 'DownstreamStatus'],
  agent: ['http_user_agent', 'request.headers.User-Agent', 'request_User-Agent', 'user_agent'],
  gpc: [],
  dnt: [],
};

type Fields = NonNullable<AccessLog['fields']>;

const namesOf = (fields: Fields): FieldNames => {
  const own = Object.entries(fields).map(([name, key]) => [name, [key.replace(/\?$/, '')]]);
  return { ...usualNames, ...Object.fromEntries(own) };
};

type Objects = (bytes: Uint8Array, spans: Spans) => boolean;

const objectionsOf = ({ format, fields = {} }: Pick<AccessLog, 'format' | 'fields'>): Objects => {
  const mayLack = (key: string | undefined): boolean => format === 'json' && key?.endsWith('?') === true;
  const [gpcMayLack, dntMayLack] = [mayLack(fields.gpc), mayLack(fields.dnt)];
  return (bytes, spans) =>
    objectsBy(bytes, spans, slots.gpc, gpcMayLack) || objectsBy(bytes, spans, slots.dnt, dntMayLack);
};

/** Not sent is nothing, a dash or null; 0 is sent by who does not object. */
const objectsBy = (bytes: Uint8Array, spans: Spans, slot: number, mayLack: boolean): boolean => {
  const from = spans.from[slot] as number;
  if (from < 0) return !(mayLack && spans.held[slot] === 1);
  const length = (spans.to[slot] as number) - from;
  if (length === 0) return false;
  if (length === 1) return bytes[from] !== dash && bytes[from] !== zero;
  return !isWord(bytes, from, length, 'null');
};

const [dash, zero, space, slash, backslash] = [0x2d, 0x30, 0x20, 0x2f, 0x5c];

const isWord = (bytes: Uint8Array, from: number, length: number, word: string): boolean => {
  if (length !== word.length) return false;
  for (let at = 0; at < length; at += 1) if (bytes[from + at] !== word.charCodeAt(at)) return false;
  return true;
};

const seenIn = (bytes: Buffer, spans: Spans, filter: RouteFilter): LineSeen | undefined => {
  if (!hasField(spans, slots.path) && !splitRequest(bytes, spans)) return undefined;
  const method = methodIn(bytes, spans);
  const [start, to] = [spans.from[slots.path] as number, spans.to[slots.path] as number];
  // Some encoders of JSON escape the slash.
  const from = bytes[start] === backslash && bytes[start + 1] === slash ? start + 1 : start;
  if (method === undefined || to - from > longestUrl || bytes[from] !== slash || !filter(bytes, method, from, to))
    return undefined;
  const status = statusIn(bytes, spans);
  const at = hasField(spans, slots.time)
    ? timeAt(bytes, spans.from[slots.time] as number, spans.to[slots.time] as number)
    : Number.NaN;
  const address = fieldText(bytes, spans, slots.address, longestAddress);
  if (status === undefined || Number.isNaN(at) || address === undefined) return undefined;
  const userAgent = fieldText(bytes, spans, slots.agent, longestAgent);
  return { method, url: textOf(bytes, from, to), address, userAgent, status, at: new Date(at) };
};

const hasField = (spans: Spans, slot: number): boolean => (spans.from[slot] as number) >= 0;

/** `GET /path HTTP/1.1`: the path is all between the first and the last blank. */
const splitRequest = (bytes: Uint8Array, spans: Spans): boolean => {
  if (!hasField(spans, slots.request)) return false;
  const [from, to] = [spans.from[slots.request] as number, spans.to[slots.request] as number];
  let first = from;
  while (first < to && bytes[first] !== space) first += 1;
  let last = to - 1;
  while (last > first && bytes[last] !== space) last -= 1;
  if (last <= first + 1 || !isWord(bytes, last + 1, 5, 'HTTP/')) return false;
  put(spans, slots.method, from, first);
  put(spans, slots.path, first + 1, last);
  return true;
};

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

const methodIn = (bytes: Uint8Array, spans: Spans): string | undefined => {
  if (!hasField(spans, slots.method)) return undefined;
  const [from, to] = [spans.from[slots.method] as number, spans.to[slots.method] as number];
  for (const method of methods) if (isWord(bytes, from, to - from, method)) return method;
  return undefined;
};

const statusIn = (bytes: Uint8Array, spans: Spans): number | undefined => {
  if (!hasField(spans, slots.status)) return undefined;
  const [from, to] = [spans.from[slots.status] as number, spans.to[slots.status] as number];
  if (to - from !== 3) return undefined;
  let status = 0;
  for (let at = from; at < to; at += 1) status = status * 10 + (bytes[at] as number) - zero;
  return status >= 100 && status <= 599 ? status : undefined;
};

const fieldText = (bytes: Buffer, spans: Spans, slot: number, longest: number): string | undefined => {
  if (!hasField(spans, slot)) return undefined;
  const [from, to] = [spans.from[slot] as number, spans.to[slot] as number];
  if (to === from || to - from > longest) return undefined;
  return textOf(bytes, from, to);
};
