/** Parts of a release: what a manifest writes becomes parts, and what is stored or digested stays as it was written. */
import { expect, test } from 'vitest';
import { parseManifest } from '../../src/product/manifest.ts';
import { asWritten, lockFilesOf, partsOf, withParts } from '../../src/product/parts.ts';
import { baseManifest } from './base.ts';

const both = `    parts:
      server: { kind: deb, lock: locks/1.0.0/server, suites: [bookworm], packages: [prosody], without: [ssl-cert] }
      web: { kind: npm, lock: locks/1.0.0/web }
`;
const manifest = baseManifest.replace('    source: { kind: npm, lock: locks/1.0.0 }\n', both);

test('parts are read in the order of the manifest, each with its defaults', () => {
  const release = parseManifest(manifest, 'm.yaml').releases[0];
  expect(release?.parts).toEqual([
    {
      name: 'server',
      source: {
        kind: 'deb',
        lock: 'locks/1.0.0/server',
        suites: ['bookworm'],
        packages: ['prosody'],
        without: ['ssl-cert'],
        architectures: ['amd64', 'arm64'],
      },
    },
    { name: 'web', source: { kind: 'npm', lock: 'locks/1.0.0/web', rebuild: [] } },
  ]);
  expect(release?.parts.map(({ source }) => lockFilesOf(source))).toEqual([
    ['deb-amd64.json', 'deb-arm64.json'],
    ['package.json', 'package-lock.json'],
  ]);
});

test("a release's own parts take the place of a source of the defaults", () => {
  const moved = manifest.replace('defaults:\n', 'defaults:\n  source: { kind: npm, lock: locks/9.0.0 }\n');
  expect(parseManifest(moved, 'm.yaml').releases[0]?.parts.map(({ name }) => name)).toEqual(['server', 'web']);
});

test('a source is one part at the root, and is written as a source again: a release stored long ago keeps its digest', () => {
  const source = { kind: 'npm', lock: 'locks/1.0.0', rebuild: [] } as const;
  const written = { version: '1.0.0', source: { ...source, rebuild: [] } };
  expect(partsOf(written)).toEqual([{ name: '', source }]);
  expect(asWritten(withParts(written))).toEqual(written);
  const release = parseManifest(manifest, 'm.yaml').releases[0];
  if (release === undefined) throw new Error('no release');
  expect(withParts(asWritten(release))).toEqual(release);
});

test('without a runtime {{node}} is a fault, and a release that does not name it is none', () => {
  const bare = manifest
    .replace('  runtime: 24.21.0\n', '')
    .replaceAll('"{{node}}"', '"{{release}}/server/usr/bin/lua5.4"')
    .replace(
      'kind: json, file: "{{data}}/config.json", set: { telemetry: false }',
      'kind: environment, name: A, value: "1"',
    )
    .replace(', rebuild: [better-sqlite3]', '')
    .replace(
      'recipient: none',
      'recipient: none\n  accessLog: { socket: A, format: json, fields: { gpc: g, dnt: d } }',
    );
  const [first] = parseManifest(bare, 'm.yaml').releases;
  expect(first && 'runtime' in first).toBe(false);
  const named = bare.replace('"{{release}}/server/usr/bin/lua5.4"', '"{{node}}"');
  expect(() => parseManifest(named, 'm.yaml')).toThrow(/\{\{node\}\} names nothing: this release has no "runtime"/);
});

test('{{triplet}} may stand where folders may', () => {
  const text = manifest.replace('MODE: "{{mode}}"', 'LD_LIBRARY_PATH: "{{release}}/server/usr/lib/{{triplet}}"');
  expect(() => parseManifest(text, 'm.yaml')).not.toThrow();
});
