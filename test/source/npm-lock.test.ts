import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { type Machine, parseNpmLock } from '../../src/source/npm-lock.ts';

const machine: Machine = { platform: 'linux', arch: 'x64', libc: 'glibc' };
const integrity = `sha512-${'A'.repeat(86)}==`;
const sound = { version: '1.2.3', integrity };
const lock = (packages: Record<string, unknown>): string =>
  JSON.stringify({ lockfileVersion: 3, packages: { '': { name: 'x' }, ...packages } });
const locations = (packages: Record<string, unknown>, on = machine): string[] =>
  parseNpmLock(lock(packages), 'lock', on).packages.map((one) => one.location);

test('every lockfile of the catalogue is read for both architectures', () => {
  const files = globSync('products/*/locks/*/package-lock.json');
  expect(files.length).toBeGreaterThanOrEqual(8);
  for (const file of files) {
    for (const arch of ['x64', 'arm64']) {
      const { packages } = parseNpmLock(readFileSync(file, 'utf8'), file, { ...machine, arch });
      expect(packages.length).toBeGreaterThan(90);
    }
  }
});

test('names, aliases, commands and addresses', () => {
  const { packages, bundled } = parseNpmLock(
    lock({
      'node_modules/a': { ...sound, bin: { a: './bin/a.js' }, resolved: 'https://registry.npmjs.org/a/-/a-1.2.3.tgz' },
      'node_modules/a/node_modules/@s/b': { ...sound, name: '@other/real' },
      'node_modules/c': { ...sound, integrity: `sha1-AAAA ${integrity}` },
      'node_modules/c/node_modules/d': { version: '1.0.0', inBundle: true, bin: { d: 'd.js' } },
    }),
    'lock',
    machine,
  );
  expect(packages).toEqual([
    {
      location: 'node_modules/a',
      name: 'a',
      version: '1.2.3',
      integrity,
      bin: { a: 'bin/a.js' },
      resolved: 'https://registry.npmjs.org/a/-/a-1.2.3.tgz',
    },
    { location: 'node_modules/a/node_modules/@s/b', name: '@other/real', version: '1.2.3', integrity, bin: {} },
    { location: 'node_modules/c', name: 'c', version: '1.2.3', integrity, bin: {} },
  ]);
  expect(bundled).toEqual([{ location: 'node_modules/c/node_modules/d', bin: { d: 'd.js' } }]);
});

test('what is for other machines or for developers is left out, with all below it', () => {
  const packages = {
    'node_modules/all': sound,
    'node_modules/arm': { ...sound, cpu: ['arm64'], optional: true },
    'node_modules/arm/node_modules/below': sound,
    'node_modules/dev': { ...sound, dev: true },
    'node_modules/glibc': { ...sound, libc: ['glibc'], optional: true },
    'node_modules/linux': { ...sound, os: ['!win32'], cpu: ['x64', 'arm64'] },
    'node_modules/musl': { ...sound, libc: ['musl'], optional: true },
  };
  expect(locations(packages)).toEqual(['node_modules/all', 'node_modules/glibc', 'node_modules/linux']);
  expect(locations(packages, { ...machine, arch: 'arm64' })).toContain('node_modules/arm/node_modules/below');
});

test('a package that is needed and not for this machine is refused by name', () => {
  expect(() => locations({ 'node_modules/mac': { ...sound, os: ['darwin'] } })).toThrow(
    expect.objectContaining({ code: 'refused-platform', message: expect.stringContaining('node_modules/mac') }),
  );
});

test.each([
  ['no JSON', '{', /no JSON/],
  ['an old lockfile', JSON.stringify({ lockfileVersion: 1, dependencies: {} }), /version 3/],
  ['no packages', lock({}), /names no package/],
  ['a package that is text', lock({ 'node_modules/a': 'x' }), /no object/],
  ['no integrity', lock({ 'node_modules/a': { version: '1.0.0' } }), /no sha512/],
  ['sha1 alone', lock({ 'node_modules/a': { version: '1.0.0', integrity: 'sha1-AAAA' } }), /no sha512/],
  ['a short sha512', lock({ 'node_modules/a': { version: '1.0.0', integrity: 'sha512-AAAA' } }), /no sha512/],
  ['two sha512', lock({ 'node_modules/a': { version: '1.0.0', integrity: `${integrity} ${integrity}` } }), /no sha512/],
  ['a range for a version', lock({ 'node_modules/a': { ...sound, version: '^1.0.0' } }), /exact version/],
  ['a link', lock({ 'node_modules/a': { ...sound, link: true } }), /has a link/],
  [
    'a git source',
    lock({ 'node_modules/a': { ...sound, resolved: 'git+ssh://git@example.org/a.git' } }),
    /no registry/,
  ],
  ['a file source', lock({ 'node_modules/a': { ...sound, resolved: 'file:../a.tgz' } }), /no registry/],
  ['a name that leaves', lock({ 'node_modules/a': { ...sound, name: '../../x' } }), /valid name/],
  ['a location above', lock({ 'node_modules/../a': sound }), /unsafe location/],
  ['a location of dots', lock({ 'node_modules/..': sound }), /unsafe location/],
  ['an absolute location', lock({ '/etc/a': sound }), /unsafe location/],
  ['a location elsewhere', lock({ 'packages/a': sound }), /unsafe location/],
  ['the folder of commands', lock({ 'node_modules/.bin': sound }), /unsafe location/],
  ['an empty part', lock({ 'node_modules//a': sound }), /unsafe location/],
  ['a slash at the end', lock({ 'node_modules/a/': sound }), /unsafe location/],
  ['a command above', lock({ 'node_modules/a': { ...sound, bin: { a: '../../x' } } }), /unsafe command/],
  ['an absolute command', lock({ 'node_modules/a': { ...sound, bin: { a: '/bin/sh' } } }), /unsafe command/],
  [
    'a command with a path for a name',
    lock({ 'node_modules/a': { ...sound, bin: { '../x': 'a.js' } } }),
    /unsafe command/,
  ],
  ['a command called dots', lock({ 'node_modules/a': { ...sound, bin: { '..': 'a.js' } } }), /unsafe command/],
])('%s is refused', (_, text, message) => {
  const parse = () => parseNpmLock(text, '/some/package-lock.json', machine);
  expect(parse).toThrow(Failure);
  expect(parse).toThrow(message);
  expect(parse).toThrow(
    expect.objectContaining({ code: 'usage-manifest', message: expect.stringContaining('/some/package-lock.json') }),
  );
});
