import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { devDependencies: Record<string, string> };
const page = readFileSync('docs/dependencies.md', 'utf8');

test('each dependency has its line in docs/dependencies.md, and each line its dependency', () => {
  const told = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '');
  const used = Object.keys(manifest.devDependencies).map((name) => (name.startsWith('@types/') ? '@types/*' : name));
  expect(told.sort()).toEqual([...new Set(used)].sort());
});

interface Locked {
  integrity?: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

test('the lockfile pins every package by sha512, names no registry, and can be installed from (scripts/tidy-lock.mjs)', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Locked> };
  const entries = Object.entries(packages).filter(([location]) => location !== '');
  expect(entries.length).toBeGreaterThan(100);
  expect(entries.filter(([, entry]) => !entry.integrity?.startsWith('sha512-') || entry.resolved)).toEqual([]);
  const optional = entries.flatMap(([, entry]) => Object.keys(entry.optionalDependencies ?? {}));
  expect(optional.filter((name) => !entries.some(([location]) => location.endsWith(`node_modules/${name}`)))).toEqual(
    [],
  );
});
