/** Recipients of reports for tests: real ones with a certificate made on the spot, and ones that misbehave. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { sandbox } from './sandbox.ts';

export interface Received {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** How many connections were made. */
  connections(): number;
}

type Answer = (response: ServerResponse, received: Received) => void;

export interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** A key and a certificate signed by itself, for these names (`DNS:localhost`, `IP:127.0.0.1`). */
export const makeIdentity = (names = 'IP:127.0.0.1,DNS:localhost'): Identity => {
  const folder = sandbox();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const { status, stderr } = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '36500'],
    ...['-keyout', key, '-out', cert, '-subj', '/CN=recipient', '-addext', `subjectAltName=${names}`],
  ]);
  if (status !== 0) throw new Error(String(stderr));
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
};

export const ok: Answer = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}');

/** An OTLP receiver: keeps what came, and answers as told. */
export const receiver = async (answer: Answer = ok, identity?: Identity): Promise<Receiver> => {
  const received: Received[] = [];
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url = '', headers, rawHeaders } = request;
      const one = { url, headers, rawHeaders, body: Buffer.concat(chunks) };
      received.push(one);
      answer(response, one);
    });
  };
  const server = identity === undefined ? createServer(take) : createSecureServer(identity, take);
  let connections = 0;
  server.on('connection', () => (connections += 1));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const scheme = identity === undefined ? 'http' : 'https';
  return { url: `${scheme}://127.0.0.1:${port}/v1/metrics`, received, connections: () => connections };
};

/** Speaks TCP as told, once something has come in (or at once). */
export const rude = async (
  behave: (socket: Socket) => void,
  when: 'asked' | 'connected' = 'asked',
): Promise<Receiver> => {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (when === 'connected') behave(socket);
    socket.once('data', (body) => {
      received.push({ url: '', headers: {}, rawHeaders: [], body });
      if (when === 'asked') behave(socket);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/v1/metrics`, received, connections: () => sockets.size };
};
