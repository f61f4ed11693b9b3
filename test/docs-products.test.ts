/** docs/products.md is enough to write a manifest: its example is sound, and every key of the schema is explained. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { inspectManifest } from '../src/product/manifest.ts';
import { checkManifestFiles } from '../src/product/manifest-files.ts';

const page = readFileSync('docs/products.md', 'utf8');
const schema: unknown = JSON.parse(readFileSync('schema/product.schema.json', 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'assent-docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const examples = [...page.matchAll(/<!-- example: (\S+) -->\n```\w*\n([\s\S]*?)```/g)].map(
  ([, file = '', text = '']) => ({ file, text }),
);

test('the example of the page has neither faults nor hints', () => {
  for (const { file, text } of [
    ...examples,
    { file: 'locks/14.1.1/package.json', text: '{}' },
    { file: 'locks/14.1.1/package-lock.json', text: '{}' },
  ]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  expect(examples.map(({ file }) => file)).toEqual(['manifest.yaml', 'templates/server.env']);
  const file = join(folder, 'manifest.yaml');
  const { product, faults, hints } = inspectManifest(readFileSync(file, 'utf8'), file, checkManifestFiles);
  expect({ faults, hints }).toEqual({ faults: [], hints: [] });
  expect(product?.releases.map(({ version }) => version)).toEqual(['14.1.1']);
});

test('every key of the schema is explained', () => {
  const keys = keysIn(schema);
  expect(keys.size).toBeGreaterThan(60);
  expect([...keys].filter((key) => !new RegExp(`\`[^\`]*\\b${key}\\b[^\`]*\``).test(page))).toEqual([]);
});

test('every kind of check, type of setting and signal is named', () => {
  const words = [...JSON.stringify(schema).matchAll(/"(?:const|enum)":(\[[^\]]*\]|"[^"]*")/g)].flatMap(
    ([, found = '']) => [...found.matchAll(/"([^"]+)"/g)],
  );
  const named = [...new Set(words.map(([, word = '']) => word))];
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((word) => !page.includes(`\`${word}\``) && !page.includes(`kind: ${word}`))).toEqual([]);
});

const keysIn = (node: unknown, found = new Set<string>()): Set<string> => {
  if (typeof node !== 'object' || node === null) return found;
  for (const [key, value] of Object.entries(node)) {
    if (key === 'properties') for (const name of Object.keys(value as object)) found.add(name);
    keysIn(value, found);
  }
  return found;
};
