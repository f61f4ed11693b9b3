/** From flags, answers, memory and defaults to the settings of an installation; and secrets that never stand in an argument. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { parseManifest } from '../../src/product/manifest.ts';
import {
  type GivenSettings,
  missingAdvice,
  parseSetFlags,
  resolveSettings,
} from '../../src/product/resolve-settings.ts';
import { readSecretSource, type SecretSource } from '../../src/product/secret-reference.ts';
import type { Setting } from '../../src/product/settings.ts';
import { realWorld } from '../../src/system/world.ts';
import { baseManifest, edited } from './base.ts';

const product = parseManifest(baseManifest, 'm.yaml');
const needy = parseManifest(edited('default: admin, ask: false', 'ask: false').replace(', generate: 20', ''), 'm.yaml');
const secret = product.settings.find(({ type }) => type === 'secret') as Setting;
const folder = mkdtempSync(join(tmpdir(), 'assent-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('typed beats given beats before beats default', () => {
  const { settings, missing, dropped } = resolveSettings(product, {
    given: { webPort: '2000', smtpPort: '2001' },
    asked: { webPort: '3000' },
    before: { smtpPort: 4000, mode: 'fast' },
  });
  expect(settings).toEqual({
    webPort: 3000,
    smtpPort: 2001,
    listen: '127.0.0.1',
    user: 'admin',
    mode: 'fast',
    verbose: false,
    limit: 5,
  });
  expect(missing).toEqual([]);
  expect(dropped).toEqual([]);
});

test('what is missing is listed all at once, with a flag for each', () => {
  const { missing, settings } = resolveSettings(needy, { given: {} });
  expect(missing.map(({ name }) => name)).toEqual(['user', 'webPassword']);
  expect('user' in settings).toBe(false);
  expect(missingAdvice(missing)).toBe(
    'Give: --set user=TEXT (User), --set webPassword=@file:PATH (WebClient password)',
  );
});

test('all that is wrong is told at once, each with its remedy', () => {
  const given = { webPort: 'http', limit: '99', mode: 'fats', nothing: '1', webPassword: 'plain' };
  const { message, advice } = failureOf(() => resolveSettings(product, { given }));
  expect(message.split('\n')).toEqual([
    expect.stringContaining('no setting "nothing"'),
    expect.stringContaining('webPort'),
    expect.stringContaining('did you mean "fast"'),
    expect.stringContaining('limit'),
    expect.stringContaining('webPassword'),
  ]);
  expect(message).not.toContain('plain');
  expect(advice).toContain('--set webPort=1080\n');
});

test('a secret that can be generated, or is there already, is not missing', () => {
  expect(resolveSettings(product, { given: {} }).missing).toEqual([]);
  expect(resolveSettings(needy, { given: { user: 'x' }, secretsThere: ['webPassword'] }).missing).toEqual([]);
});

test('an optional setting without a value is left out', () => {
  const optional = parseManifest(edited('default: admin', 'required: false'), 'm.yaml');
  const { settings, missing } = resolveSettings(optional, { given: {} });
  expect(missing).toEqual([]);
  expect('user' in settings).toBe(false);
});

test('secrets are references, or what was typed, and never settings', () => {
  const env = resolveSettings(product, { given: { webPassword: '@env:PASS' } });
  expect(env.secrets).toEqual({ webPassword: { kind: 'env', name: 'PASS' } });
  expect('webPassword' in env.settings).toBe(false);
  const file = resolveSettings(product, { given: { webPassword: '@file:/run/x y' } });
  expect(file.secrets).toEqual({ webPassword: { kind: 'file', path: '/run/x y' } });
  const typed = resolveSettings(product, { given: {}, asked: { webPassword: 'plain' } });
  expect(typed.secrets).toEqual({ webPassword: { kind: 'typed', text: 'plain' } });
});

test('remembered settings that the release has outgrown are dropped and named', () => {
  const { settings, dropped } = resolveSettings(product, {
    given: {},
    before: { gone: 'x', limit: 99, mode: 'old', webPort: 2000, webPassword: 'was plain' },
  });
  expect(settings).toMatchObject({ limit: 5, mode: 'safe', webPort: 2000 });
  expect(Object.fromEntries(dropped.map(({ name, why }) => [name, why]))).toEqual({
    gone: 'this release has no such setting',
    limit: '"99" is not valid in this release',
    mode: '"old" is not valid in this release',
    webPassword: 'it is a secret in this release',
  });
});

test.each<[string, GivenSettings, RegExp, RegExp]>([
  ['unknown name', { given: { wepPort: '1' } }, /^--set: Sample has no setting "wepPort"/, /Did you mean "webPort"/],
  ['unknown name, nothing near', { given: { zzzzzz: '1' } }, /"zzzzzz"/, /Its settings: webPort, /],
  ['unknown typed name', { given: {}, asked: { foo: '1' } }, /"foo"/, /Its settings/],
  ['prototype name', { given: { constructor: '1' } }, /"constructor"/, /Its settings/],
  [
    'bad value',
    { given: { webPort: 'x' } },
    /^--set: webPort \(WebClient port\): "x" is not a whole number/,
    /Example: --set webPort=1080/,
  ],
  [
    'bad value of a file',
    { given: { webPort: 'x' }, places: { webPort: 'a.yaml:3:1' } },
    /^a\.yaml:3:1: webPort/,
    /Example/,
  ],
  ['plain secret', { given: { webPassword: 'hunter2' } }, /is a secret/, /@file:PATH or --set webPassword=@env:NAME/],
  ['nameless environment', { given: { webPassword: '@env:' } }, /is a secret/, /@env:NAME/],
  ['bad environment name', { given: { webPassword: '@env:A B' } }, /is a secret/, /@env:NAME/],
  [
    'two equal ports',
    { given: { webPort: '1025' } },
    /webPort .* and smtpPort .* are both 1025/,
    /--set smtpPort=1026/,
  ],
  ['two equal ports, one of before', { given: { webPort: '9' }, before: { smtpPort: 9 } }, /both 9/, /another port/],
])('%s is refused', (_, given, message, advice) => {
  const failure = failureOf(() => resolveSettings(product, given));
  expect(failure).toMatchObject({ code: 'usage-setting', exit: 2 });
  expect(failure.message).toMatch(message);
  expect(failure.advice).toMatch(advice);
  expect(failure.message + failure.advice).not.toContain('hunter2');
});

test('--set flags become texts by name; the first "=" parts them', () => {
  expect(parseSetFlags(['a=1', 'b=x=y', 'c.d= z'])).toEqual({ a: '1', b: 'x=y', 'c.d': ' z' });
  expect(parseSetFlags([])).toEqual({});
});

test.each<[string[], RegExp]>([
  [['webPort'], /"webPort" is not KEY=VALUE/],
  [['=1'], /is not KEY=VALUE/],
  [['webPort='], /webPort= has no value/],
  [['a=1', 'a=2'], /--set a is given twice/],
  [['webPassword hunter2'], /KEY=VALUE/],
])('--set %j is refused', (flags, message) => {
  const failure = failureOf(() => parseSetFlags(flags));
  expect(failure).toMatchObject({ code: 'usage-setting', exit: 2 });
  expect(failure.message).toMatch(message);
  expect(failure.advice).not.toBe('');
});

test('secrets are read from a file or the environment, without the line end', () => {
  const world = { ...realWorld(), cwd: folder, env: { PASS: 'from env' } };
  writeFileSync(join(folder, 'secret'), 'from file\n');
  expect(readSecretSource(world, secret, { kind: 'file', path: 'secret' })).toBe('from file');
  expect(readSecretSource(world, secret, { kind: 'env', name: 'PASS' })).toBe('from env');
  expect(readSecretSource(world, secret, { kind: 'typed', text: 'typed' })).toBe('typed');
});

test.each<[SecretSource, RegExp]>([
  [{ kind: 'file', path: 'nowhere' }, /there is no file .*nowhere/],
  [{ kind: 'file', path: '.' }, /no plain file/],
  [{ kind: 'file', path: 'link' }, /links are not followed/],
  [{ kind: 'file', path: 'large' }, /larger than 4096/],
  [{ kind: 'file', path: 'two-lines' }, /line break/],
  [{ kind: 'file', path: 'empty' }, /secret is empty/],
  [{ kind: 'env', name: 'UNSET' }, /UNSET is not set/],
  [{ kind: 'env', name: 'EMPTY' }, /@env:EMPTY.*empty/],
])('the secret of %j is refused', (source, message) => {
  const world = { ...realWorld(), cwd: folder, env: { EMPTY: '' } };
  writeFileSync(join(folder, 'large'), 'x'.repeat(5000));
  writeFileSync(join(folder, 'two-lines'), 'hunter2\nhunter3\n');
  writeFileSync(join(folder, 'empty'), '\n');
  rmSync(join(folder, 'link'), { force: true });
  symlinkSync('two-lines', join(folder, 'link'));
  const failure = failureOf(() => readSecretSource(world, secret, source));
  expect(failure).toMatchObject({ code: 'usage-setting', exit: 2 });
  expect(failure.message).toMatch(message);
  expect(failure.message).toContain('webPassword');
  expect(failure.message + failure.advice).not.toContain('hunter');
});

function failureOf(act: () => unknown): Failure {
  try {
    act();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it was accepted');
}
