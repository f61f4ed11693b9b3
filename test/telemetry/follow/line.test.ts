/** Lines of access logs: what servers really write, what strangers make them write, and garbage. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileRoutes } from '../../../src/telemetry/counting/routes.ts';
import { type LineSeen, makeLineReader, usualNames } from '../../../src/telemetry/follow/line.ts';
import { makeRouteFilter } from '../../../src/telemetry/follow/route-filter.ts';

const counters = [{ routes: ['GET /email', 'GET /email/:id', 'POST /a b', 'DELETE /files/*'] }, { routes: ['GET /'] }];
const all = [{ routes: ['GET /*', 'GET /', 'POST /*', 'HEAD /*', 'PUT /*', 'PATCH /*', 'DELETE /*'] }];
const text = (format: 'combined' | 'common', routes = all) => {
  const read = makeLineReader({ format, signals: true }, routes);
  return (line: string | Buffer) => readWith(read, line);
};
type Fields = Parameters<typeof makeLineReader>[0]['fields'];
const json = (fields: Fields, routes = all) => {
  const read = makeLineReader({ format: 'json', signals: false, ...(fields ? { fields } : {}) }, routes);
  return (line: unknown) => readWith(read, typeof line === 'string' ? line : JSON.stringify(line));
};
/** As in a real buffer: other lines stand before and behind it. */
const readWith = (read: ReturnType<typeof makeLineReader>, line: string | Buffer): LineSeen | undefined => {
  const bytes = Buffer.concat([Buffer.from('x "" \\'), Buffer.from(line), Buffer.from('" "-" "-"\n')]);
  return read(bytes, 6, 6 + Buffer.from(line).length);
};

const combined = text('combined');
const time = '25/Nov/2026:13:55:36 +0100';
const at = new Date('2026-11-25T12:55:36Z');
const usual = `127.0.0.2 - - [${time}] "GET /email?x=1 HTTP/1.1" 200 512 "http://h/" "Mozilla/5.0 (X11)" "-" "-"`;

test('a combined line', () => {
  expect(combined(usual)).toEqual({
    method: 'GET',
    url: '/email?x=1',
    address: '127.0.0.2',
    userAgent: 'Mozilla/5.0 (X11)',
    status: 200,
    at,
  });
  expect(combined(`${usual}\r`)).toBeDefined();
});

test('a common line has no browser', () => {
  const line = `2001:db8::1 - joe [${time}] "POST /x HTTP/2.0" 204 - "-" "-"`;
  expect(text('common')(line)).toMatchObject({ method: 'POST', address: '2001:db8::1', userAgent: undefined });
  expect(text('common')(usual)).toBeUndefined();
});

test.each([
  ['a user with blanks and brackets', usual.replace('- - [', '- a [25/Nov/2020:00:00:00 +0000] b ['), { at }],
  ['a user with a quote, as Apache writes it', usual.replace('- - [', '- a\\"b ['), { at }],
  ['nginx escapes', usual.replace('/email?x=1', '/a\\x22b\\x5Cc\\xC3\\xA4'), { url: '/a"b\\cÃ¤' }],
  ['apache escapes', usual.replace('(X11)', '\\"q\\" \\\\ \\t'), { userAgent: 'Mozilla/5.0 "q" \\ \t' }],
  ['raw utf-8', usual.replace('/email?x=1', '/ä'), { url: '/ä' }],
  ['a path with blanks', usual.replace('/email?x=1', '/a b c'), { url: '/a b c' }],
  ['no size', usual.replace(' 512 ', ' - '), { status: 200 }],
  ['0 is no objection', usual.replace('"-" "-"', '"0" ""'), { status: 200 }],
  ['an escape that is none', usual.replace('/email?x=1', '/a\\xZZ\\q'), { url: '/a\\xZZ\\q' }],
])('%s', (_, line, expected) => {
  expect(combined(line)).toMatchObject(expected);
});

test.each([
  ['Sec-GPC', '"1" "-"'],
  ['DNT', '"-" "1"'],
  ['anything else', '"-" "yes"'],
  ['a blank', '"-" " 1"'],
  ['one field only', '"-"'],
  ['none', ''],
  ['three', '"-" "-" "-"'],
  ['no closing quote', '"-" "-'],
  ['no quotes', '- -'],
  ['something behind', '"-" "-" 0.01'],
])('not counted: %s', (_, end) => {
  expect(combined(usual.replace('"-" "-"', end).trimEnd())).toBeUndefined();
});

