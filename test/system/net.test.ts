import { spawn } from 'node:child_process';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { httpRequest, portHolder, tcpDialogue } from '../../src/system/net.ts';
import { freePort, freePorts } from '../support/sandbox.ts';

const listen = async (server: Server, address = '127.0.0.1', port = 0): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
};

/** A server that speaks plain bytes: what servers do wrong can't be said with an HTTP library. */
const rawServer = async (onConnection: (socket: Socket) => void): Promise<number> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return listen(server);
};

const httpServer = async (listener: RequestListener) => `http://127.0.0.1:${await listen(createHttpServer(listener))}`;

describe('portHolder', () => {
  test('a free port is free, again and again', async () => {
    const port = await freePort();
    expect(await portHolder('127.0.0.1', port)).toEqual({ free: true });
    expect(await portHolder('127.0.0.1', port)).toEqual({ free: true });
    expect(await portHolder('0.0.0.0', port)).toEqual({ free: true });
  });

  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '0.0.0.0'],
    ['0.0.0.0', '127.0.0.1'],
    ['::', '127.0.0.1'],
  ])('names another process: it listens on %s, we ask for %s', async (theirs, ours) => {
    const code = `require('node:net').createServer().listen(0, '${theirs}', function () { console.log(this.address().port) })`;
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const port = await new Promise<number>((resolve) => child.stdout.once('data', (data) => resolve(Number(data))));
    const state = await portHolder(ours, port);
    expect(state).toEqual({
      free: false,
      why: 'taken',
      by: expect.stringMatching(new RegExp(`^\\S+ \\(process ${child.pid}\\)$`)),
    });
  });

  test('tells the listener on this address from one on another', async () => {
    const server = createServer();
    const port = await listen(server, '127.0.0.2', await freePort());
    expect(await portHolder('127.0.0.1', port)).toEqual({ free: true });
    expect(await portHolder('127.0.0.2', port)).toMatchObject({ free: false, why: 'taken' });
  });

  test('an address of another machine is none of ours', async () => {
    expect(await portHolder('192.0.2.1', 8080)).toEqual({ free: false, why: 'no-such-address' });
  });

  test('many free ports are different ones', async () => {
    expect(new Set(await freePorts(20)).size).toBe(20);
  });
});

