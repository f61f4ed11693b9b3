/** What `products check` says of a release that could not be made: its lockfile and its private Node. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { inspectProduct } from '../../src/product/catalogue.ts';
import { releaseFaults } from '../../src/release/check-product.ts';
import { realWorld } from '../../src/system/world.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assent-check-'));
  cpSync('products/maildev', folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const faults = async (): Promise<string[]> => {
  const world = realWorld();
  const { inspected } = await inspectProduct(world, join(folder, 'manifest.yaml'), (product) =>
    releaseFaults(world, product),
  );
  return inspected.faults.map(({ where, what, remedy }) => `${where}: ${what}; ${remedy}`);
};
const edit = (file: string, from: RegExp, to: string): void => {
  const path = join(folder, file);
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
};

it('finds nothing in a product of the catalogue', async () => expect(await faults()).toEqual([]));

it.each([
  ['a package without sha512', /"integrity": "sha512-[^"]*"/, '"integrity": "sha1-abc"', /has no sha512 integrity/],
  ['no JSON', /^\{/, '', /is no JSON/],
])('finds a lockfile with %s', async (_, from, to, says) => {
  edit('locks/2.2.1/package-lock.json', from, to);
  const [fault, ...others] = await faults();
  expect(others).toEqual([]);
  expect(fault).toMatch(/^releases\[0\]\.source\.lock: /);
  expect(fault).toMatch(says);
});

it('finds a bad lockfile beside a missing template', async () => {
  edit('locks/2.2.1/package-lock.json', /^\{/, '');
  rmSync(join(folder, 'templates/maildev.json'));
  rmSync(join(folder, 'locks/3.0.0/package-lock.json'));
  const found = (await faults()).map((fault) => fault.split(';')[0]);
  expect(found).toEqual([
    expect.stringContaining('locks/3.0.0/package-lock.json is not there'),
    expect.stringContaining('templates/maildev.json is not there'),
    expect.stringContaining('is no JSON'),
  ]);
});

it('finds a Node that cannot be had, and names those that can', async () => {
  edit('manifest.yaml', /24\.21\.0/, '24.99.0');
  expect((await faults())[0]).toMatch(/runtime: there is no private Node of that version; name 24\.21\.0 or /);
});
