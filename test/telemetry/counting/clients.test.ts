import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { groupOf, makeClients } from '../../../src/telemetry/counting/clients.ts';
import { makeKeyedHash } from '../../../src/telemetry/counting/keyed-hash.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:db8:0:0:ffff::2', '2001:db8:0:0'],
  ['2001:DB8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
  ['', 'unknown'],
  ['nonsense', 'unknown'],
])('%s counts as %s', (address, group) => expect(groupOf(address)).toBe(group));

test.each([
  ['127.0.0.1', '203.0.113.7', '203.0.113.7'],
  ['::1', '203.0.113.7', '203.0.113.7'],
  ['::ffff:127.0.0.1', '203.0.113.7', '203.0.113.7'],
  // The second is a proxy's elsewhere, or a client wrote the first: nobody can tell.
  ['127.0.0.1', '198.51.100.66, 203.0.113.7', 'proxied'],
  ['127.0.0.1', '127.0.0.1, 203.0.113.7', 'proxied'],
  ['127.0.0.1', ', 203.0.113.7', 'proxied'],
  // Two proxies on this machine, one behind the other.
  ['127.0.0.1', '203.0.113.7, 127.0.0.1', '203.0.113.7'],
  ['127.0.0.1', '198.51.100.66, 203.0.113.7, ::1, 127.0.0.1', 'proxied'],
  ['127.0.0.1', '127.0.0.9', '127.0.0.9'],
  ['127.0.0.1', '203.0.113.7:4711', '203.0.113.7'],
  ['127.0.0.1', '[2001:db8::7]:4711', '2001:db8:0:0'],
  ['127.0.0.1', 'for=203.0.113.7;proto=https;by=203.0.113.43', '203.0.113.7'],
  ['127.0.0.1', 'FOR="[2001:db8:cafe::17]:4711", for="[::1]"', '2001:db8:cafe:0'],
  ['127.0.0.1', 'for=198.51.100.66, FOR="[2001:db8:cafe::17]:4711"', 'proxied'],
  ['127.0.0.1', 'unknown', '127.0.0.1'],
  ['127.0.0.1', '203.0.113.7, _hidden', 'proxied'],
  ['127.0.0.1', '', '127.0.0.1'],
  // Whoever is not the loopback is believed nothing, and may be one of many that serve the same person.
  ['203.0.113.1', '203.0.113.7', 'proxied'],
  ['10.0.0.2', '203.0.113.7', 'proxied'],
  ['2001:db8::1', '', 'proxied'],
])('%s, forwarded "%s", counts as %s', (address, forwarded, group) =>
  expect(groupOf(address, [forwarded])).toBe(group),
);

test('a header that came to the proxy on this machine from one before it gives that one away', () => {
  const edge = '203.0.113.7';
  expect(groupOf('127.0.0.1', [edge, `for=${edge};proto=https`])).toBe(edge);
  expect(groupOf('127.0.0.1', [edge, 'for=198.51.100.66'])).toBe('proxied');
  expect(groupOf('127.0.0.1', [edge, 'cloudflare; loops=1'])).toBe('proxied');
});

test('a number says nothing from one key to the next, and differs between clients', () => {
  const [today, tomorrow] = [makeClients(randomBytes(16)), makeClients(randomBytes(16))];
  expect(today('192.0.2.1')).toBe(today('::ffff:192.0.2.1'));
  const addresses = Array.from({ length: 250 }, (_, at) => `192.0.2.${at}`);
  expect(new Set(addresses.map((address) => today(address))).size).toBe(250);
  expect(addresses.filter((address) => today(address) === tomorrow(address))).toEqual([]);
});

test('a list of a megabyte is no trouble', () => {
  expect(groupOf('127.0.0.1', [`${'198.51.100.66, '.repeat(70_000)}203.0.113.7`])).toBe('proxied');
});

test('the keyed hash is SipHash-2-4, by the vectors of its authors', () => {
  const hash = makeKeyedHash(Uint8Array.from({ length: 16 }, (_, at) => at));
  const input = (length: number): string => String.fromCharCode(...Array.from({ length }, (_, at) => at));
  const low = [0, 1, 2, 7, 8, 15, 63].map((length) => (hash(input(length)) >>> 0).toString(16));
  expect(low).toEqual(['dd0e0e31', '93dc67fd', 'd9a94f5a', '8b01d137', '9a932462', '49be45e5', 'eb064572']);
});
