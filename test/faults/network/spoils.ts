/** What can be wrong with an answer of a registry, and what the command has to say about it. */

import type { ServerResponse } from 'node:http';
import type { Chance } from '../chance.ts';
import type { Archive, Spoil } from './registry.ts';

export interface Trouble {
  readonly code: 'verification-failed' | 'download-failed' | 'none';
  /** What the message has to name. */
  readonly says: RegExp;
  /** It ends only with the deadline for a silent host: too long for the quick tier. */
  readonly waits?: true;
  readonly spoil: (chance: Chance, archives: readonly Archive[]) => Spoil;
}

const other = /is something else: expected sha512-/;
const silent = /came for 60 seconds/;

const send = (response: ServerResponse, bytes: Buffer, status = 200): void =>
  void response.writeHead(status, { 'content-length': bytes.length }).end(bytes);

const status = (code: number, headers: Record<string, string> = {}): Trouble => ({
  code: 'download-failed',
  says: new RegExp(`${code}`),
  spoil: () => (response) => void response.writeHead(code, headers).end('{}'),
});

export const troubles: Readonly<Record<string, Trouble>> = {
  flipped: {
    code: 'verification-failed',
    says: other,
    spoil:
      (chance) =>
      (response, { bytes }) => {
        const flipped = Buffer.from(bytes);
        const at = chance.whole(bytes.length);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << chance.whole(8));
        send(response, flipped);
      },
  },
  truncated: {
    code: 'verification-failed',
    says: other,
    spoil:
      (chance) =>
      (response, { bytes }) =>
        send(response, bytes.subarray(0, chance.whole(bytes.length))),
  },
  empty: { code: 'verification-failed', says: other, spoil: () => (response) => send(response, Buffer.alloc(0)) },
  longer: {
    code: 'verification-failed',
    says: other,
    spoil:
      (chance) =>
      (response, { bytes }) =>
        send(response, Buffer.concat([bytes, Buffer.alloc(1 + chance.whole(999))])),
  },
  'broken off': {
    code: 'download-failed',
    says: /broke off|aborted|terminated|premature|ECONNRESET/i,
    spoil:
      (chance) =>
      (response, { bytes }) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(bytes.subarray(0, chance.whole(bytes.length - 1) + 1), () => response.destroy());
      },
  },
  'length too small': {
    code: 'verification-failed',
    says: other,
    spoil:
      (chance) =>
      (response, { bytes }) => {
        const length = 1 + chance.whole(bytes.length - 1);
        response.socket?.write(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n`);
        response.socket?.end(bytes);
      },
  },
  'length too large': {
    code: 'download-failed',
    says: /broke off|aborted|terminated|premature|ECONNRESET/i,
    spoil:
      (chance) =>
      (response, { bytes }) => {
        response.socket?.write(`HTTP/1.1 200 OK\r\ncontent-length: ${bytes.length + 1 + chance.whole(999)}\r\n\r\n`);
        response.socket?.end(bytes);
      },
  },
  endless: {
    code: 'download-failed',
    says: /more than 400000000 bytes/,
    spoil: () => (response) => {
      const piece = Buffer.alloc(1 << 20);
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    },
  },
  'redirected to itself': {
    code: 'download-failed',
    says: /redirect/,
    spoil:
      () =>
      (response, { path }) =>
        void response.writeHead(302, { location: path }).end(),
  },
  'redirected in a loop': {
    code: 'download-failed',
    says: /redirect/,
    spoil:
      () =>
      (response, { path }, { asked, url }) => {
        const location = asked.at(-1)?.startsWith('/moved')
          ? path
          : `${url.replace('127.0.0.1', 'localhost')}/moved${path}`;
        response.writeHead(301, { location }).end();
      },
  },
  'redirected to something else': {
    code: 'verification-failed',
    says: other,
    spoil:
      (chance, archives) =>
      (response, { path, bytes }, { asked }) => {
        if (asked.at(-1)?.startsWith('/moved'))
          send(response, chance.one(archives.filter((one) => one.bytes !== bytes)).bytes);
        else response.writeHead(307, { location: `/moved${path}` }).end();
      },
  },
  'redirected to nobody': {
    code: 'download-failed',
    says: /ECONNREFUSED|refused/,
    spoil: () => (response) => void response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(),
  },
  'too many requests': status(429, { 'retry-after': '120' }),
  unavailable: status(503, { 'retry-after': '120' }),
  forbidden: status(403),
  gone: status(404),
  'a portal': {
    code: 'verification-failed',
    says: other,
    spoil: () => (response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<!doctype html><title>Welcome</title><form action="/login">Accept our terms</form>');
    },
  },
  'an old copy': {
    code: 'verification-failed',
    says: other,
    spoil:
      (chance, archives) =>
      (response, { bytes }) =>
        send(response, chance.one(archives.filter((one) => one.bytes !== bytes)).bytes),
  },
  silent: { code: 'download-failed', says: silent, waits: true, spoil: () => () => {} },
  stalled: {
    code: 'download-failed',
    says: silent,
    waits: true,
    spoil:
      (chance) =>
      (response, { bytes }) => {
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(bytes.subarray(0, chance.whole(bytes.length)));
      },
  },
  dripping: {
    code: 'download-failed',
    says: silent,
    waits: true,
    spoil: () => (response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('x'), 500);
      response.on('close', () => clearInterval(drip));
    },
  },
  slow: {
    code: 'none',
    says: /^$/,
    spoil:
      () =>
      (response, { bytes }) => {
        response.writeHead(200, { 'content-length': bytes.length });
        let at = 0;
        const flow = setInterval(() => {
          response.write(bytes.subarray(at, at + 20_000));
          at += 20_000;
          if (at < bytes.length) return;
          clearInterval(flow);
          response.end();
        }, 100);
        response.on('close', () => clearInterval(flow));
      },
  },
};
