/** Good manifests: what comes out of them; defaults, order, hints. */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { inspectManifest, parseManifest } from '../../src/product/manifest.ts';
import { canonicalJson, type Json } from '../../src/values.ts';
import { baseManifest, edited } from './base.ts';

const product = parseManifest(baseManifest, 'some/manifest.yaml');

test('settings keep the order of asking and get their defaults', () => {
  expect(product.settings.map(({ name }) => name)).toEqual([
    'webPort',
    'smtpPort',
    'listen',
    'user',
    'mode',
    'verbose',
    'limit',
    'webPassword',
  ]);
  expect(product.settings[0]).toEqual({
    name: 'webPort',
    type: 'port',
    title: 'WebClient port',
    default: 1080,
    ask: true,
    required: true,
  });
  expect(product.settings[3]).toMatchObject({ name: 'user', ask: false });
});

test('a release takes from the defaults what it does not say itself', () => {
  const [first, second] = product.releases;
  expect(first).toMatchObject({ product: 'sample', version: '1.0.0', runtime: '24.21.0', data: { format: 1 } });
  expect(first?.parts).toEqual([{ name: '', source: { kind: 'npm', lock: 'locks/1.0.0', rebuild: [] } }]);
  expect(second?.parts).toMatchObject([{ source: { rebuild: ['better-sqlite3'] } }]);
  expect(second?.notes).toEqual(['The data format stays']);
  expect(first?.notes).toBeUndefined();
  expect(first?.service).toMatchObject({ directory: '{{data}}', stopSignal: 'SIGTERM', startSeconds: 30, jit: true });
  expect(first?.health.checks[0]).toMatchObject({ kind: 'http', status: 200, login: true, headers: {} });
});

test('a key of a release replaces the whole key of the defaults', () => {
  const text = edited(
    '    notes: [The',
    '    health: { checks: [{ kind: command, command: ["true"] }] }\n    notes: [The',
  );
  const [first, second] = parseManifest(text, 'm.yaml').releases;
  expect(first?.health.checks).toHaveLength(3);
  expect(second?.health).toEqual({ stableSeconds: 3, checks: [{ kind: 'command', command: ['true'] }] });
});

test('the product is plain data that survives JSON, and knows its folder', () => {
  expect(product.folder).toBe(resolve('some'));
  expect(JSON.parse(canonicalJson(product as unknown as Json))).toEqual(JSON.parse(JSON.stringify(product)));
  expect(JSON.parse(JSON.stringify(product))).toEqual(product);
});

test('the smallest manifest has no settings, addresses, config or telemetry', () => {
  const text = `format: 1
name: tiny
title: Tiny
summary: Hardly there
releases:
  - version: 0.1.0
    runtime: 24.21.0
    source: { kind: npm, lock: lock }
    size: { download: 1, installed: 1, files: 1 }
    service: { command: ["{{node}}", "-e", "0"] }
    data: { format: 1 }
    health: { checks: [{ kind: command, command: ["true"] }] }
`;
  const tiny = parseManifest(text, '/x/manifest.yaml');
  expect(tiny).toMatchObject({ settings: [], urls: {}, folder: '/x' });
  expect(tiny.releases[0]?.config).toEqual([]);
  expect('telemetry' in tiny).toBe(false);
  expect('ownTelemetry' in (tiny.releases[0] ?? {})).toBe(false);
});

test('a recipient with an endpoint on loopback or https is accepted', () => {
  for (const endpoint of ['https://t.example.org/r', 'http://127.0.0.1:8080/', 'http://[::1]:8080/']) {
    const recipient = `recipient: { name: X, endpoint: "${endpoint}", policy: "https://example.org/p" }`;
    expect(parseManifest(edited('recipient: none', recipient), 'm').telemetry?.recipient).toMatchObject({ endpoint });
  }
});

test('what is counted from its log or through a socket need not be Node, and all ways to write {{node}} are one', () => {
  const program = (word: string): string => edited('["{{node}}", "{{release}}/server.js"', `["${word}", "a"`);
  const followed = (how: string): string =>
    program('{{release}}/server').replace('recipient: none', `recipient: none\n  accessLog: { ${how} }`);
  const texts = [
    followed('file: "{{data}}/a.log", format: combined, signals: true'),
    followed('socket: COUNT_TO, format: json, fields: { gpc: g, dnt: d }'),
    program('{{ node }}'),
    program('{{{node}}}'),
  ];
  for (const text of texts) expect(() => parseManifest(text, 'm.yaml')).not.toThrow();
});

test('a pattern that some generated secrets match goes with "generate": it is drawn until it fits', () => {
  for (const pattern of ['.*[0-9].*', '[a-z].*', '[A-Za-z0-9]*'])
    expect(() => parseManifest(edited('generate: 20', `generate: 20, pattern: "${pattern}"`), 'm.yaml')).not.toThrow();
});

test('prereleases stand before their release, and a version with a build is a version', () => {
  const text = edited('version: 1.0.0', 'version: 2.0.0-rc.1').replace('version: 2.0.0\n', 'version: 2.0.0+build.7\n');
  expect(parseManifest(text, 'm').releases.map(({ version }) => version)).toEqual(['2.0.0-rc.1', '2.0.0+build.7']);
});

test('a name that other products spell another way is a hint with a line, and no fault', () => {
  const text = baseManifest.replaceAll('webPort', 'httpPort');
  const { faults, hints, product: found } = inspectManifest(text, 'm.yaml');
  expect(faults).toEqual([]);
  expect(found?.settings[0]?.name).toBe('httpPort');
  expect(hints).toEqual([
    {
      line: 8,
      column: 3,
      where: 'settings.httpPort',
      what: 'other products call this "webPort"',
      remedy: 'rename it to webPort if it means the same',
    },
  ]);
  expect(inspectManifest(baseManifest, 'm.yaml').hints).toEqual([]);
});

test('windows line ends and a byte order mark change nothing', () => {
  const windows = `\ufeff${baseManifest.replaceAll('\n', '\r\n')}`;
  expect(parseManifest(windows, 'some/manifest.yaml')).toEqual(product);
});
