/**
 * Tells clients apart for one day, in memory: a keyed digest of the address, with a key that is drawn for the day and never written.
 *
 * An IPv4 address counts whole, also one that is mapped into IPv6; any other IPv6 address counts by its first 64 bits, which is what one household or
 * machine holds. The browser is no part of it: one person with two browsers is one client. 32 bits are kept: two clients that
 * meet there count as one, and that only ever drops more.
 *
 * A server behind a proxy on the same machine sees nothing but the loopback. So where the peer is the loopback, the address counts that the
 * loopback proxy says it had: the last of the list that is not a loopback itself. What a client wrote stands further left and is never believed. The
 * limits: whoever has an account on this machine can pretend to be several; behind a proxy on another machine all are one client, which drops more.
 */

import { isLoopback, parseAddress } from '../../product/network-names.ts';
import { makeKeyedHash } from './keyed-hash.ts';

/** The client's number for this day: 32 bits, of the address of the peer and what proxies wrote. Never throws. */
export type ClientOf = (address: string | undefined, forwarded?: string) => number;

/** A day's way to tell clients apart. `key`: 16 random bytes. */
export const makeClients = (key: Uint8Array): ClientOf => {
  const hash = makeKeyedHash(key);
  return (address, forwarded) => hash(groupOf(address ?? '', forwarded));
};

/** What counts as one client: an IPv4 address, or the first half of an IPv6 address as `2001:db8:0:7`. Without a peer's address all are one. */
export const groupOf = (address: string, forwarded?: string): string => {
  const peer = plainAddress(address);
  if (peer === undefined) return 'unknown';
  const origin = forwarded !== undefined && isLoopback(peer) ? originOf(forwarded) : undefined;
  return halfOf(origin ?? peer);
};

/** From the right: loopback proxies handed it on to each other, up to the first address that is none. Undefined where that is not an address. */
const originOf = (forwarded: string): string | undefined => {
  const hops = forwarded.slice(-longest).split(',');
  for (let at = hops.length - 1; at >= 0; at -= 1) {
    const address = plainAddress(hopOf(hops[at] ?? ''));
    if (address === undefined || at === 0 || !isLoopback(address)) return address;
  }
  return undefined;
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
