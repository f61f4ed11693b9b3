/** The catalogue as it is shipped: every manifest is sound, every lockfile pins everything, and names mean the same everywhere. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectManifest, type Product } from '../../src/product/manifest.ts';
import { checkManifestFiles } from '../../src/product/manifest-files.ts';
import { render, viewOf } from '../../src/product/template.ts';

const names = readdirSync('products').sort();

const inspect = (name: string) => {
  const file = join('products', name, 'manifest.yaml');
  return inspectManifest(readFileSync(file, 'utf8'), file, checkManifestFiles);
};

const productOf = (name: string): Product => {
  const { product, faults } = inspect(name);
  if (product === undefined) throw new Error(JSON.stringify(faults));
  return product;
};

test('the catalogue holds five servers, each with both releases', () => {
  const releases = Object.fromEntries(names.map((name) => [name, productOf(name).releases.map((one) => one.version)]));
  expect(releases).toEqual({
    actual: ['25.6.0', '26.9.0'],
    haraka: ['3.0.4', '3.3.4'],
    maildev: ['2.2.1', '3.0.0'],
    'node-red': ['4.1.15', '5.0.7'],
    prosody: ['0.12.3', '13.0.1'],
  });
});

describe.each(names)('%s', (name) => {
  test('has neither faults nor hints, and is called like its folder', () => {
    const { product, faults, hints } = inspect(name);
    expect({ faults, hints, name: product?.name }).toEqual({ faults: [], hints: [], name });
  });

  test('listens on loopback unless told otherwise', () => {
    expect(productOf(name).settings.find((setting) => setting.name === 'listen')?.default).toBe('127.0.0.1');
  });

  test('has a README that tells its releases and its ports', () => {
    const { releases, settings } = productOf(name);
    const readme = readFileSync(join('products', name, 'README.md'), 'utf8');
    const facts = [...releases.map(({ version }) => version), ...settings.flatMap(portOf)];
    expect(facts.filter((fact) => !readme.includes(fact))).toEqual([]);
  });

  test('sends its totals to nobody', () => {
    expect(productOf(name).telemetry?.recipient ?? 'none').toBe('none');
  });

  test.each(npmPartsOf(name))(
    '$version $name: every package is pinned by sha512 and named without a mirror',
    ({ source, version, name: part }) => {
      const { packages, root } = lockOf(name, source.lock);
      const loose = packages.filter(([, entry]) => !entry.inBundle && !entry.integrity?.startsWith('sha512-'));
      const mirrored = packages.filter(
        ([, { resolved }]) => resolved && !resolved.startsWith('https://registry.npmjs.org/'),
      );
      expect({ loose, mirrored }).toEqual({ loose: [], mirrored: [] });
      if (part === '') expect(Object.values(root.dependencies ?? {})).toEqual([version]);
    },
  );

  test.each(npmPartsOf(name))(
    '$version $name: nothing for other systems; what is to be compiled is there',
    ({ source }) => {
      const { packages } = lockOf(name, source.lock);
      const foreign = packages.filter(
        ([, { os, cpu, libc }]) => isForeign(os, 'linux') || isForeign(cpu, 'x64', 'arm64') || isForeign(libc, 'glibc'),
      );
      const locations = packages.map(([location]) => location);
      expect(foreign).toEqual([]);
      expect(source.rebuild.filter((one) => !locations.includes(`node_modules/${one}`))).toEqual([]);
    },
  );

  const whole = npmPartsOf(name).filter((part) => part.name === '');
  test.each(whole)('$version: its command starts a file of its own release', ({ release, source }) => {
    const program = release.service.command.find((word) => word.startsWith('{{release}}/node_modules/'));
    const { packages } = lockOf(name, source.lock);
    expect(packages.some(([location]) => program?.startsWith(`{{release}}/${location}/`))).toBe(true);
  });

  test.each(productOf(name).releases)('$version: its files render, and JSON among them is JSON', (release) => {
    const product = productOf(name);
    for (const file of release.config) {
      const text = render(
        readFileSync(join(product.folder, file.template), 'utf8'),
        exampleView(product),
        file.template,
      );
      if (file.file.endsWith('.json')) expect(() => JSON.parse(text)).not.toThrow();
      expect(text).not.toContain('{{');
    }
  });
});

interface Entry {
  integrity?: string;
  resolved?: string;
  inBundle?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  dependencies?: Record<string, string>;
}

/** Every part that comes from npm, with its release. */
const npmPartsOf = (name: string) =>
  productOf(name).releases.flatMap((release) =>
    release.parts.flatMap(({ name: part, source }) =>
      source.kind === 'npm' ? [{ release, version: release.version, name: part, source }] : [],
    ),
  );

const lockOf = (name: string, folder: string): { packages: [string, Entry][]; root: Entry } => {
  const lock = JSON.parse(readFileSync(join('products', name, folder, 'package-lock.json'), 'utf8'));
  const { '': root, ...packages } = lock.packages as Record<string, Entry>;
  return { packages: Object.entries(packages), root: root ?? {} };
};

const isForeign = (list: string[] | undefined, ...ours: string[]): boolean =>
  list !== undefined && !list.some((one) => ours.includes(one) || one.startsWith('!'));

const portOf = ({ type, default: value }: Product['settings'][number]): string[] =>
  type === 'port' ? [String(value)] : [];

const exampleView = (product: Product) => {
  const secrets = product.settings.filter(({ type }) => type === 'secret').map(({ name }) => [name, 'abcDEF123']);
  const settings = product.settings.flatMap(({ name, default: value }) => (value === undefined ? [] : [[name, value]]));
  const folders = {
    triplet: 'x86_64-linux-gnu',
    node: '/x/node',
    release: '/x/release',
    config: '/x/config',
    data: '/x/data',
    logs: '/x/logs',
    secrets: '/x/secrets',
  };
  const context = { name: product.name, version: '1.0.0', ...folders };
  return viewOf(product, Object.fromEntries(settings), context, Object.fromEntries(secrets));
};
