/**
 * Traffic as people make it: the requests of the manifest, each from several clients, and a mail where the server takes mail. The clients are
 * addresses of this machine's loopback (or, for a server that listens on IPv6 only, of a private range), so that what counts
 * groups of clients has groups to count.
 */

import { messageOf } from '../../errors.ts';
import { basicAuthorization } from '../../service/health/http.ts';
import type { ServiceSpec } from '../../service/spec.ts';
import type { Login } from '../../service/spec-checks.ts';
import { type Conversation, httpRequest, tcpDialogue } from '../../system/net.ts';

export interface TrafficPlan {
  /** Null for a server without a web address. */
  readonly web: string | null;
  readonly login: Login | null;
  /** Method and path. */
  readonly requests: readonly string[];
  readonly clients: number;
}

export interface Traffic {
  /** Answered, whatever the answer. */
  readonly requests: number;
  readonly clients: number;
  readonly mails: number;
  /** What got no answer, and why. */
  readonly failed: readonly string[];
}

const agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const patienceMs = 15_000;

export const makeTraffic = async (spec: ServiceSpec, plan: TrafficPlan): Promise<Traffic> => {
  const failed: string[] = [];
  const tried = async (what: string, doing: () => Promise<unknown>): Promise<number> => {
    try {
      await doing();
      return 1;
    } catch (error) {
      failed.push(`${what}: ${messageOf(error)}`);
      return 0;
    }
  };
  const mails = await mailTo(spec, tried);
  let requests = 0;
  for (const request of plan.web === null ? [] : plan.requests) {
    for (let client = 0; client < plan.clients; client += 1) {
      requests += await tried(request, () => ask(plan, request, client));
    }
  }
  return { requests, clients: requests > 0 ? plan.clients : 0, mails, failed };
};

const ask = ({ web, login }: TrafficPlan, request: string, client: number) => {
  const [method = 'GET', path = '/'] = request.split(' ');
  const url = new URL(path, web ?? undefined);
  return httpRequest({
    url: url.href,
    method,
    headers: { accept: 'text/html', 'user-agent': agent, ...basicAuthorization(login) },
    timeoutMs: patienceMs,
    localAddress: addressOfClient(url, client),
  });
};

const addressOfClient = ({ hostname }: URL, client: number): string =>
  hostname.startsWith('[') ? `fd00:a55e::${(client + 2).toString(16)}` : `127.0.0.${client + 2}`;

/** As many as addressOfClient can tell apart. */
export const mostClients = 200;

type Tried = (what: string, doing: () => Promise<unknown>) => Promise<number>;

const mailTo = async ({ health }: ServiceSpec, tried: Tried): Promise<number> => {
  const check = health.checks.find((one) => one.kind === 'smtp');
  if (check === undefined) return 0;
  const { host, port, domain } = check;
  const script = (conversation: Conversation) => deliver(conversation, domain ?? 'example.org');
  return tried('a mail', () => tcpDialogue({ host, port, timeoutMs: patienceMs, script }));
};

const deliver = async ({ readReply, write }: Conversation, domain: string): Promise<void> => {
  const address = `postmaster@${domain}`;
  const mail = `From: <${address}>\r\nTo: <${address}>\r\nSubject: A mail of this proof\r\n\r\nIt says nothing.\r\n.`;
  const said = ['EHLO localhost', `MAIL FROM:<${address}>`, `RCPT TO:<${address}>`, 'DATA', mail, 'QUIT'];
  await readReply();
  for (const text of said) {
    await write(`${text}\r\n`);
    const { code, lines } = await readReply();
    if (code >= 400) throw new Error(`${code} ${lines.join(' ')}`);
  }
};
