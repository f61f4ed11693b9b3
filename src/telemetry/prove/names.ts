/**
 * A name server for a network that leads nowhere: every name has an address, each its own, so that a connection tells later which
 * name it was meant for. Pure but for the book it keeps: bytes in, bytes out.
 */

import { scratchNameServer } from '../../instance/scratch.ts';

export interface Names {
  /** The answer to a query, or undefined for what is none. */
  readonly answer: (query: Buffer) => Buffer | undefined;
  /** The names asked for, in their order, once each; what is no question for an address has its type behind it. */
  readonly asked: () => string[];
  readonly addressOf: (name: string) => string | undefined;
}

const types: Readonly<Record<number, string>> = {
  1: 'A',
  28: 'AAAA',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  33: 'SRV',
  65: 'HTTPS',
};

export const makeNames = (): Names => {
  const asked = new Set<string>();
  const addresses = new Map<string, string>();
  const give = (name: string): string => {
    const there = addresses.get(name);
    if (there !== undefined) return there;
    // 198.18.0.0/15 is for tests; its first addresses are kept for the name server.
    const at = addresses.size + 256;
    const address = `198.${18 + ((at >> 16) & 1)}.${(at >> 8) & 255}.${at & 255}`;
    addresses.set(name, address);
    return address;
  };
  return {
    answer: (query) => {
      const question = questionOf(query);
      if (question === undefined) return undefined;
      const { name, type, end } = question;
      const kind = types[type] ?? `type ${type}`;
      asked.add(kind === 'A' || kind === 'AAAA' ? name : `${name} (${kind})`);
      return reply(query.subarray(0, end), kind === 'A' ? give(name) : undefined, kind === 'PTR');
    },
    asked: () => [...asked],
    addressOf: (name) => addresses.get(name),
  };
};

/** Header of 12 bytes, then labels with their lengths, then type and class. */
const questionOf = (query: Buffer): { name: string; type: number; end: number } | undefined => {
  if (query.length < 17 || (query[2] ?? 0) >= 0x80 || query.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length !== 0; length = query[at] ?? 0) {
    if (length > 63 || at + length + 5 > query.length) return undefined;
    labels.push(query.toString('latin1', at + 1, at + 1 + length).replace(/[^\x21-\x7e]/g, '?'));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
};

const reply = (question: Buffer, address: string | undefined, missing: boolean): Buffer => {
  const head = Buffer.from(question);
  // An answer, with authority, recursion desired and available; 3: no such name.
  head.writeUInt16BE(0x8580 | (missing ? 3 : 0), 2);
  head.writeUInt16BE(address === undefined ? 0 : 1, 6);
  head.writeUInt32BE(0, 8);
  if (address === undefined) return head;
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)]);
  return Buffer.concat([head, record]);
};

export const isNameServer = (address: string, port: number): boolean => address === scratchNameServer && port === 53;
