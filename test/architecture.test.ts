/**
 * The house rules that the linter can't express: who may import whom (again, with lazy imports and types, which lint patterns
 * overlook), and that time, randomness and the environment are asked for in src/system alone.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const below: Record<string, string[]> = {};
below['values.ts'] = [];
below['errors.ts'] = ['values.ts'];
below.system = ['values.ts', 'errors.ts'];
below.product = [...below.system, 'system'];
below.source = [...below.product, 'product'];
below.release = [...below.source, 'source'];
below.instance = [...below.release, 'release'];
below.service = [...below.instance, 'instance'];
below.consent = below.service;
below.change = [...below.service, 'service', 'consent'];
below.telemetry = below.change;
below.ui = [...below.change, 'change', 'telemetry'];
below.cli = [...below.ui, 'ui'];
below['main.ts'] = [...below.cli, 'cli'];
below['bootstrap.ts'] = [];

const files = globSync('src/**/*.ts').sort();
const roomOf = (file: string): string => file.split('/')[1] ?? '';
const imports = (text: string): string[] =>
  [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'(\.[^']+)'/g)].map((match) => match[1] ?? '');
const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');

/** Without what is handed to another process as text. */
const ownCode = (text: string): string => withoutComments(text).replace(/`\n[\s\S]*?\n`/g, '``');

test('there is source to look at, and every room is known', () => {
  expect(files.length).toBeGreaterThan(10);
  expect(files.map(roomOf).filter((room) => !(room in below))).toEqual([]);
});

test('rooms import only the rooms below them', () => {
  const wrong: string[] = [];
  for (const file of files) {
    for (const specifier of imports(withoutComments(readFileSync(file, 'utf8')))) {
      const target = normalize(join(dirname(file), specifier));
      const room = target.startsWith('src/') ? roomOf(target) : '';
      const allowed = room === '' || room === roomOf(file) || below[roomOf(file)]?.includes(room);
      if (!allowed) wrong.push(`${file} imports ${specifier}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('the resolver imports nothing but values', () => {
  const text = readFileSync('src/consent/resolver.ts', 'utf8');
  const all = [...withoutComments(text).matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/g)].map((match) => match[1]);
  expect(all.filter((specifier) => specifier !== '../values.ts')).toEqual([]);
});

test('time, randomness and process state are asked for in system alone', () => {
  const asks =
    /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\brandomBytes\b|\brandomUUID\b|\bprocess\.(?:env|argv|pid|cwd|exit|stdout|stderr|stdin|getuid)\b/;
  const free = (file: string): boolean =>
    ['system', 'main.ts', 'bootstrap.ts'].includes(roomOf(file)) || /-(child|worker|preload)\.ts$/.test(file);
  const wrong = files.filter((file) => !free(file) && asks.test(ownCode(readFileSync(file, 'utf8'))));
  expect(wrong).toEqual([]);
});
