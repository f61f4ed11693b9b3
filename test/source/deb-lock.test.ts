/** The lock of Debian packages: what may stand in it, and that it is written as it is read. */
import { expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { debLockText, parseDebLock } from '../../src/source/deb-lock.ts';

const one = {
  name: 'lua5.4',
  version: '5.4.4-3+deb12u1',
  architecture: 'amd64',
  suite: 'bookworm',
  path: 'pool/main/l/lua5.4/lua5.4_5.4.4-3+deb12u1_amd64.deb',
  size: 1000,
  sha256: 'a'.repeat(64),
};
const lockOf = (packages: unknown, more: object = {}): string =>
  JSON.stringify({ format: 1, architecture: 'amd64', suites: ['bookworm'], packages, ...more });
const parse = (text: string) => parseDebLock(text, 'locks/deb-amd64.json', 'amd64');

test('a lock is read and written the same, sorted by name', () => {
  const lock = parse(lockOf([one, { ...one, name: 'adduser', architecture: 'all', version: '1:3.134~bpo1' }]));
  expect(lock.packages.map(({ name }) => name)).toEqual(['lua5.4', 'adduser']);
  const text = debLockText(lock);
  expect(text.indexOf('adduser')).toBeLessThan(text.indexOf('lua5.4'));
  expect(debLockText(parse(text))).toBe(text);
});

const { sha256: _, ...unpinned } = one;
test.each<[string, string, RegExp]>([
  ['no JSON', '{', /is no JSON/],
  ['an empty file', '', /is no JSON/],
  ['another format', lockOf([one], { format: 2 }), /no lock of format 1/],
  ['another architecture', lockOf([one], { architecture: 'arm64' }), /not of the architecture amd64/],
  ['an unknown key', lockOf([one], { mirror: 'x' }), /the unknown key "mirror" at its top/],
  ['an unknown key of a package', lockOf([{ ...one, url: 'x' }]), /the unknown key "url" at "lua5.4"/],
  ['no suites', lockOf([one], { suites: [] }), /no list of suites/],
  ['a strange suite', lockOf([one], { suites: ['../x'] }), /no list of suites/],
  ['no package', lockOf([]), /names no package/],
  ['packages as a map', lockOf({ a: one }), /names no package/],
  ['a package that is a text', lockOf(['lua5.4']), /no valid name at package 1/],
  ['an option as a name', lockOf([{ ...one, name: '--reinstall' }]), /no valid name/],
  ['a name with a slash', lockOf([{ ...one, name: 'a/b' }]), /no valid name/],
  ['a range as version', lockOf([{ ...one, version: '>= 5' }]), /no exact version at "lua5.4"/],
  ['no version', lockOf([{ ...one, version: undefined }]), /no exact version/],
  ['a package of another architecture', lockOf([{ ...one, architecture: 'arm64' }]), /another architecture than amd64/],
  ['a suite that is not listed', lockOf([{ ...one, suite: 'sid' }]), /a suite that the lock does not list/],
  ['a path upwards', lockOf([{ ...one, path: 'pool/../../x.deb' }]), /unsafe path/],
  ['an absolute path', lockOf([{ ...one, path: '/x.deb' }]), /unsafe path/],
  ['an address as path', lockOf([{ ...one, path: 'http://example.org/x.deb' }]), /unsafe path/],
  ['another kind of file', lockOf([{ ...one, path: 'pool/x.tar' }]), /unsafe path/],
  ['no size', lockOf([{ ...one, size: 0 }]), /no valid size/],
  ['a broken size', lockOf([{ ...one, size: 1.5 }]), /no valid size/],
  ['no sha256', lockOf([unpinned]), /no sha256 at "lua5.4"/],
  ['a short sha256', lockOf([{ ...one, sha256: 'abc' }]), /no sha256/],
  ['capitals in sha256', lockOf([{ ...one, sha256: 'A'.repeat(64) }]), /no sha256/],
  ['a package twice', lockOf([one, one]), /names lua5.4 twice/],
])('refused: %s', (_, text, says) => {
  const failure = (() => {
    try {
      parse(text);
    } catch (error) {
      return error;
    }
    return undefined;
  })();
  expect(failure).toBeInstanceOf(Failure);
  expect((failure as Failure).code).toBe('usage-manifest');
  expect((failure as Failure).message).toMatch(says);
  expect((failure as Failure).advice).toContain('assent products lock');
});
