/** The spec of every release in the catalogue, and what of it follows from state, veto and consent. */
import { expect, test } from 'vitest';
import { instancePaths } from '../../src/instance/paths.ts';
import { type InstanceState, parseState } from '../../src/instance/state.ts';
import { loadCatalogue, loadProduct, pickRelease } from '../../src/product/catalogue.ts';
import type { OwnTelemetry, Product } from '../../src/product/manifest.ts';
import type { StoredRelease } from '../../src/release/store.ts';
import { consentOff, hostOf, serviceSpec } from '../../src/service/spec.ts';
import { realWorld } from '../../src/system/world.ts';
import type { InstanceName } from '../../src/values.ts';

const world = realWorld();
const host = hostOf(
  { ...world, env: { HOME: '/home/alice' }, user: { uid: 1000, gid: 1000, name: 'alice', login: 'alice' } },
  null,
);
const paths = instancePaths('/srv/assent', 'mail' as InstanceName);

const settingsOf = (product: Product): Record<string, string | number | boolean> =>
  Object.fromEntries(
    product.settings.flatMap(({ name, type, default: value }) => {
      if (type === 'secret') return [];
      const filled = value ?? (type === 'domain' ? 'mail.example.org' : undefined);
      return filled === undefined ? [] : [[name, filled]];
    }),
  );

const stateOf = (product: Product, version: string, changes: Record<string, unknown> = {}): InstanceState =>
  parseState({
    format: 1,
    name: 'mail',
    product: product.name,
    title: product.title,
    urls: {},
    installed: true,
    generation: 4,
    key: 'a'.repeat(64),
    release: { product: product.name, version, digest: '0123456789ab' },
    noticeId: null,
    settings: settingsOf(product),
    supervisor: 'process',
    account: null,
    veto: null,
    running: true,
    previous: null,
    manifest: null,
    installedAt: '2026-01-01T00:00:00Z',
    changedAt: '2026-01-01T00:00:00Z',
    ...changes,
  });

const storedOf = (product: Product, version: string, ownTelemetry?: OwnTelemetry): StoredRelease => {
  const release = pickRelease(product, version);
  return {
    product,
    release: ownTelemetry === undefined ? release : { ...release, ownTelemetry },
    digest: '0123456789ab',
    folder: `/srv/assent/releases/${product.name}/${version}-0123456789ab`,
    node: `/srv/assent/runtimes/node-${release.runtime}/bin/node`,
  } as StoredRelease;
};

const products = await Promise.all(loadCatalogue(world).map((name) => loadProduct(world, name)));
const releases = products.flatMap((product) =>
  product.releases.map(({ version }) => [product.name, version, product] as const),
);

test.each(releases)(
  '%s %s can be run: nothing is left to fill in, and only its own Node is used',
  (_, version, product) => {
    const spec = serviceSpec(host, stateOf(product, version), storedOf(product, version), paths, consentOff);
    expect(JSON.stringify(spec)).not.toContain('{{');
    expect(spec.command[0]).toMatch(/^\/srv\/assent\/(runtimes|releases)\//);
    expect(spec.environment).toMatchObject({ HOME: paths.data, LANG: 'C.UTF-8' });
    expect(spec.environment.PATH).toMatch(/^\/srv\/assent\/runtimes\//);
    expect(spec.environment.DO_NOT_TRACK).toBeUndefined();
    expect(spec).toMatchObject({ generation: 4, version, account: null, listensWide: false, instance: 'mail' });
    expect(spec.ports.length).toBeGreaterThanOrEqual(1);
    expect(spec.health.checks.length).toBeGreaterThanOrEqual(1);
    for (const check of spec.health.checks)
      if (check.kind !== 'command') expect('url' in check ? URL.canParse(check.url) : check.port > 0).toBe(true);
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
  },
);

const [first] = products;
const version = first!.releases[0]!.version;

test('a release without a Node keeps the mark by which its processes are known, and finds its libraries by the triplet', () => {
  const { node: _, ...stored } = storedOf(first!, version);
  const service = {
    ...stored.release.service,
    command: ['{{release}}/server/usr/bin/lua5.4'],
    environment: { LD_LIBRARY_PATH: '{{release}}/server/usr/lib/{{triplet}}' },
    prepare: [],
  };
  const bare = { ...stored, release: { ...stored.release, service } } as unknown as StoredRelease;
  const machine = hostOf({ ...world, arch: 'arm64' }, null);
  const spec = serviceSpec(machine, stateOf(first!, version), bare, paths, { own: true, counting: true });
  expect(spec.node).toBeNull();
  expect(spec.command).toEqual([`${stored.folder}/server/usr/bin/lua5.4`]);
  expect(spec.environment.PATH).toBe('/srv/assent/runtimes/none:/usr/local/bin:/usr/bin:/bin');
  expect(spec.environment.LD_LIBRARY_PATH).toBe(`${stored.folder}/server/usr/lib/aarch64-linux-gnu`);
});

test('a veto is in the environment of the service, word for word', () => {
  const spec = serviceSpec(host, stateOf(first!, version, { veto: 'true' }), storedOf(first!, version), paths, {
    own: true,
    counting: false,
  });
  expect(spec.environment.DO_NOT_TRACK).toBe('true');
});

test.each([
  ['0.0.0.0', true],
  ['::', true],
  ['192.0.2.7', true],
  ['127.0.0.2', false],
  ['::1', false],
])('listening on %s is wide: %s', (listen, wide) => {
  const state = stateOf(first!, version);
  const spec = serviceSpec(
    host,
    { ...state, settings: { ...state.settings, listen } },
    storedOf(first!, version),
    paths,
    consentOff,
  );
  expect(spec.listensWide).toBe(wide);
});

const own: OwnTelemetry = {
  summary: 'usage, to its maker',
  off: [
    { kind: 'json', file: '{{data}}/t.json', set: { on: false } },
    { kind: 'environment', name: 'NO_TELEMETRY', value: '1' },
  ],
  on: [{ kind: 'json', file: '{{data}}/t.json', set: { on: true } }],
  readBack: { kind: 'json-file', file: '{{data}}/t.json', json: { path: 'on' }, off: false, on: true },
  notice: { sends: 'usage', to: 'its maker', identifiers: 'none', restart: false },
};
const { notice: _, ...withoutNotice } = own;

test.each([
  ['a yes, and a section of its own in the notice', own, true, true],
  ['no yes', own, false, false],
  ['a yes to a notice that says nothing of it', withoutNotice, true, false],
] as const)("a server's own telemetry with %s: on %s", (_name, telemetry, consentOn, on) => {
  const spec = serviceSpec(host, stateOf(first!, version), storedOf(first!, version, telemetry), paths, {
    own: consentOn,
    counting: false,
  });
  expect(spec.ownTelemetry).toMatchObject({
    on,
    restart: true,
    edits: [{ file: `${paths.data}/t.json`, set: { on } }],
  });
  expect(spec.environment.NO_TELEMETRY).toBe(on ? undefined : '1');
});

test("user units lie where the user's configuration does", () => {
  const user = { uid: 1000, gid: 1000, name: 'alice', login: 'alice' };
  expect(hostOf({ ...world, env: { HOME: '/home/alice' }, user }, null).userUnits).toBe(
    '/home/alice/.config/systemd/user',
  );
  expect(hostOf({ ...world, env: { HOME: '/home/alice', XDG_CONFIG_HOME: '/c' }, user }, null).userUnits).toBe(
    '/c/systemd/user',
  );
});
