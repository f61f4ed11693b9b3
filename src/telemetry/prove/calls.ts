/**
 * What strace has written (-f -y): whom the server and Assent reached for, and which files they opened for writing. Pure.
 *
 * A call that another thread's interrupts stands in two lines; its arguments are in the first, its result in the second.
 */

import { posix } from 'node:path';
import type { Endpoint } from './packets.ts';

export interface Calls {
  /** Once each, in their order. */
  readonly reached: readonly Endpoint[];
  /** Absolute paths, once each, sorted. */
  readonly written: readonly string[];
  /** True where a process has used io_uring, whose work strace does not see. */
  readonly hidden: boolean;
}

const onNetwork = ['connect', 'sendto', 'sendmsg', 'sendmmsg'];
const onFiles = [
  'open',
  'openat',
  'openat2',
  'creat',
  'rename',
  'renameat',
  'renameat2',
  'link',
  'linkat',
  'symlink',
  'symlinkat',
];

/** For `strace -e`: the question mark is for those that an architecture lacks. */
export const tracedCalls = [...onNetwork, ...onFiles, 'io_uring_setup'].map((name) => `?${name}`).join(',');

export const parseCalls = (text: string): Calls => {
  const reached = new Map<string, Endpoint>();
  const written = new Set<string>();
  const waiting = new Map<string, string>();
  let hidden = false;
  for (const line of text.split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const [, call, args = ''] = /^(\w+)\((.*)$/.exec(rest) ?? [];
    if (call !== undefined && onNetwork.includes(call)) {
      for (const one of endpointsIn(args)) reached.set(`${one.address} ${one.port}`, one);
    }
    hidden ||= call === 'io_uring_setup' && !/= -1/.test(args);
    const path = call === undefined ? waiting.get(pid) : onFiles.includes(call) ? pathWritten(call, args) : undefined;
    if (path === undefined) continue;
    if (call !== undefined && args.endsWith('<unfinished ...>')) waiting.set(pid, path);
    else {
      waiting.delete(pid);
      if (!/\) += -1 /.test(rest)) written.add(path);
    }
  }
  return { reached: [...reached.values()], written: [...written].sort(), hidden };
};

/** Quotation marks in what was sent are escaped, so that no text of a server is taken for an address. */
const endpointsIn = (args: string): Endpoint[] => [
  ...[...args.matchAll(/sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)/g)].map(toEndpoint),
  ...[...args.matchAll(/sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, "([^"]+)"/g)].map(toEndpoint),
];

const toEndpoint = ([, port, address = '']: RegExpMatchArray | string[]): Endpoint => ({
  address: address.replace(/^::ffff:/, ''),
  port: Number(port),
});

/** The path that the call makes or opens for writing, or undefined where it only reads. */
const pathWritten = (call: string, args: string): string | undefined => {
  if (call.startsWith('open') && !/\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND)\b/.test(args)) return undefined;
  const places = [...args.matchAll(/(?:\w+<((?:[^>\\]|\\.)*)>, )?"((?:[^"\\]|\\.)*)"/g)];
  const place = places[call.startsWith('open') || call === 'creat' ? 0 : places.length - 1];
  const [, folder = '/', path] = place ?? [];
  return path === undefined ? undefined : posix.resolve(folder, path);
};