test.each([
  ['no request', usual.replace('GET /email?x=1 HTTP/1.1', '-')],
  ['a handshake', usual.replace('GET /email?x=1 HTTP/1.1', '\\x16\\x03\\x01\\x00')],
  ['no protocol', usual.replace(' HTTP/1.1', '')],
  ['another method', usual.replace('GET', 'CONNECT')],
  ['a whole address', usual.replace('/email?x=1', 'http://h/email')],
  ['no address', usual.slice(9)],
  ['a time without zone', usual.replace(' +0100', '')],
  ['no such day', usual.replace('25/Nov', '31/Nov')],
  ['no such month', usual.replace('Nov', 'Nex')],
  ['no such hour', usual.replace(':13:', ':24:')],
  ['no status', usual.replace(' 200 ', ' - ')],
  ['an odd status', usual.replace(' 200 ', ' 2x0 ')],
  ['too long a path', usual.replace('/email', `/${'e'.repeat(3000)}`)],
])('no line: %s', (_, line) => {
  expect(combined(line)).toBeUndefined();
});

test('plain combined is never counted, whatever the manifest was read as', () => {
  const read = makeLineReader({ format: 'combined', signals: false }, all);
  expect(readWith(read, usual)).toBeUndefined();
});

const nginx = {
  time_iso8601: '2026-11-25T13:55:36+01:00',
  remote_addr: '::1',
  request_method: 'GET',
  request_uri: '/a?b',
  status: '304',
  http_user_agent: 'UA "x"',
  http_sec_gpc: '',
  http_dnt: '',
};
const nginxFields = { gpc: 'http_sec_gpc', dnt: 'http_dnt' };
const caddyRequest = { remote_ip: '10.0.0.1', client_ip: '192.0.2.7', method: 'GET', uri: '/a', headers: {} };
const caddy = { level: 'info', ts: 1795611336.25, logger: 'http.log', request: caddyRequest, bytes: 3, status: 200 };
const caddyFields = { gpc: 'request.headers.Sec-Gpc?', dnt: 'request.headers.Dnt?' };
const traefik = {
  ClientHost: '192.0.2.9',
  DownstreamStatus: 200,
  RequestMethod: 'GET',
  RequestPath: '/t',
  StartLocal: '2026-11-25T13:55:36.1+01:00',
  StartUTC: '2026-11-25T12:55:36.123456789Z',
  'request_User-Agent': 'T',
  time: '2026-11-25T12:55:37Z',
};

test('lines as nginx, Caddy and traefik write them', () => {
  expect(json(nginxFields)(nginx)).toMatchObject({ url: '/a?b', address: '::1', status: 304, userAgent: 'UA "x"', at });
  const seen = { ...caddy, request: { ...caddyRequest, headers: { 'User-Agent': ['C'], Accept: ['a', 'b'] } } };
  expect(json(caddyFields)(seen)).toMatchObject({ url: '/a', address: '192.0.2.7', userAgent: 'C' });
  expect(json(caddyFields)(seen)?.at).toEqual(new Date('2026-11-25T12:55:36.250Z'));
  expect(json({ gpc: 'request_Sec-Gpc?', dnt: 'request_Dnt?' })(traefik)).toMatchObject({
    url: '/t',
    address: '192.0.2.9',
    userAgent: 'T',
    at: new Date('2026-11-25T12:55:36.123Z'),
  });
});

test('the documentation tells the names that are looked for', () => {
  const docs = readFileSync('docs/products.md', 'utf8');
  for (const names of Object.values(usualNames).filter(({ length }) => length > 0))
    expect(docs).toContain(names.map((name) => `\`${name}\``).join(', '));
});

