/**
 * Tells clients apart for one day, in memory: a keyed digest of the address, with a key that is drawn for the day and never written.
 *
 * An IPv4 address counts whole, also one that is mapped into IPv6; any other IPv6 address counts by its first 64 bits, which is what one household or
 * machine holds. The browser is no part of it: one person with two browsers is one client. 32 bits are kept: two clients that
 * meet there count as one, and that only ever drops more.
 *
 * A server behind a proxy on the same machine sees nothing but the loopback. So where the peer is the loopback, the address counts that the
 * loopback proxy says it had: the last of the list that is not a loopback itself.
 *
 * Behind any other proxy nobody can be told apart: a CDN sends what one person does through many machines, and each would be a client. So all that came
 * through one is one client: what has a proxy's header and no loopback before it, and what a loopback proxy was told of more than one hop. A client
 * that writes such a header only gets there as well. The limits: whoever has an account on this machine can pretend to be several; and a proxy
 * that leaves no trace of itself is taken for a client.
 */

import { isLoopback, parseAddress } from '../../product/network-names.ts';
import { makeKeyedHash } from './keyed-hash.ts';

/** The client's number for this day: 32 bits, of the address of the peer and what proxies wrote. Never throws. */
export type ClientOf = (address: string | undefined, forwarded?: readonly string[]) => number;

/** A day's way to tell clients apart. `key`: 16 random bytes. */
export const makeClients = (key: Uint8Array): ClientOf => {
  const hash = makeKeyedHash(key);
  return (address, forwarded) => hash(groupOf(address ?? '', forwarded));
};

/**
 * What counts as one client: an IPv4 address, or the first half of an IPv6 address as `2001:db8:0:7`. Without a peer's address all are one. `forwarded`: each
 * header that a proxy wrote; where they tell different things, one of them was there before the loopback proxy.
 */
export const groupOf = (address: string, forwarded: readonly string[] = []): string => {
  const peer = plainAddress(address);
  if (peer === undefined) return 'unknown';
  if (forwarded.length === 0) return halfOf(peer);
  if (!isLoopback(peer)) return proxied;
  const [origin, ...others] = forwarded.map(originOf);
  return others.every((other) => other === origin) ? halfOf(origin ?? peer) : proxied;
};

/** All whom we can't see, for they stand behind a proxy that is not on this machine. */
const proxied = 'proxied';

/**
 * From the right: loopback proxies handed it on to each other, up to the first hop that is none. Only if that is the leftmost is it where the request
 * comes from. Undefined where it is not an address.
 */
const originOf = (forwarded: string): string | undefined => {
  if (forwarded.length > longest) return proxied;
  const hops = forwarded.split(',').map((hop) => plainAddress(hopOf(hop)));
  const last = hops.findLastIndex((address) => address === undefined || !isLoopback(address));
  return last > 0 ? proxied : hops[0];
};

const longest = 2048;

/** An element of either header: `192.0.2.1`, `[2001:db8::1]:443`, `for="[2001:db8::1]:443";proto=https`. */
const hopOf = (element: string): string => {
  const named = /(?:^|;)\s*for\s*=\s*"?([^";]*)"?/i.exec(element)?.[1] ?? element;
  return named
    .trim()
    .replace(/^\[([^\]]*)\](?::\d+)?$/, '$1')
    .replace(/^([\d.]+):\d+$/, '$1');
};

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** In its canonical form, without a zone, IPv4 as IPv4. */
const plainAddress = (text: string): string | undefined => {
  if (ipv4.test(text)) return text;
  const parsed = parseAddress(text.replace(/%.*$/, ''));
  if (typeof parsed !== 'string') return undefined;
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(parsed);
  if (mapped === null) return parsed;
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
};

/** `::1` keeps nothing but zeros of its half, and that is as good as any name for it. */
const halfOf = (address: string): string => {
  if (!address.includes(':')) return address;
  const [before = '', after] = address.split('::');
  const [left, right] = [before, after ?? ''].map((part) => (part === '' ? [] : part.split(':'))) as [
    string[],
    string[],
  ];
  const zeros = after === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':');
};
