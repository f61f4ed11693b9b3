/** The catalogue: names, paths, releases, and the files that a manifest names. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import {
  inspectProduct,
  loadCatalogue,
  loadProduct,
  parseProductReference,
  pickRelease,
} from '../../src/product/catalogue.ts';
import { releaseDigest } from '../../src/product/release-digest.ts';
import { realWorld } from '../../src/system/world.ts';
import { baseManifest, edited } from './base.ts';

let program: string;
let folder: string;
const world = () => ({ ...realWorld(), program, cwd: program });

beforeEach(() => {
  program = mkdtempSync(join(tmpdir(), 'assent-catalogue-'));
  folder = join(program, 'products/sample');
  for (const version of ['1.0.0', '2.0.0']) {
    mkdirSync(join(folder, 'locks', version), { recursive: true });
    for (const name of ['package.json', 'package-lock.json'])
      writeFileSync(join(folder, 'locks', version, name), '{}\n');
  }
  mkdirSync(join(folder, 'templates'));
  writeFileSync(join(folder, 'templates/server.env'), 'PASSWORD={{secret.webPassword}}\n');
  writeFileSync(join(folder, 'manifest.yaml'), baseManifest);
  mkdirSync(join(program, 'products/no-manifest'));
  writeFileSync(join(program, 'products/lock-release.mjs'), '');
});
afterEach(() => rmSync(program, { recursive: true }));

test('names are folders that hold a manifest', () => {
  expect(loadCatalogue(world())).toEqual(['sample']);
});

test('a product is found by its name, by the path of its manifest, and by its folder', async () => {
  const byName = await loadProduct(world(), 'sample');
  expect(byName.folder).toBe(folder);
  expect(await loadProduct(world(), './products/sample/manifest.yaml')).toEqual(byName);
  expect(await loadProduct(world(), folder)).toEqual(byName);
});

test.each<[string, RegExp, RegExp]>([
  ['sampel', /no product "sampel"/, /Did you mean "sample"/],
  ['zzzzzzz', /no product "zzzzzzz"/, /The catalogue has: sample/],
  ['no-manifest', /no product/, /sample/],
  ['', /no product ""/, /sample/],
  ['..', /no product "\.\."/, /sample/],
  ['nowhere.yaml', /There is no manifest at .*nowhere\.yaml/, /assent products list/],
  ['./nowhere', /There is no manifest at/, /products list/],
  ['products/no-manifest', /no manifest at .*no-manifest/, /products list/],
])('%j is no product', async (name, message, advice) => {
  const failure = await failureOf(loadProduct(world(), name));
  expect(failure).toMatchObject({ code: 'no-product', exit: 10 });
  expect(failure.message).toMatch(message);
  expect(failure.advice).toMatch(advice);
});

test('a manifest that can not be read is a usage failure', async () => {
  symlinkSync('manifest.yaml', join(folder, 'link.yaml'));
  const failure = await failureOf(loadProduct(world(), join(folder, 'link.yaml')));
  expect(failure).toMatchObject({ code: 'usage-manifest', exit: 2 });
  expect(failure.advice).toContain('links are not followed');
});

test.each<[string, () => void, RegExp]>([
  [
    'a lockfile is missing',
    () => rmSync(join(folder, 'locks/2.0.0/package-lock.json')),
    /:49:32: releases\[1\]\.source\.lock: locks\/2\.0\.0\/package-lock\.json is not there — make it with/,
  ],
  ['the lock folder is a file', () => replaceByFile('locks/2.0.0'), /releases\[1\]\.source\.lock: .* is not there/],
  ['the lock folder is a link', () => replaceByLink('locks/2.0.0'), /leads over a link \(locks\/2\.0\.0\)/],
  [
    'a template is missing',
    () => rmSync(join(folder, 'templates/server.env')),
    /:37:19: defaults\.config\[0\]\.template: templates\/server\.env is not there/,
  ],
  ['a template is a link', () => replaceByLink('templates/server.env'), /leads over a link/],
  ['a template is a folder', () => replaceByFolder('templates/server.env'), /not a plain file/],
  [
    'a template names nothing known',
    () => writeFileSync(join(folder, 'templates/server.env'), '{{wepPort}}'),
    /templates\/server\.env: {{wepPort}} names nothing .* — Did you mean "webPort"/,
  ],
  ['a template is malformed', () => writeFileSync(join(folder, 'templates/server.env'), '{{#a}}'), /can't be read/],
  [
    'a template is huge',
    () => writeFileSync(join(folder, 'templates/server.env'), 'x'.repeat(1024 * 1024 + 1)),
    /larger than/,
  ],
  [
    'a secret in a plain file',
    () => writeFileSync(join(folder, 'manifest.yaml'), edited(', secret: true }', ' }')),
    /{{secret\.webPassword}} may not stand here/,
  ],
])('%s', async (_, damage, says) => {
  damage();
  const failure = await failureOf(loadProduct(world(), 'sample'));
  expect(failure).toMatchObject({ code: 'usage-manifest', exit: 2 });
  expect(failure.message).toMatch(says);
  expect(failure.message).toContain(join(folder, 'manifest.yaml:'));
});

test('faults come as data for those who want to show them', async () => {
  rmSync(join(folder, 'templates/server.env'));
  const { file, inspected } = await inspectProduct(world(), 'sample');
  expect(file).toBe(join(folder, 'manifest.yaml'));
  expect(inspected.product).toBeUndefined();
  expect(inspected.faults).toHaveLength(1);
  expect(inspected.faults[0]).toMatchObject({ line: 37, column: 19 });
});

test.each([
  ['maildev', { product: 'maildev' }],
  ['maildev@3.0.0', { product: 'maildev', version: '3.0.0' }],
  ['maildev@', { product: 'maildev', version: '' }],
  ['./a@b/manifest.yaml', { product: './a@b/manifest.yaml' }],
  ['./a/manifest.yaml@1.0.0', { product: './a/manifest.yaml', version: '1.0.0' }],
  ['@x', { product: '@x' }],
])('the reference %s', (text, reference) => {
  expect(parseProductReference(text)).toEqual(reference);
});

test('the newest stable release, an exact one, or a failure that says what there is', async () => {
  const product = await loadProduct(world(), 'sample');
  expect(pickRelease(product).version).toBe('2.0.0');
  expect(pickRelease(product, '1.0.0').version).toBe('1.0.0');
  expect(pickRelease(product, 'v1.0.0').version).toBe('1.0.0');
  for (const wrong of ['2.0.1', '', 'latest', '^1.0.0', '1']) {
    const failure = await failureOf((async () => pickRelease(product, wrong))());
    expect(failure).toMatchObject({ code: 'no-release', exit: 10 });
    expect(failure.advice).toContain('There are: 1.0.0, 2.0.0.');
  }
  expect((await failureOf((async () => pickRelease(product, '2.0.1'))())).advice).toContain(
    'Did you mean "sample@2.0.0"?',
  );
  const preview = {
    ...product,
    releases: product.releases.map((one, at) =>
      at === 1 ? { ...one, version: '3.0.0-rc.1' as typeof one.version } : one,
    ),
  };
  expect(pickRelease(preview).version).toBe('1.0.0');
  expect(pickRelease({ ...preview, releases: preview.releases.slice(1) }).version).toBe('3.0.0-rc.1');
});

test.each<[string, boolean, () => void]>([
  ['nothing', false, () => undefined],
  ['a comment', false, () => writeFileSync(join(folder, 'manifest.yaml'), `# hello\n${baseManifest}`)],
  [
    'another release',
    false,
    () =>
      writeFileSync(
        join(folder, 'manifest.yaml'),
        edited('installed: 2000, files: 3 }\n    notes', 'installed: 2001, files: 4 }\n    notes'),
      ),
  ],
  [
    'the summary',
    false,
    () => writeFileSync(join(folder, 'manifest.yaml'), edited('A server for tests', 'Another word')),
  ],
  ['the lockfile of another release', false, () => writeFileSync(join(folder, 'locks/2.0.0/package-lock.json'), '{ }')],
  ['the lockfile', true, () => writeFileSync(join(folder, 'locks/1.0.0/package-lock.json'), '{ }')],
  ['the package file', true, () => writeFileSync(join(folder, 'locks/1.0.0/package.json'), '{ }')],
  ['a template', true, () => writeFileSync(join(folder, 'templates/server.env'), 'X=1\n')],
  [
    'a default of the releases',
    true,
    () => writeFileSync(join(folder, 'manifest.yaml'), edited('stopSeconds: 10', 'stopSeconds: 11')),
  ],
  ['the runtime', true, () => writeFileSync(join(folder, 'manifest.yaml'), edited('24.21.0', '24.22.0'))],
  [
    'a counter',
    true,
    () => writeFileSync(join(folder, 'manifest.yaml'), edited('title: message deleted', 'title: message removed')),
  ],
  [
    'the telemetry',
    true,
    () =>
      writeFileSync(
        join(folder, 'manifest.yaml'),
        baseManifest.slice(0, baseManifest.indexOf('telemetry:\n  counters')),
      ),
  ],
  ['a setting', true, () => writeFileSync(join(folder, 'manifest.yaml'), edited('default: 1080', 'default: 1081'))],
])('the digest after a change of %s', async (_, differs, change) => {
  const digest = async () => {
    const product = await loadProduct(world(), 'sample');
    return releaseDigest(product, pickRelease(product, '1.0.0'));
  };
  const before = await digest();
  expect(before).toMatch(/^[0-9a-f]{12}$/);
  change();
  expect((await digest()) !== before).toBe(differs);
});

test('the digest does not depend on where the catalogue lies, and differs by release', async () => {
  const product = await loadProduct(world(), 'sample');
  const moved = join(program, 'elsewhere');
  cpSync(folder, moved, { recursive: true });
  const copy = await loadProduct(world(), moved);
  expect(releaseDigest(copy, pickRelease(copy))).toBe(releaseDigest(product, pickRelease(product)));
  expect(releaseDigest(product, pickRelease(product, '1.0.0'))).not.toBe(releaseDigest(product, pickRelease(product)));
  rmSync(join(moved, 'templates/server.env'));
  expect(() => releaseDigest(copy, pickRelease(copy))).toThrow(/templates\/server\.env is not there/);
});

const replaceByFile = (name: string) => {
  rmSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name), '');
};

const replaceByFolder = (name: string) => {
  rmSync(join(folder, name));
  mkdirSync(join(folder, name));
};

const replaceByLink = (name: string) => {
  cpSync(join(folder, name), join(folder, 'target'), { recursive: true });
  rmSync(join(folder, name), { recursive: true });
  symlinkSync(join(folder, 'target'), join(folder, name));
};

async function failureOf(act: Promise<unknown>): Promise<Failure> {
  const error = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Failure) return error;
  throw error ?? new Error('it was accepted');
}
