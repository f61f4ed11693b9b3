import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileRoutes } from '../../../src/telemetry/counting/routes.ts';

const match = compileRoutes([
  { routes: ['GET /email', 'GET /api/email'] },
  { routes: ['GET /api/email/:id'] },
  { routes: ['DELETE /api/email/:id'] },
  { routes: ['DELETE /api/email/all'] },
  { routes: ['GET /api/email/:id/attachment/:filename'] },
  { routes: ['GET /library/:library/:type/*'] },
  { routes: ['GET /'] },
  { routes: ['GET /context/:scope', 'GET /context/:scope/*'] },
  { routes: ['GET /a/b/*'] },
  { routes: ['GET /a/:x/d'] },
  { routes: ['POST /*', 'GET /email'] },
]);

test.each([
  ['GET', '/email', 0],
  ['GET', '/api/email?limit=50&skip=0', 0],
  ['GET', '/api/email/', 0],
  ['GET', '/api/email#top', 0],
  ['GET', '/api/email/1a2B', 1],
  ['GET', '/api/email/1a2B/', 1],
  ['DELETE', '/api/email/1', 2],
  ['DELETE', '/api/email/all', 3],
  ['GET', '/api/email/1/attachment/a%2Fb.pdf', 4],
  ['GET', '/api/email/1/attachment/%', 4],
  ['GET', '/library/local/flows/a', 5],
  ['GET', '/library/local/flows/a/b//c', 5],
  ['GET', '/', 6],
  ['GET', '/?x=1', 6],
  ['GET', '/context/global', 7],
  ['GET', '/context/global/', 7],
  ['GET', '/context/global/a/b', 7],
  ['GET', '/a/b/c', 8],
  ['GET', '/a/b/d', 8],
  ['GET', '/a/x/d', 9],
  ['POST', '/anything/at/all', 10],
])('%s %s feeds counter %i', (method, url, counter) => expect(match(method, url)).toBe(counter));

test.each([
  ['POST', '/'],
  ['HEAD', '/email'],
  ['get', '/email'],
  ['GET', '/Email'],
  ['GET', '/%65mail'],
  ['GET', '/api//email'],
  ['GET', '//email'],
  ['GET', '//'],
  ['GET', '/email//'],
  ['GET', '/api/email//'],
  ['GET', '/api/email//attachment/x'],
  ['GET', '/library/local/flows'],
  ['GET', '/library/local/flows/'],
  ['GET', 'http://host/email'],
  ['GET', 'email'],
  ['GET', '*'],
  ['GET', ''],
  ['', ''],
  ['GET', '/api/email/1/unknown'],
  ['GET', '/__proto__'],
])('%s %s feeds none', (method, url) => expect(match(method, url)).toBeUndefined());

test('a star in the middle is one segment, and a name needs no letters', () => {
  const odd = compileRoutes([{ routes: ['GET /x/*/y', 'GET /z/:'] }]);
  expect([odd('GET', '/x/1/y'), odd('GET', '/x/1/2/y'), odd('GET', '/z/1')]).toEqual([0, undefined, 0]);
});

test('a path of a megabyte or of thousands of segments is matched, or not, like any other', () => {
  for (let round = 0; round < 20; round += 1) {
    expect(match('GET', `/api/email/${'x'.repeat(1_000_000)}`)).toBe(1);
    expect(match('GET', `/a${'/b'.repeat(20_000)}`)).toBe(8);
  }
});

test('the routes of the catalogue: each one, with its names filled in, feeds its own counter', async () => {
  const { parse } = await import('yaml');
  for (const product of ['maildev', 'node-red']) {
    const { telemetry } = parse(readFileSync(`products/${product}/manifest.yaml`, 'utf8'));
    const of = compileRoutes(telemetry.counters);
    (telemetry.counters as { routes: string[] }[]).forEach(({ routes }, index) => {
      for (const route of routes) {
        const [method = '', path = ''] = route.replace(/:\w+|\*/g, 'Zz9').split(' ');
        expect([route, of(method, path)]).toEqual([route, index]);
      }
    });
  }
});
