/** Values of settings: what is accepted, in which form, and how a refusal reads. */
import { expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { exampleOf, parseSetting, type Setting } from '../../src/product/settings.ts';

const make = (type: Setting['type'], more: Partial<Setting> = {}): Setting => ({
  name: 'key',
  type,
  title: 'Key',
  ask: true,
  required: true,
  ...more,
});

test.each<[Setting, string, unknown]>([
  [make('port'), '8080', 8080],
  [make('port'), ' 8080 ', 8080],
  [make('port'), '65535', 65535],
  [make('integer'), '-5', -5],
  [make('integer', { min: 0, max: 3 }), '3', 3],
  [make('text'), 'Grüße, Welt', 'Grüße, Welt'],
  [make('text', { default: '' }), '', ''],
  [make('text', { required: false }), '', ''],
  [make('text', { pattern: '[a-z]+' }), 'abc', 'abc'],
  [make('address'), 'LOCALHOST', '127.0.0.1'],
  [make('address'), '0.0.0.0', '0.0.0.0'],
  [make('address'), '0:0:0:0:0:0:0:1', '::1'],
  [make('address'), '[2001:DB8::0]', '2001:db8::'],
  [make('domain'), 'Mail.Example.ORG', 'mail.example.org'],
  [make('domain'), 'localhost', 'localhost'],
  [make('domain'), 'xn--bcher-kva.example', 'xn--bcher-kva.example'],
  [make('choice', { choices: ['a', 'b'] }), 'b', 'b'],
  [make('boolean'), 'YES', true],
  [make('boolean'), 'off', false],
  [make('secret'), 's3cret with spaces', 's3cret with spaces'],
  [make('secret', { pattern: "[^']*" }), 'a"b$c', 'a"b$c'],
])('%o takes %j', (setting, text, value) => {
  expect(parseSetting(setting, text)).toBe(value);
});

test.each<[Setting, string, RegExp]>([
  [make('port'), '', /is not a whole number/],
  [make('port'), '0', /not between 1 and 65535/],
  [make('port'), '65536', /not between 1 and 65535/],
  [make('port'), '99999999999999999999', /not a whole number/],
  [make('port'), '080', /not a whole number/],
  [make('port'), '8080/tcp', /not a whole number/],
  [make('port'), '0x50', /not a whole number/],
  [make('port'), '1e3', /not a whole number/],
  [make('port'), '-1', /not between/],
  [make('port', { min: 1024 }), '80', /not between 1024 and 65535/],
  [make('integer'), '1.5', /not a whole number/],
  [make('integer'), 'NaN', /not a whole number/],
  [make('integer', { max: 3 }), '4', /not between/],
  [make('text'), '', /is empty/],
  [make('text'), 'a\nb', /line break or a control/],
  [make('text'), 'a\u0000b', /control character/],
  [make('text'), 'a\u001b[31m', /control character/],
  [make('text'), 'a\u202eb', /control character/],
  [make('text'), 'a\u2028b', /line break/],
  [make('text'), ' a', /white space/],
  [make('text'), 'x'.repeat(201), /longer than 200/],
  [make('text', { min: 3 }), 'ab', /shorter than 3/],
  [make('text', { pattern: '[a-z]+' }), 'abc1', /does not match/],
  [make('text', { pattern: 'a|b' }), 'ax', /does not match/],
  [make('address'), 'example.org', /not an IP address/],
  [make('address'), '256.0.0.1', /not an IPv4 address/],
  [make('address'), '127.0.0.01', /without leading zeros/],
  [make('address'), '127.1', /not an IPv4/],
  [make('address'), '127.0.0.1:80', /has a port/],
  [make('address'), '10.0.0.0/8', /is a network/],
  [make('address'), 'fe80::1%eth0', /has a zone/],
  [make('address'), ':::', /not an IP address/],
  [make('address'), '', /is empty/],
  [make('domain'), 'bücher.example', /write it as xn--bcher-kva.example/],
  [make('domain'), 'https://example.org', /is a URL/],
  [make('domain'), 'a@example.org', /is a mail address/],
  [make('domain'), 'example.org.', /ends with a dot/],
  [make('domain'), '-a.example', /not a domain/],
  [make('domain'), 'a..b', /not a domain/],
  [make('domain'), 'a_b.example', /not a domain/],
  [make('domain'), '10.0.0.1', /an IP address is no domain/],
  [make('domain'), `${'a'.repeat(64)}.example`, /1 to 63/],
  [make('domain'), `${'a.'.repeat(127)}example`, /longer than 253/],
  [make('choice', { choices: ['fast', 'safe'] }), 'sefe', /none of fast, safe; did you mean "safe"/],
  [make('boolean'), 'maybe', /neither true nor false/],
  [make('boolean'), '1', /neither true nor false/],
  [make('secret'), '', /secret is empty/],
  [make('secret'), 'a\nb', /line break/],
  [make('secret', { min: 8 }), 'short', /not between 8 and 1000/],
  [make('secret', { pattern: "[^']*" }), "it's", /does not match \[\^'\]\*/],
])('%o refuses %j', (setting, text, says) => {
  const failure = failureOf(() => parseSetting(setting, text, 'answers.yaml:4:3'));
  expect(failure).toMatchObject({ code: 'usage-setting', exit: 2 });
  expect(failure.message).toMatch(/^answers\.yaml:4:3: key \(Key\):/);
  expect(failure.message).toMatch(says);
  expect(failure.advice).toMatch(/--set key=./);
  expect(failure.message).not.toMatch(/[\p{Cc}\u202e\u2028]/u);
  if (setting.type === 'secret' && text !== '') expect(failure.message + failure.advice).not.toContain(text);
});

test('the example of a setting is a value that it takes', () => {
  const all = [
    make('port'),
    make('integer', { min: 3 }),
    make('text'),
    make('address'),
    make('domain'),
    make('choice', { choices: ['a'] }),
    make('boolean'),
    make('port', { default: 99 }),
  ];
  for (const setting of all) expect(() => parseSetting(setting, exampleOf(setting))).not.toThrow();
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
