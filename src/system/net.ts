/**
 * The network as seen by checks: who has a port, what a server answers to HTTP, and a conversation by lines (SMTP).
 *
 * Every call has one deadline for all of it, not for each silence: a server that drips a byte a second must not hold a gate open.
 * Nothing is followed, kept alive, compressed or tried again, and an answer is never longer than asked for.
 */
import type { Socket } from 'node:net';
import { listenerOf } from './sockets.ts';

export interface PortState {
  readonly free: boolean;
  /** Why it isn't: somebody listens there, only root may use it, or the machine has no such address. */
  readonly why?: 'taken' | 'not-permitted' | 'no-such-address';
  /** Who listens there, as far as we may see: `nginx (process 812)`. */
  readonly by?: string;
}

export interface HttpRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For everything, from the connection to the last byte. */
  readonly timeoutMs: number;
  /** Default 4 MiB. A longer answer is an error. */
  readonly maxBytes?: number;
  /** From which of our own addresses; the system's choice where it is not said. */
  readonly localAddress?: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; several of one name are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Conversation {
  /** The next line, without its end. Throws when the server hangs up or says nothing until the deadline. */
  readLine(): Promise<string>;
  /** A reply of SMTP's form: lines `250-...` and a last one `250 ...`. */
  readReply(): Promise<{ code: number; lines: string[] }>;
  /** Sends the text as it is: line ends are the caller's. */
  write(text: string): Promise<void>;
}

/** Tries to listen there, which is the only sure answer, and names who does where it can't. */
export const portHolder = async (address: string, port: number): Promise<PortState> => {
  const code = await tryToListen(address, port);
  if (code === undefined) return { free: true };
  if (code === 'EACCES') return { free: false, why: 'not-permitted' };
  if (code !== 'EADDRINUSE') return { free: false, why: 'no-such-address' };
  const by = listenerOf(address, port);
  return { free: false, why: 'taken', ...(by === undefined ? {} : { by }) };
};

/** One request, one answer. Throws the system's error (ECONNREFUSED), ETIMEDOUT at the deadline, EMSGSIZE for an answer that is too long. */
export const httpRequest = async (request: HttpRequest): Promise<HttpAnswer> => {
  const url = new URL(request.url);
  const http =
    url.protocol === 'https:' ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http');
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers, body, timeoutMs, maxBytes = 4 * 1024 * 1024, localAddress } = request;
    const all = { 'accept-encoding': 'identity', connection: 'close', ...headers };
    const from = localAddress === undefined ? {} : { localAddress };
    const outgoing = http.request(url, { method, headers: all, agent: false, ...from });
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
      outgoing.destroy();
    };
    const timer = setTimeout(() => fail(withCode('ETIMEDOUT', `No complete answer within ${timeoutMs} ms`)), timeoutMs);
    outgoing.on('error', fail);
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes > maxBytes) fail(withCode('EMSGSIZE', `The answer is longer than ${maxBytes} bytes`));
      });
      incoming.on('error', fail);
      incoming.on('end', () => {
        clearTimeout(timer);
        const plain = Object.entries(incoming.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: Object.fromEntries(plain) as Record<string, string>,
          body: Buffer.concat(chunks).toString('utf8'),
        });
      });
    });
    outgoing.end(body);
  });
};

/** Connects, holds the conversation, hangs up; the deadline is for all of it. Gives back what the script returns. */
export const tcpDialogue = <T>(options: {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly script: (conversation: Conversation) => Promise<T>;
}): Promise<T> => {
  const { host, port, timeoutMs, script } = options;
  const { connect } = process.getBuiltinModule('node:net');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const { conversation, fail } = converse(socket);
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const failAll = (error: Error) => {
      fail(error);
      finish(() => reject(error));
    };
    const timer = setTimeout(
      () => failAll(withCode('ETIMEDOUT', `No end of the conversation within ${timeoutMs} ms`)),
      timeoutMs,
    );
    socket.on('error', failAll);
    socket.on('connect', () => {
      script(conversation).then(
        (value) => finish(() => resolve(value)),
        (error: unknown) => finish(() => reject(error)),
      );
    });
  });
};

const maxLine = 64 * 1024;

/** Lines are kept until they are asked for; one reader at a time. */
const converse = (socket: Socket): { conversation: Conversation; fail: (error: Error) => void } => {
  const lines: string[] = [];
  let rest = '';
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const fail = (error: Error) => {
    failure ??= error;
    wake?.();
  };
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => line.replace(/\r$/, '')));
    if (rest.length > maxLine || lines.length > maxLine)
      socket.destroy(withCode('EMSGSIZE', 'The server says too much at once'));
    wake?.();
  });
  socket.on('close', () => fail(withCode('ECONNRESET', 'The server closed the connection')));
  const readLine = async (): Promise<string> => {
    for (;;) {
      const line = lines.shift();
      if (line !== undefined) return line;
      if (failure) throw failure;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const write = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      if (failure) return reject(failure);
      socket.write(text, (error) => (error ? reject(error) : resolve()));
    });
  return { conversation: { readLine, readReply: () => readReply(readLine), write }, fail };
};

const readReply = async (readLine: () => Promise<string>): Promise<{ code: number; lines: string[] }> => {
  const lines: string[] = [];
  for (;;) {
    const line = await readLine();
    const [, code, more, text] = /^(\d{3})([ -]?)(.*)$/.exec(line) ?? [];
    if (code === undefined) throw withCode('EPROTO', `Not a reply: ${JSON.stringify(line.slice(0, 200))}`);
    lines.push(text ?? '');
    if (more !== '-') return { code: Number(code), lines };
  }
};

const tryToListen = (address: string, port: number): Promise<string | undefined> => {
  const { createServer } = process.getBuiltinModule('node:net');
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (error) => resolve('code' in error ? String(error.code) : 'unknown'));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
};

const withCode = (code: string, message: string): Error => Object.assign(new Error(message), { code });
