/** The published JSON Schema, and the real products against it and against the parser. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { inspectProduct, loadCatalogue, loadProduct } from '../../src/product/catalogue.ts';
import { releaseDigest } from '../../src/product/release-digest.ts';
import { manifestSchemaText } from '../../src/product/schema.ts';
import { realWorld } from '../../src/system/world.ts';
import { baseManifest, edited } from './base.ts';

const root = join(import.meta.dirname, '../..');
const published = readFileSync(join(root, 'schema/product.schema.json'), 'utf8');
const world = { ...realWorld(), program: root };

test('the published JSON Schema is up to date: else run npm run schema', () => {
  expect(published).toBe(manifestSchemaText());
});

test('an editor that follows the schema accepts the sample and refuses what is broken', () => {
  const schema = z.fromJSONSchema(JSON.parse(published));
  expect(schema.safeParse(parse(baseManifest)).error?.issues).toBeUndefined();
  expect(schema.safeParse(parse(edited('title: Sample\n', 'titel: Sample\n'))).success).toBe(false);
  expect(schema.safeParse(parse(edited('smallestGroup: 5', 'smallestGroup: 4'))).success).toBe(false);
  expect(schema.safeParse(parse(edited('kind: smtp, host', 'kind: smpt, host'))).success).toBe(false);
});

test('the catalogue has the products that the program is known for', () => {
  expect(loadCatalogue(world)).toEqual(expect.arrayContaining(['actual', 'haraka', 'maildev', 'node-red']));
});

test.each(loadCatalogue(world))('%s is sound, with its locks and templates, and gives no hints', async (name) => {
  const { inspected } = await inspectProduct(world, name);
  expect(inspected.faults).toEqual([]);
  expect(inspected.hints).toEqual([]);
  const product = await loadProduct(world, name);
  expect(product.name).toBe(name);
  expect(product.releases.length).toBeGreaterThanOrEqual(2);
  const digests = product.releases.map((release) => releaseDigest(product, release));
  expect(new Set(digests).size).toBe(digests.length);
  const text = readFileSync(join(root, 'products', name, 'manifest.yaml'), 'utf8');
  const { error } = z.fromJSONSchema(JSON.parse(published)).safeParse(parse(text));
  expect(error?.issues).toBeUndefined();
});
