/**
 * What is preloaded into a Node server after a yes: `node --import file:///.../dist/count-preload.mjs?home=HOME&name=NAME server.js`.
 *
 * It listens to a channel of Node's own that tells of each answered request, behind the answer, and hands what it needs to a recorder. It changes nothing of
 * the server, prints nothing, and throws nothing into it, whatever happens. Child processes and threads inherit it with the arguments of Node;
 * the recorder is made with the first answered request, so whoever serves nothing looks at nothing and writes nothing.
 *
 * The limit: HTTP/2 has no such channel, and is not counted.
 */

import { subscribe } from 'node:diagnostics_channel';
import { instancePaths } from '../../instance/paths.ts';
import { realWorld } from '../../system/world.ts';
import { asInstanceName } from '../../values.ts';
import { makeRecorder, type Recorder } from './recorder.ts';
import type { Seen } from './seen.ts';

interface Request {
  readonly method?: string;
  readonly url?: string;
  /** Express keeps it, because it shortens `url` for mounted applications. */
  readonly originalUrl?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket?: { readonly remoteAddress?: string };
}

const start = (): void => {
  const { searchParams } = new URL(import.meta.url);
  const home = searchParams.get('home');
  const name = asInstanceName(searchParams.get('name') ?? '');
  if (!home?.startsWith('/') || name === undefined) return;
  let recorder: Recorder | undefined;
  subscribe('http.server.response.finish', (message) => {
    try {
      recorder ??= makeRecorder(realWorld(), instancePaths(home, name));
      if (recorder.state !== 'counting') return;
      const { request, response } = message as { request: Request; response: { statusCode: number } };
      recorder.count(seenOf(request, response.statusCode));
    } catch {
      // The server must not notice.
    }
  });
};

const seenOf = ({ method = '', url = '', originalUrl, headers, socket }: Request, status: number): Seen => ({
  method,
  url: originalUrl ?? url,
  status,
  address: socket?.remoteAddress,
  forwarded: byProxies.flatMap((name) => one(headers[name]) ?? []),
  userAgent: one(headers['user-agent']),
  hints: {
    brands: one(headers['sec-ch-ua']),
    mobile: one(headers['sec-ch-ua-mobile']),
    platform: one(headers['sec-ch-ua-platform']),
  },
  gpc: one(headers['sec-gpc']),
  dnt: one(headers['dnt']),
});

/** The last is a CDN's (RFC 8586): it comes through also where a proxy behind it writes the others anew. */
const byProxies = ['x-forwarded-for', 'forwarded', 'cdn-loop'];

const one = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'object' ? value.join(', ') : value;

try {
  start();
} catch {
  // The server must not notice.
}
