/** What settings bring about: when a declared danger holds, and what is wrong with one. */
import { expect, test } from 'vitest';
import { inspectManifest, parseManifest } from '../../src/product/manifest.ts';
import { risksThatHold } from '../../src/product/risks.ts';
import { baseManifest } from './base.ts';

const risk = 'when: [listen], unless: [user, verbose], message: Plain text., remedy: Do something.';
const text = baseManifest.replace('defaults:\n', `dangers:\n  - { id: plain-text, ${risk} }\ndefaults:\n`);
const product = parseManifest(text, 'some/manifest.yaml');

const ids = (settings: Record<string, string | boolean>): string[] =>
  risksThatHold(product, product.dangers, settings).map(({ id }) => id);

test('an address counts beyond this machine only, everything else where it is set and true', () => {
  expect(ids({ listen: '127.0.0.1' })).toEqual([]);
  expect(ids({ listen: '::1' })).toEqual([]);
  expect(ids({})).toEqual([]);
  expect(ids({ listen: '0.0.0.0' })).toEqual(['plain-text']);
  expect(ids({ listen: '192.0.2.7', verbose: false, user: '' })).toEqual(['plain-text']);
  expect(ids({ listen: '0.0.0.0', verbose: true })).toEqual([]);
  expect(ids({ listen: '0.0.0.0', user: '/a/file' })).toEqual([]);
});

test('a release that was stored before there were any has none', () => {
  expect(risksThatHold(product, undefined, { listen: '0.0.0.0' })).toEqual([]);
});

const faultsOf = (yaml: string): string[] =>
  inspectManifest(yaml, 'some/manifest.yaml').faults.map(({ where, what, remedy }) => `${where}: ${what} — ${remedy}`);

test('a setting that there is not, and an id that stands twice, are faults', () => {
  expect(faultsOf(text.replace('when: [listen]', 'when: [lisen]'))).toEqual([
    expect.stringContaining('"lisen" is no setting'),
  ]);
  const twice = text.replace('defaults:\n', `warnings:\n  - { id: plain-text, ${risk} }\ndefaults:\n`);
  expect(faultsOf(twice)).toEqual([expect.stringContaining('"plain-text" stands twice')]);
  expect(faultsOf(text.replace('plain-text', 'Plain'))).toEqual([expect.stringContaining('is not an id')]);
});

test('doctor: conditions and names are checked like all others', () => {
  const check = (line: string) => text.replace('defaults:\n', `doctor:\n  - ${line}\ndefaults:\n`);
  expect(faultsOf(check('{ kind: port, host: "{{listenHost}}", port: "{{webPort}}" }'))).toEqual([]);
  expect(faultsOf(check('{ kind: port, host: "{{domain}}", port: 80 }'))).toEqual([
    expect.stringContaining('{{domain}} names nothing'),
  ]);
  expect(faultsOf(check('{ kind: clock, when: [nobody] }'))).toEqual([
    expect.stringContaining('"nobody" is no setting'),
  ]);
});
