/** Delivery against real servers, good and bad: whether bytes may have left is never told wrongly, and all of it ends in time. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { type Delivery, type DeliveryRequest, deliver, refusesUrl } from '../../src/system/deliver.ts';
import { makeIdentity, ok, receiver, rude } from '../support/receiver.ts';
import { freePort, sandbox } from '../support/sandbox.ts';

const body = Buffer.from('{"resourceMetrics":[]}');
const send = (url: string, changes: Partial<DeliveryRequest> = {}): Promise<Delivery> =>
  deliver({
    url,
    body,
    contentType: 'application/json',
    timeoutMs: 20_000,
    maxBytes: 64 * 1024,
    beforeFirstByte: () => true,
    ...changes,
  });

test('the bytes arrive as they are, with nothing else that tells who sent them', async () => {
  const { url, received } = await receiver();
  expect(await send(url)).toEqual({ kind: 'answered', status: 200, retryAfter: undefined });
  expect(received).toHaveLength(1);
  expect(received[0]!.body.equals(body)).toBe(true);
  expect(received[0]!.url).toBe('/v1/metrics');
  expect(received[0]!.headers).toEqual({
    host: new URL(url).host,
    'content-type': 'application/json',
    'content-length': String(body.length),
    'user-agent': 'Assent',
    connection: 'close',
  });
});

test('by TLS, where the certificate can be trusted', async () => {
  const identity = makeIdentity();
  const { url, received } = await receiver(ok, identity);
  expect(await send(url, { authorities: [identity.cert] })).toMatchObject({ kind: 'answered', status: 200 });
  expect(await send(url.replace('127.0.0.1', 'localhost'), { authorities: [identity.cert] })).toMatchObject({
    kind: 'answered',
  });
  expect(received).toHaveLength(2);
});

test('a certificate that nobody vouches for, or of another name, gets nothing', async () => {
  const other = makeIdentity('DNS:example.org');
  const { url, received } = await receiver(ok, other);
  const asked: string[] = [];
  const beforeFirstByte = () => asked.push('asked') > 0;
  expect(await send(url, { beforeFirstByte })).toMatchObject({ kind: 'unsent' });
  expect(await send(url, { authorities: [other.cert], beforeFirstByte })).toMatchObject({
    kind: 'unsent',
    why: expect.stringMatching(/127\.0\.0\.1|altnames/i),
  });
  expect(received).toEqual([]);
  expect(asked).toEqual([]);
});

const child = (env: Record<string, string>, url: string): string => {
  const script = join(sandbox(), 'send.ts');
  writeFileSync(
    script,
    `import { deliver } from ${JSON.stringify(resolve('src/system/deliver.ts'))};
     console.log(JSON.stringify(await deliver({ url: ${JSON.stringify(url)}, body: Buffer.from('{}'), contentType: 'application/json',
       timeoutMs: 20_000, maxBytes: 65536, beforeFirstByte: () => true })));`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, ['--experimental-strip-types', script], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
    timeout: 60_000,
  });
  return stdout + stderr;
};

test('NODE_TLS_REJECT_UNAUTHORIZED weakens nothing, NODE_EXTRA_CA_CERTS adds an authority', async () => {
  // The children are waited for synchronously, so the recipient has to be a process of its own.
  const identity = makeIdentity();
  const folder = sandbox();
  const port = await freePort();
  writeFileSync(join(folder, 'cert.pem'), identity.cert);
  writeFileSync(join(folder, 'key.pem'), identity.key);
  const { spawn } = await import('node:child_process');
  const server = spawn(
    process.execPath,
    [
      '-e',
      `require('https').createServer({ key: require('fs').readFileSync('key.pem'), cert: require('fs').readFileSync('cert.pem') },
       (q, s) => q.resume().on('end', () => s.end('{}'))).listen(${port}, '127.0.0.1', () => console.log('up'))`,
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    await new Promise((done) => server.stdout.once('data', done));
    const url = `https://127.0.0.1:${port}/`;
    expect(child({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, url)).toContain('"unsent"');
    expect(child({ NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem') }, url)).toContain('"answered"');
  } finally {
    server.kill('SIGKILL');
  }
});

test.each([
  ['nobody listens', async () => `http://127.0.0.1:${await freePort()}/`],
  ['there is no such name', async () => 'https://nobody.invalid/'],
  ['it does not speak TLS', async () => (await receiver()).url.replace('http:', 'https:')],
  ['it says nothing to our hello', async () => (await rude(() => {}, 'connected')).url.replace('http:', 'https:')],
  ['it hangs up on our hello', async () => (await rude((socket) => socket.destroy())).url.replace('http:', 'https:')],
])('unsent: %s', async (_, urlOf) => {
  const delivery = await send(await urlOf(), { timeoutMs: 2_000, beforeFirstByte: () => expect.unreachable() });
  expect(delivery).toMatchObject({ kind: 'unsent' });
});

test('where the last word is no, or can not be had, not one byte is written', async () => {
  const { url, received } = await rude(() => {}, 'connected');
  expect(await send(url, { beforeFirstByte: () => false })).toEqual({ kind: 'withheld' });
  expect(
    await send(url, {
      beforeFirstByte: () => {
        throw new Error('no disk');
      },
    }),
  ).toEqual({ kind: 'withheld' });
  await new Promise((done) => setTimeout(done, 50));
  expect(received).toEqual([]);
});

const head =
  (text: string) =>
  (socket: Socket): void =>
    void socket.write(text.replaceAll('\n', '\r\n'));
const drip = (socket: Socket): void => {
  socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
  const timer = setInterval(() => socket.write('x'), 20);
  socket.on('close', () => clearInterval(timer));
};
const flood = (socket: Socket): void => {
  socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  const more = (): void => {
    while (!socket.destroyed && socket.write(`1000\r\n${'x'.repeat(4096)}\r\n`));
  };
  socket.on('drain', more);
  more();
};
const headers = (socket: Socket): void => {
  socket.write('HTTP/1.1 200 OK\r\n');
  const timer = setInterval(() => socket.write(`X-${'y'.repeat(4000)}: ${'z'.repeat(4000)}\r\n`), 1);
  socket.on('close', () => clearInterval(timer));
};
const continues = (socket: Socket): void => {
  const timer = setInterval(() => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), 5);
  socket.on('close', () => clearInterval(timer));
};

test.each([
  ['it never answers', () => {}],
  ['it hangs up', (socket: Socket): void => void socket.destroy()],
  ['it resets', (socket: Socket): void => void socket.resetAndDestroy()],
  [
    'it resets behind its head',
    (socket: Socket): void => {
      head('HTTP/1.1 200 OK\nContent-Length: 9\n\n')(socket);
      setTimeout(() => socket.resetAndDestroy(), 30);
    },
  ],
  [
    'its answer is shorter than it says',
    (socket: Socket): void => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'),
  ],
  [
    'its chunks break off',
    (socket: Socket): void => void socket.end('HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab'),
  ],
  ['its length is nonsense', head('HTTP/1.1 200 OK\nContent-Length: -5\n\n')],
  ['it is no HTTP', head('220 mail.example.org ESMTP\n')],
  ['it changes the protocol', head('HTTP/1.1 101 Switching Protocols\nUpgrade: x\nConnection: Upgrade\n\n')],
  ['it drips for ever', drip],
  ['it never ends', flood],
  ['its head never ends', headers],
  ['it says "continue" for ever', continues],
] as const)('uncertain: %s', async (_, behave) => {
  const { url, received } = await rude(behave as (socket: Socket) => void);
  expect(await send(url, { timeoutMs: 2_000 })).toMatchObject({ kind: 'uncertain' });
  expect(received).toHaveLength(1);
});

test('what it answers is told as it is, a redirect too, and is followed nowhere', async () => {
  const elsewhere = await receiver();
  const { url } = await receiver((response) => response.writeHead(307, { location: elsewhere.url }).end());
  expect(await send(url)).toMatchObject({ kind: 'answered', status: 307 });
  const busy = await receiver((response) => response.writeHead(429, { 'retry-after': '120' }).end('later'));
  expect(await send(busy.url)).toEqual({ kind: 'answered', status: 429, retryAfter: '120' });
  expect(elsewhere.connections()).toBe(0);
});

test.each([
  ['https://example.org/v1/metrics', undefined],
  ['http://127.0.0.1:4318/', undefined],
  ['http://127.8.9.1/', undefined],
  ['http://[::1]:4318/', undefined],
  ['http://example.org/', 'not https'],
  ['http://localhost/', 'not https'],
  ['http://127.0.0.1.example.org/', 'not https'],
  ['http://[::ffff:127.0.0.1]/', 'not https'],
  ['ftp://127.0.0.1/', 'not https'],
  ['file:///etc/passwd', 'not https'],
  ['https://user:word@example.org/', 'password'],
  ['nonsense', 'no address'],
])('%s: %s', async (url, why) => {
  if (why === undefined) expect(refusesUrl(url)).toBeUndefined();
  else {
    expect(refusesUrl(url)).toContain(why);
    expect(await send(url)).toMatchObject({ kind: 'unsent' });
  }
});

test('what is given up before the first byte is withheld, also in the middle of a connection that is being made', async () => {
  const given = new AbortController();
  const silent = await rude(() => given.abort());
  const url = silent.url.replace('http:', 'https:');
  expect(await send(url, { giveUp: given.signal })).toEqual({ kind: 'withheld' });
  const { url: other, received } = await receiver();
  expect(await send(other, { giveUp: AbortSignal.abort() })).toEqual({ kind: 'withheld' });
  expect(received).toEqual([]);
});

test('what is given up behind the first byte is brought to its end', async () => {
  const given = new AbortController();
  const { url } = await receiver((response) => {
    given.abort();
    setTimeout(() => response.writeHead(200).end('{}'), 50);
  });
  expect(await send(url, { giveUp: given.signal })).toMatchObject({ kind: 'answered', status: 200 });
});
