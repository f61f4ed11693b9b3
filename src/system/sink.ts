/**
 * Listeners that take whatever comes and note it: for networks of our own that lead nowhere (namespace.ts). They listen at all addresses, answer
 * quickly so that nobody waits, and keep no more than the beginning of what was said.
 */
import type { Socket } from 'node:net';

export interface Caught {
  readonly address: string;
  readonly port: number;
  bytes: number;
  /** The first bytes, as Latin-1. */
  said: string;
}

export interface Sink {
  readonly close: () => Promise<void>;
}

const keptBytes = 4096;

/** Answers datagrams and, on the same port, TCP messages with a length before them, as name servers do. */
export const nameSink = async (
  port: number,
  answer: (query: Buffer, to: string) => Buffer | undefined,
): Promise<Sink> => {
  const { createSocket } = process.getBuiltinModule('node:dgram');
  const socket = createSocket({ type: 'udp4' });
  socket.on('message', (query, from) => {
    const reply = answer(query, 'udp');
    if (reply) socket.send(reply, from.port, from.address, () => {});
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '0.0.0.0', resolve);
  });
  socket.on('error', () => {});
  const stream = await tcpListener(port, (connection) => {
    let held = Buffer.alloc(0);
    connection.on('data', (piece: Buffer) => {
      held = Buffer.concat([held, piece]);
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const length = held.readUInt16BE(0);
        const reply = answer(held.subarray(2, 2 + length), 'tcp');
        held = held.subarray(2 + length);
        if (reply) connection.write(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 255]), reply]));
      }
    });
  });
  return {
    close: async () => {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
      await stream.close();
    },
  };
};

/** Takes connections, notes what they say, and hangs up when they have been silent for a second. */
export const byteSink = (port: number, caught: Caught[]): Promise<Sink> =>
  tcpListener(port, (connection) => {
    const one = noteOf(connection, port);
    caught.push(one);
    connection.setTimeout(1000, () => connection.destroy());
    connection.on('data', (piece: Buffer) => keep(one, piece));
  });

/** Speaks HTTP, and says 200 and an empty JSON document to everything. */
export const httpSink = async (port: number, caught: Caught[]): Promise<Sink> => {
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer((request, response) => {
    const one = noteOf(request.socket, port);
    caught.push(one);
    one.said = `${request.method} ${request.url} HTTP/${request.httpVersion}\r\nHost: ${request.headers.host ?? ''}\r\n\r\n`;
    request.on('data', (piece: Buffer) => keep(one, piece));
    request.on('error', () => {});
    request.on('end', () =>
      response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end('{}'),
    );
  });
  server.on('clientError', (_, socket) => socket.destroy());
  await listening(server, port);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const noteOf = (socket: Socket, port: number): Caught => ({
  address: (socket.localAddress ?? '').replace(/^::ffff:/, ''),
  port,
  bytes: 0,
  said: '',
});

const keep = (one: Caught, piece: Buffer): void => {
  one.bytes += piece.length;
  if (one.said.length < keptBytes) one.said = (one.said + piece.toString('latin1')).slice(0, keptBytes);
};

const tcpListener = async (port: number, onConnection: (connection: Socket) => void): Promise<Sink> => {
  const { createServer } = process.getBuiltinModule('node:net');
  const open = new Set<Socket>();
  const server = createServer((connection) => {
    open.add(connection);
    connection.on('close', () => open.delete(connection));
    connection.on('error', () => {});
    onConnection(connection);
  });
  await listening(server, port);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of open) connection.destroy();
      }),
  };
};

const listening = (server: import('node:net').Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '0.0.0.0' }, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve();
    });
  });
