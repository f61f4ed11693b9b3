/**
 * A check that talks SMTP: greeting, EHLO, and where a domain is given a mail up to RCPT (taken back, never sent), QUIT; then all of it
 * again, because there are servers that greet the first caller and die of it.
 */

import { type Conversation, tcpDialogue } from '../../system/net.ts';
import type { SmtpCheck } from '../spec-checks.ts';
import type { Finding, Probe } from './probe.ts';

export const probeSmtp: Probe<SmtpCheck> = async (check, { timeoutMs }) => {
  const { host, port } = check;
  const once = () => tcpDialogue({ host, port, timeoutMs, script: (conversation) => converse(conversation, check) });
  const first = await once();
  return first.ok ? once() : first;
};

export const titleOfSmtp = ({ host, port }: SmtpCheck): string =>
  `SMTP ${host.includes(':') ? `[${host}]` : host}:${port}`;

const converse = async (conversation: Conversation, check: SmtpCheck): Promise<Finding> => {
  const greeting = await conversation.readReply();
  const line = `${greeting.code} ${greeting.lines[0] ?? ''}`;
  if (greeting.code !== 220) return { ok: false, detail: `it greets with ${line}` };
  if (check.banner !== null && !new RegExp(check.banner, 'u').test(line)) {
    return { ok: false, detail: `the greeting does not match ${check.banner}: ${line}` };
  }
  const version = check.version === null ? undefined : new RegExp(check.version, 'u').exec(line)?.[1];
  if (check.version !== null && version === undefined)
    return { ok: false, detail: `the greeting tells no version: ${line}` };
  for (const [text, codes] of linesFor(check)) {
    await conversation.write(`${text}\r\n`);
    const reply = await conversation.readReply();
    if (!codes.includes(reply.code))
      return { ok: false, detail: `${text} gives ${reply.code} ${reply.lines.join(' ')}` };
  }
  return { ok: true, detail: line, ...(version === undefined ? {} : { version }) };
};

/** What we say, and the replies that are good. */
const linesFor = ({ domain }: SmtpCheck): [text: string, codes: number[]][] => [
  ['EHLO localhost', [250]],
  ...(domain === null
    ? []
    : ([
        [`MAIL FROM:<postmaster@${domain}>`, [250]],
        [`RCPT TO:<postmaster@${domain}>`, [250, 251]],
        ['RSET', [250]],
      ] satisfies [string, number[]][])),
  ['QUIT', [221]],
];