test('objections in JSON', () => {
  const header = (headers: unknown) => ({ ...caddy, request: { ...caddyRequest, headers } });
  const read = json(caddyFields);
  expect(read(header({ 'Sec-Gpc': ['0'], Dnt: [] }))).toBeDefined();
  expect(read(header({ 'Sec-Gpc': ['1'] }))).toBeUndefined();
  expect(read(header({ Dnt: ['1'] }))).toBeUndefined();
  expect(read(header({ Dnt: ['0', '1'] }))).toBeUndefined();
  expect(read(header({ Dnt: ['0', { a: 1 }] }))).toBeUndefined();
  expect(read(header({ Dnt: { a: 1 } }))).toBeUndefined();
  expect(read({ ...caddy, request: { ...caddyRequest, headers: undefined } })).toBeUndefined();
  for (const value of ['1', 1, true, 'x', ' ', '\u0031'])
    expect(json(nginxFields)({ ...nginx, http_dnt: value })).toBeUndefined();
  for (const value of ['', '-', '0', 0, null]) expect(json(nginxFields)({ ...nginx, http_dnt: value })).toBeDefined();
  expect(json(nginxFields)({ ...nginx, http_dnt: undefined })).toBeUndefined();
});

test('JSON: keys of its own, a request line, escapes, torn lines', () => {
  const own = json({ ...nginxFields, path: 'p.q', request: 'line' });
  expect(own({ ...nginx, p: { q: '/own' } })?.url).toBe('/own');
  const { request_method: _, request_uri: __, ...rest } = nginx;
  expect(own({ ...rest, line: 'GET /r HTTP/1.1' })).toMatchObject({ method: 'GET', url: '/r' });
  expect(json(nginxFields)({ ...rest, request: 'GET /r HTTP/1.1' })?.url).toBe('/r');
  const escaped = JSON.stringify(nginx).replace('/a?b', '\\/a\\u00e4\\"');
  expect(json(nginxFields)(escaped)?.url).toBe('/aä"');
  const line = JSON.stringify(nginx);
  expect(json(nginxFields)(line)).toBeDefined();
  for (let end = 0; end < line.length; end += 1) expect(json(nginxFields)(line.slice(0, end))).toBeUndefined();
  expect(json(nginxFields)(`${line}${line}`)).toBeUndefined();
  expect(json(nginxFields)(`{"a":${'['.repeat(5000)}`)).toBeUndefined();
  expect(json(nginxFields)(`{"a":${'{"a":'.repeat(5000)}`)).toBeUndefined();
});

test.each([
  [1795611336, '2026-11-25T12:55:36.000Z'],
  [1795611336123, '2026-11-25T12:55:36.123Z'],
  ['1795611336.5', '2026-11-25T12:55:36.500Z'],
  [1795611336123456, '2026-11-25T12:55:36.123Z'],
  ['1795611336123456789', '2026-11-25T12:55:36.123Z'],
  ['2026-11-25T12:55:36Z', '2026-11-25T12:55:36.000Z'],
  ['2026-11-25 06:25:36-0630', '2026-11-25T12:55:36.000Z'],
  [time, '2026-11-25T12:55:36.000Z'],
  ['2026-02-30T12:55:36Z', undefined],
  ['2026-11-25T12:55:36', undefined],
  ['yesterday evening', undefined],
  ['', undefined],
])('time %s', (written, expected) => {
  expect(json(nginxFields)({ ...nginx, time_iso8601: written })?.at.toISOString()).toBe(expected);
});

