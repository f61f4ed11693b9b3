/** How values from outside are shown, and which names are near. */
import { expect, test } from 'vitest';
import { nearest, shown, suggestion } from '../../src/product/wording.ts';

test.each([
  ['plain', '"plain"'],
  ['a\u001b[31mb\n', '"a\\u001b[31mb\\u000a"'],
  ['\u202eabc', '"\\u202eabc"'],
  [7, '"7"'],
  [undefined, '"undefined"'],
  [['a'], '"["a"]"'],
])('%j is shown as %s', (value, text) => {
  expect(shown(value)).toBe(text);
});

test('long values are cut', () => {
  expect(shown('x'.repeat(1000))).toHaveLength(62);
});

test.each([
  ['wepPort', 'webPort'],
  ['WEBPORT', 'webPort'],
  ['smtp', 'smtpPort'],
  ['zzz', undefined],
  ['', undefined],
])('%s is near %s', (given, near) => {
  expect(nearest(given, ['webPort', 'smtpPort', 'listen'])).toBe(near);
});

test('a suggestion names the nearest, and all where they are few or none is near', () => {
  expect(suggestion('lisen', ['listen', 'domain'], 'Known')).toBe('Did you mean "listen"? Known: listen, domain.');
  expect(suggestion('xyz', ['listen', 'domain'], 'Known')).toBe('Known: listen, domain.');
  expect(suggestion('xyz', [], 'Known')).toBe('');
});
