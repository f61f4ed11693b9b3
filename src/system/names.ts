/** What the name service says, with a deadline of its own and never more than one try. */

import type { SrvRecord } from 'node:dns';
import { isIP } from 'node:net';

export type NameAnswer<T> =
  | { readonly found: readonly T[] }
  /** Nobody could be asked, which says nothing about the name. */
  | { readonly unknown: string };

const waitMs = 3000;
/** What a server answers that knows: there is no such name, or nothing of this kind. */
const nothing = ['ENOTFOUND', 'ENODATA'];

/** `servers`: whom to ask in place of the system's. */
export const srvRecords = (name: string, servers?: readonly string[]): Promise<NameAnswer<SrvRecord>> =>
  asked(servers, (resolver) => resolver.resolveSrv(name));

/** IPv4 and IPv6 addresses as the machine's programs would find them, its hosts file included. */
export const addressesOf = async (name: string): Promise<NameAnswer<string>> => {
  if (isIP(name)) return { found: [name] };
  const { lookup } = process.getBuiltinModule('node:dns/promises');
  return answerOf(lookup(name, { all: true }).then((all) => all.map(({ address }) => address)));
};

type Resolver = import('node:dns/promises').Resolver;

const asked = <T>(
  servers: readonly string[] | undefined,
  ask: (resolver: Resolver) => Promise<T[]>,
): Promise<NameAnswer<T>> => {
  const { Resolver } = process.getBuiltinModule('node:dns/promises');
  const resolver = new Resolver({ timeout: waitMs, tries: 1 });
  if (servers !== undefined) resolver.setServers(servers);
  return answerOf(ask(resolver));
};

const answerOf = async <T>(asking: Promise<T[]>): Promise<NameAnswer<T>> => {
  try {
    return { found: await asking };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return nothing.includes(code) ? { found: [] } : { unknown: code };
  }
};