const anyByte = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const pieces = fc.constantFrom(
  ...'"\\ []{}:,-/?'.split(''),
  '"-" "-"',
  usual,
  'GET / HTTP/1.1',
  '\\x',
  '\\u12',
  '\0',
  'é',
);
const garbage = fc.oneof(
  anyByte,
  fc.array(pieces, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
);

test('garbage is never an error', () => {
  const readers = [text('combined'), text('common'), json(nginxFields), json(caddyFields)];
  fc.assert(
    fc.property(garbage, (bytes) => {
      for (const read of readers) read(bytes as never);
    }),
    { numRuns: 5000 },
  );
});

test('a real line with a byte changed is never read past its end', () => {
  const lines = [usual, JSON.stringify(nginx), JSON.stringify(caddy)];
  fc.assert(
    fc.property(fc.constantFrom(...lines), fc.nat(), fc.nat(255), fc.nat(), (line, place, byte, cut) => {
      const bytes = Buffer.from(line);
      bytes[place % bytes.length] = byte;
      const part = bytes.subarray(0, bytes.length - (cut % 3 === 0 ? cut % bytes.length : 0));
      for (const read of [combined, json(nginxFields), json(caddyFields)]) {
        const seen = read(part as never);
        expect(String(seen?.url).length + String(seen?.userAgent).length).toBeLessThan(2 * line.length + 20);
      }
    }),
    { numRuns: 5000 },
  );
});

/** A second way, with a library's parser: what is written by JSON.stringify is read as JSON.parse would. */
test('thousands of generated lines say what was put into them', () => {
  const word = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 40 })
    .map((one) => one.replace(/\p{Surrogate}/gu, '?'));
  const line = fc.record({
    path: word.map((one) => `/${one}`),
    agent: word,
    address: fc.oneof(fc.ipV4(), fc.ipV6()),
    seconds: fc.integer({ min: 0, max: 4_000_000_000 }),
    status: fc.integer({ min: 100, max: 599 }),
    gpc: fc.constantFrom('', '-', '0', '1', 'true'),
    dnt: fc.constantFrom('', '-', '0', '1'),
    extra: fc.dictionary(word, fc.jsonValue()),
  });
  const readJson = json({
    ...nginxFields,
    time: 'time',
    agent: 'agent',
    path: 'path',
    address: 'address',
    status: 'status',
  });
  fc.assert(
    fc.property(line, ({ path, agent, address, seconds, status, gpc, dnt, extra }) => {
      const written = {
        path,
        agent,
        address,
        status,
        time: seconds,
        http_sec_gpc: gpc,
        http_dnt: dnt,
        request_method: 'GET',
      };
      const fits = Object.keys(extra).every((key) => !(key in written) && key !== '__proto__');
      const seen = readJson({ ...(fits ? { extra } : {}), ...written });
      const isFree = gpc !== '1' && gpc !== 'true' && dnt !== '1';
      const at = new Date(seconds < 100_000_000 ? Number.NaN : seconds * 1000);
      const expected = { method: 'GET', url: path, address, userAgent: agent, status, at };
      if (seconds >= 100_000_000) expect(seen).toEqual(isFree ? expected : undefined);
      const escaped = (one: string): string =>
        one.replace(/["\\\p{Cc}]/gu, (c) =>
          [...Buffer.from(c)].map((b) => `\\x${b.toString(16).padStart(2, '0')}`).join(''),
        );
      const when = clf(new Date(seconds * 1000));
      const plain = `${address} - - [${when}] "GET ${escaped(path)} HTTP/1.1" ${status} 1 "-" "${escaped(agent)}" "${gpc}" "${dnt}"`;
      const read = combined(plain);
      expect(read === undefined).toBe(!isFree);
      if (read !== undefined && !/[\u0080-\u009f]/.test(path + agent)) {
        expect(read).toEqual({ ...expected, at: new Date(seconds * 1000) });
      }
    }),
    { numRuns: 2000 },
  );
});

const clf = (at: Date): string => {
  const [, day, month, year, clock] = at.toUTCString().match(/(\d\d) (\w{3}) (\d{4}) ([\d:]{8})/) ?? [];
  return `${day}/${month}/${year}:${clock} +0000`;
};

test('the filter never refuses what a route would take', () => {
  const segment = fc.constantFrom('a', 'b', 'email', ':id', '*', '', 'a*', 'ä', '%20');
  const path = fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
  const routes = fc.array(
    path.map((one) => `GET ${one}`),
    { minLength: 1, maxLength: 5 },
  );
  const url = fc.tuple(path, fc.constantFrom('', '/', '?q', '/?q', '#f')).map((parts) => parts.join(''));
  fc.assert(
    fc.property(routes, url, (list, asked) => {
      const bytes = Buffer.from(asked);
      const taken = compileRoutes([{ routes: list }])('GET', asked) !== undefined;
      if (taken) expect(makeRouteFilter([{ routes: list }])(bytes, 'GET', 0, bytes.length)).toBe(true);
    }),
    { numRuns: 3000 },
  );
  const filter = makeRouteFilter(counters);
  const fits = (asked: string): boolean => filter(Buffer.from(asked), 'GET', 0, Buffer.from(asked).length);
  expect(['/', '/email', '/email/', '/email/7?x'].map(fits)).toEqual([true, true, true, true]);
  expect(['/style.css', '/emails', '/files/1', '/e'].map(fits)).toEqual([false, false, false, false]);
});