describe('httpRequest', () => {
  test('sends what it is given and gives back what comes', async () => {
    const url = await httpServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        response.writeHead(201, { 'x-one': 'a', 'set-cookie': ['b=1', 'c=2'] });
        response.end(
          JSON.stringify({
            method: request.method,
            path: request.url,
            body,
            kind: request.headers['content-type'],
            encoding: request.headers['accept-encoding'],
          }),
        );
      });
    });
    const answer = await httpRequest({
      url: `${url}/a?b=c`,
      method: 'POST',
      headers: { 'content-type': 'text/x' },
      body: 'ä',
      timeoutMs: 5000,
    });
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({ 'x-one': 'a', 'set-cookie': 'b=1, c=2' });
    expect(JSON.parse(answer.body)).toEqual({
      method: 'POST',
      path: '/a?b=c',
      body: 'ä',
      kind: 'text/x',
      encoding: 'identity',
    });
  });

  test('follows nothing', async () => {
    const url = await httpServer((_request, response) =>
      response.writeHead(302, { location: '/elsewhere' }).end('moved'),
    );
    expect(await httpRequest({ url, timeoutMs: 5000 })).toMatchObject({
      status: 302,
      headers: { location: '/elsewhere' },
      body: 'moved',
    });
  });

  test('an answer that drips is over at the deadline', async () => {
    const port = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const timer = setInterval(() => socket.write('.'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    await expect(httpRequest({ url: `http://127.0.0.1:${port}/`, timeoutMs: 200 })).rejects.toMatchObject({
      code: 'ETIMEDOUT',
    });
  });

  test('so is a connection without an answer', async () => {
    const port = await rawServer(() => {});
    await expect(httpRequest({ url: `http://127.0.0.1:${port}/`, timeoutMs: 100 })).rejects.toMatchObject({
      code: 'ETIMEDOUT',
    });
  });

  test('an endless answer ends at the limit', async () => {
    const url = await httpServer((_request, response) => {
      const timer = setInterval(() => response.write('x'.repeat(10_000)), 1);
      response.on('close', () => clearInterval(timer));
    });
    await expect(httpRequest({ url, timeoutMs: 10_000, maxBytes: 50_000 })).rejects.toMatchObject({ code: 'EMSGSIZE' });
  });

  test('an answer that breaks off, or is no HTTP, is an error', async () => {
    const half = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'));
    await expect(httpRequest({ url: `http://127.0.0.1:${half}/`, timeoutMs: 5000 })).rejects.toThrow();
    const smtp = await rawServer((socket) => socket.end('220 hello\r\n'));
    await expect(httpRequest({ url: `http://127.0.0.1:${smtp}/`, timeoutMs: 5000 })).rejects.toThrow();
    const closed = await freePort();
    await expect(httpRequest({ url: `http://127.0.0.1:${closed}/`, timeoutMs: 5000 })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  test('what is no address of the web is an error, not a crash', async () => {
    await expect(httpRequest({ url: 'not a url', timeoutMs: 100 })).rejects.toThrow(/Invalid URL/);
    await expect(httpRequest({ url: 'ftp://127.0.0.1/', timeoutMs: 100 })).rejects.toThrow(/protocol/i);
  });
});

describe('tcpDialogue', () => {
  test('speaks by lines, however they arrive', async () => {
    const port = await rawServer((socket) => {
      socket.write('220 mail.exa');
      setTimeout(() => socket.write('mple ESMTP\r\n'), 20);
      socket.on('data', (data) => {
        if (String(data) === 'EHLO me\r\n') socket.write('250-mail.example\r\n250-SIZE 1000\r\n250 OK\r\n');
        if (String(data) === 'QUIT\r\n') socket.end('221 bye\r\n');
      });
    });
    const said = await tcpDialogue({
      host: '127.0.0.1',
      port,
      timeoutMs: 5000,
      script: async ({ readLine, readReply, write }) => {
        const banner = await readLine();
        await write('EHLO me\r\n');
        const hello = await readReply();
        await write('QUIT\r\n');
        return { banner, hello, bye: await readReply() };
      },
    });
    expect(said).toEqual({
      banner: '220 mail.example ESMTP',
      hello: { code: 250, lines: ['mail.example', 'SIZE 1000', 'OK'] },
      bye: { code: 221, lines: ['bye'] },
    });
  });

  const read = (port: number, timeoutMs = 5000) =>
    tcpDialogue({ host: '127.0.0.1', port, timeoutMs, script: ({ readReply }) => readReply() });

  test('silence, hanging up, nobody there and babble are errors with their codes', async () => {
    await expect(read(await rawServer(() => {}), 100)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await expect(read(await rawServer((socket) => socket.end('220-half\r\n')))).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    await expect(read(await freePort())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(read(await rawServer((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n')))).rejects.toMatchObject(
      { code: 'EPROTO' },
    );
    await expect(read(await rawServer((socket) => socket.write('x'.repeat(200_000))))).rejects.toMatchObject({
      code: 'EMSGSIZE',
    });
  });

  test('what fails in the script fails the conversation; one that waits for something else is ended, too', async () => {
    const port = await rawServer((socket) => socket.write('220 hello\r\n'));
    const throwing = tcpDialogue({
      host: '127.0.0.1',
      port,
      timeoutMs: 5000,
      script: () => Promise.reject(new Error('not what I wanted')),
    });
    await expect(throwing).rejects.toThrow('not what I wanted');
    const waiting = tcpDialogue({ host: '127.0.0.1', port, timeoutMs: 100, script: () => new Promise(() => {}) });
    await expect(waiting).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });
});
