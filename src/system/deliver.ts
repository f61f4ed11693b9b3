/**
 * Delivers one document by POST, and knows what may have left the machine. The connection is made first, TLS with its certificate included;
 * then `beforeFirstByte` is asked, synchronously, and only on its yes is anything written. So whatever went wrong is either before the first byte
 * (`unsent`, `withheld`) or may have been taken by the other side (`answered`, `uncertain`), never something between.
 *
 * Certificates are always verified: no variable of the environment weakens that (NODE_EXTRA_CA_CERTS may add authorities). Plain HTTP goes to loopback
 * addresses only. Nothing is followed, kept alive or tried again; one deadline is for all of it; nothing of the host is in the request.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { messageOf } from '../errors.ts';
import { codeOf } from './files.ts';

export interface DeliveryRequest {
  readonly url: string;
  readonly body: Uint8Array;
  readonly contentType: string;
  /** For everything, from the name look-up to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Head and body of the answer each; a longer one is unreadable. */
  readonly maxBytes: number;
  /** Certificates of authorities that count beside the system's, PEM. */
  readonly authorities?: readonly string[];
  /** Last word before the first byte: on false (or when it throws) nothing is written. */
  readonly beforeFirstByte: () => boolean;
  /** Once aborted, no first byte is written: a connection that is still being made is given up. */
  readonly giveUp?: AbortSignal;
}

export type Delivery =
  /** Nothing was written: no such name, refused, no TLS, a certificate that is not theirs, or the deadline. */
  | { readonly kind: 'unsent'; readonly why: string }
  /** `beforeFirstByte` said no, or it was given up before. */
  | { readonly kind: 'withheld' }
  /** A whole answer came. */
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfter: string | undefined }
  /** Something was written and no whole answer came. */
  | { readonly kind: 'uncertain'; readonly why: string };

const userAgent = 'Assent';

/** Why nothing may be delivered there, or undefined: https, or http to a literal address of loopback; and no login in it. */
export const refusesUrl = (text: string): string | undefined => {
  if (!URL.canParse(text)) return 'it is no address';
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return 'it has a user or a password in it';
  if (protocol === 'https:') return undefined;
  if (protocol !== 'http:') return 'it is not https';
  return isLoopback(hostname) ? undefined : 'it is not https, and http goes to 127.0.0.0/8 and [::1] only';
};

/** Never throws; what `beforeFirstByte` throws is a no. */
export const deliver = (request: DeliveryRequest): Promise<Delivery> => {
  const refusal = refusesUrl(request.url);
  if (refusal !== undefined) return Promise.resolve({ kind: 'unsent', why: `${request.url}: ${refusal}` });
  return new Promise((resolve) => {
    const url = new URL(request.url);
    let isWriting = false;
    let socket: Socket | undefined;
    const end = (delivery: Delivery): void => {
      clearTimeout(timer);
      resolve(delivery);
      socket?.destroy();
    };
    const fail = (why: string): void => end({ kind: isWriting ? 'uncertain' : 'unsent', why });
    const timer = setTimeout(() => fail(`no complete answer within ${request.timeoutMs} ms`), request.timeoutMs);
    try {
      socket = connect(url, request.authorities);
    } catch (error) {
      fail(messageOf(error));
      return;
    }
    const connected = socket;
    request.giveUp?.addEventListener('abort', () => isWriting || end({ kind: 'withheld' }));
    connected.on('error', (error) => fail(reasonOf(error)));
    connected.on('close', () => fail('the connection was closed'));
    connected.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      if (request.giveUp?.aborted === true || !allows(request)) return end({ kind: 'withheld' });
      isWriting = true;
      post(url, request, connected, end, fail);
    });
  });
};

const connect = (url: URL, authorities: readonly string[] | undefined): Socket => {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const { isIP, connect: plain } = process.getBuiltinModule('node:net');
  if (url.protocol === 'http:') return plain({ host, port: Number(url.port || 80) });
  const { connect: secure, getCACertificates, rootCertificates } = process.getBuiltinModule('node:tls');
  const known = (): readonly string[] => getCACertificates?.('default') ?? rootCertificates;
  return secure({
    host,
    port: Number(url.port || 443),
    servername: isIP(host) ? '' : host,
    // Said here, NODE_TLS_REJECT_UNAUTHORIZED is not asked.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    ...(authorities === undefined ? {} : { ca: [...known(), ...authorities] }),
  });
};

const allows = ({ beforeFirstByte }: DeliveryRequest): boolean => {
  try {
    return beforeFirstByte();
  } catch {
    return false;
  }
};

const post = (
  url: URL,
  { body, contentType, maxBytes }: DeliveryRequest,
  socket: Socket,
  end: (delivery: Delivery) => void,
  fail: (why: string) => void,
): void => {
  const outgoing = process.getBuiltinModule('node:http').request({
    method: 'POST',
    path: `${url.pathname}${url.search}`,
    headers: {
      host: url.host,
      'content-type': contentType,
      'content-length': body.length,
      'user-agent': userAgent,
      connection: 'close',
    },
    maxHeaderSize: maxBytes,
    createConnection: () => socket,
  });
  outgoing.on('error', (error) => fail(reasonOf(error)));
  outgoing.on('response', (incoming) => readAnswer(incoming, maxBytes, end, fail));
  // Another protocol was not asked for.
  outgoing.on('upgrade', () => fail('the answer is another protocol'));
  outgoing.end(body);
};

const readAnswer = (
  incoming: IncomingMessage,
  maxBytes: number,
  end: (delivery: Delivery) => void,
  fail: (why: string) => void,
): void => {
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) fail(`the answer is longer than ${maxBytes} bytes`);
  });
  incoming.on('error', (error) => fail(reasonOf(error)));
  incoming.on('end', () => {
    if (!incoming.complete) return fail('the answer is incomplete');
    end({ kind: 'answered', status: incoming.statusCode ?? 0, retryAfter: incoming.headers['retry-after'] });
  });
};

/** Where several addresses were tried, the error that holds them all says nothing itself. */
const reasonOf = (error: Error): string => {
  const [first] = error instanceof AggregateError ? (error.errors as Error[]) : [];
  const code = codeOf(error);
  return (first ?? error).message || code || 'the connection failed';
};

const isLoopback = (hostname: string): boolean => /^127\.\d+\.\d+\.\d+$/.test(hostname) || hostname === '[::1]';
