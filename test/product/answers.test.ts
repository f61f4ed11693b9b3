/** The answers file: read, refused, written and read again. */
import { expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { parseAnswers, renderAnswers } from '../../src/product/answers.ts';
import type { InstanceName } from '../../src/values.ts';

test('every key, with texts as they were written', () => {
  const text = `product: maildev@3.0.0
name: mail-2
settings:
  webPort: 8080
  listen: 127.0.0.1
  version: 22.10
  verbose: true
  webPassword: "@file:secrets/web"
  other: "@env:OTHER"
telemetry: on
telemetryNotice: n0123456789abcdef
`;
  expect(parseAnswers(text, '/etc/assent/answers.yaml')).toEqual({
    product: 'maildev@3.0.0',
    name: 'mail-2',
    settings: {
      webPort: '8080',
      listen: '127.0.0.1',
      version: '22.10',
      verbose: 'true',
      webPassword: '@file:/etc/assent/secrets/web',
      other: '@env:OTHER',
    },
    places: {
      webPort: '/etc/assent/answers.yaml:4:3',
      listen: '/etc/assent/answers.yaml:5:3',
      version: '/etc/assent/answers.yaml:6:3',
      verbose: '/etc/assent/answers.yaml:7:3',
      webPassword: '/etc/assent/answers.yaml:8:3',
      other: '/etc/assent/answers.yaml:9:3',
    },
    telemetry: 'on',
    telemetryNotice: 'n0123456789abcdef',
  });
});

test('a file may say little', () => {
  expect(parseAnswers('telemetry: off', 'a')).toEqual({ settings: {}, places: {}, telemetry: 'off' });
  expect(parseAnswers('{}', 'a')).toEqual({ settings: {}, places: {} });
});

test.each<[string, string, RegExp]>([
  ['', '1:1', /file: is not a YAML map/],
  ['- a', '1:1', /not a YAML map/],
  ['telemetri: off', '1:1', /telemetri: is an unknown key — Did you mean "telemetry"/],
  ['name: a\nwebPort: 8080', '2:1', /webPort: is an unknown key — if it is a setting, put it below "settings:"/],
  ['telemetry: false', '1:12', /"false" is neither on nor off — write telemetry: off/],
  ['telemetry: true', '1:12', /"true" is neither on nor off/],
  ['telemetry: yes', '1:12', /neither on nor off/],
  ['telemetry: "ON"', '1:12', /neither on nor off/],
  ['telemetry:', '1:1', /neither on nor off/],
  ['telemetryNotice: abc', '1:18', /"abc" is not the id of a notice — write the id/],
  ['telemetryNotice: 12345', '1:18', /not the id of a notice/],
  ['product: [a]', '1:10', /names no product/],
  ['product: 3', '1:10', /names no product/],
  ['product: ""', '1:10', /names no product/],
  ['name: Mail', '1:7', /"Mail" is not a name of an instance/],
  ['name: ../x', '1:7', /not a name of an instance/],
  ['name: 5', '1:7', /not a name of an instance/],
  ['settings: 5', '1:11', /settings: is not a map/],
  ['settings:', '1:1', /settings: is not a map/],
  ['settings:\n  webPort:', '2:3', /settings.webPort: has no value/],
  ['settings:\n  webPort: [1]', '2:12', /not a plain value/],
  ['settings:\n  a: 1\n  a: 2', '3:3', /unique — a key may stand once/],
  ['settings:\n  p: "@env:"', '2:6', /refers to nothing — write/],
  ['settings:\n  p: "@env:A-B"', '2:6', /refers to nothing/],
  ['settings:\n  p: "@file:"', '2:6', /refers to nothing/],
  ['settings:\n  __proto__: 1', '2:3', /__proto__ is no key/],
  ['a: &a [x]\nb: *a', '2:4', /is an alias/],
  ['name: !!js/function x', '1:7', /tag/],
  ['a: "x', '1:6', /Missing closing/],
  ['name: a\n---\nname: b', '2:1', /second document/],
  [`name: a # ${'x'.repeat(70_000)}`, '1:1', /at most 65536 are read/],
])('%j is refused', (text, place, says) => {
  const failure = failureOf(text);
  expect(failure).toMatchObject({ code: 'usage-answers', exit: 2 });
  const line = failure.message.split('\n').find((one) => one.startsWith(`my answers.yaml:${place}: `));
  expect(line, failure.message).toMatch(says);
  expect(line).toMatch(/ — \S/);
  expect(failure.advice).toContain('--save-answers');
});

test('all faults of a file are told at once', () => {
  expect(failureOf('name: A\ntelemetry: no\nsettings: 1\nfoo: 1').message.split('\n')).toHaveLength(5);
});

test('what is saved can be read: secrets as references, a no kept, a yes never', async () => {
  const saved = {
    product: 'maildev@3.0.0',
    name: 'mail' as InstanceName,
    settings: {
      webPort: 8080,
      listen: '::1',
      user: 'yes',
      code: '0123',
      note: '# @ "quoted": x',
      long: 'word '.repeat(30).trim(),
      verbose: true,
    },
    secrets: { webPassword: { kind: 'file', path: '/srv/secrets/web' }, other: { kind: 'env', name: 'OTHER' } },
  } as const;
  const off = parseAnswers(await renderAnswers({ ...saved, telemetry: 'off' }), '/a.yaml');
  expect(off).toMatchObject({ product: 'maildev@3.0.0', name: 'mail', telemetry: 'off' });
  expect(off.settings).toEqual({
    ...Object.fromEntries(Object.entries(saved.settings).map(([key, value]) => [key, String(value)])),
    webPassword: '@file:/srv/secrets/web',
    other: '@env:OTHER',
  });
  const silent = await renderAnswers(saved);
  expect(parseAnswers(silent, '/a.yaml').telemetry).toBeUndefined();
  expect(silent).toContain('# A yes to telemetry is never saved');
});

function failureOf(text: string): Failure {
  try {
    parseAnswers(text, 'my answers.yaml');
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('the answers were accepted');
}
