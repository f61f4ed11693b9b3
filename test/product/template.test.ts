/** Templates and what they may name. */
import { expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { parseManifest } from '../../src/product/manifest.ts';
import { listensWide, namesIn, render, settingsView, urlsOf, viewOf } from '../../src/product/template.ts';
import { baseManifest, edited } from './base.ts';

const product = parseManifest(baseManifest, 'm.yaml');
const settings = {
  webPort: 1080,
  smtpPort: 1025,
  listen: '127.0.0.1',
  user: '<b> & "c"',
  mode: 'safe',
  verbose: false,
  limit: 0,
};
const context = {
  name: 'mail',
  version: '2.0.0',
  triplet: 'x86_64-linux-gnu',
  node: '/r/node',
  release: '/r',
  config: '/c',
  data: '/d',
  logs: '/l',
  secrets: '/s',
};
const view = viewOf(product, settings, context);

test.each([
  ['{{webPort}} {{listen}} {{name}} {{version}}', '1080 127.0.0.1 mail 2.0.0'],
  ['{{node}} {{release}} {{config}} {{data}} {{logs}} {{secrets}}', '/r/node /r /c /d /l /s'],
  ['{{user}} {{{user}}} {{&user}}', '<b> & "c" <b> & "c" <b> & "c"'],
  ['{{urls.web}}', 'http://127.0.0.1:1080'],
  ['{{secretFile.webPassword}}', '/s/webPassword'],
  ['{{verbose}} {{limit}}', 'false 0'],
  ['{{#verbose}}loud{{/verbose}}{{^verbose}}quiet{{/verbose}}', 'quiet'],
  ['{{! a comment }}{ plain } $x', '{ plain } $x'],
  ['.', '.'],
])('%s', (template, text) => {
  expect(render(template, view, 'test')).toBe(text);
});

test.each<[string, RegExp]>([
  ['{{nothing}}', /{{nothing}} names nothing/],
  ['{{secret.webPassword}}', /names nothing/],
  ['{{webPassword}}', /names nothing/],
  ['{{urls.other}}', /names nothing/],
  ['{{constructor}}', /names nothing/],
  ['{{name.length}}', /names nothing/],
  ['{{#verbose}}{{nothing}}{{/verbose}}', /names nothing/],
  ['{{#verbose}}', /can't be read/],
  ['{{verbose', /can't be read/],
  ['{{> x}}', /tag of kind ">"/],
  ['{{.}}', /has {{\.}}/],
])('%s is a failure', (template, message) => {
  const failure = failureOf(() => render(template, view, 'templates/x'));
  expect(failure).toMatchObject({ code: 'usage-manifest', exit: 2 });
  expect(failure.message).toMatch(/^templates\/x: /);
  expect(failure.message).toMatch(message);
  expect(failure.advice).not.toBe('');
});

test('the text of a secret is there only where it is handed in', () => {
  const secret = viewOf(product, settings, context, { webPassword: 'p&w' });
  expect(render('{{secret.webPassword}}', secret, 'x')).toBe('p&w');
  const none = viewOf(product, settings, context, {});
  expect(render('{{#secret.webPassword}}set{{/secret.webPassword}}', none, 'x')).toBe('');
});

test.each([
  ['127.0.0.1', '127.0.0.1', '127.0.0.1', false],
  ['127.9.9.9', '127.9.9.9', '127.9.9.9', false],
  ['0.0.0.0', '127.0.0.1', '0.0.0.0', true],
  ['192.0.2.1', '192.0.2.1', '192.0.2.1', true],
  ['::1', '[::1]', '[::1]', false],
  ['::', '[::1]', '[::]', true],
  ['2001:db8::1', '[2001:db8::1]', '[2001:db8::1]', true],
  ['::ffff:7f00:1', '[::ffff:7f00:1]', '[::ffff:7f00:1]', false],
])('listening on %s', (listen, host, bind, wide) => {
  const here = { ...settings, listen };
  expect(settingsView(product, here)).toMatchObject({ listen, listenHost: host, listenBind: bind });
  expect(urlsOf(product, here)).toEqual({ web: `http://${host}:1080`, smtp: `${host}:1025` });
  expect(listensWide(product, here)).toBe(wide);
});

test('a setting with a dot is a name with a dot; an absent one is empty', () => {
  const dotted = parseManifest(
    edited('  verbose: {', '  tls.on: {').replace('default: admin, ', 'required: false, '),
    'm',
  );
  const found = viewOf(dotted, { ...settings, 'tls.on': true, user: '' }, context);
  expect(render('{{tls.on}}|{{user}}|{{#tls.on}}yes{{/tls.on}}', found, 'x')).toBe('true||yes');
});

test('names of a template, each once', () => {
  expect(namesIn('{{a}} {{#b}}{{a}}{{c.d}}{{/b}} {{{e}}}', 'x')).toEqual(['a', 'b', 'c.d', 'e']);
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
