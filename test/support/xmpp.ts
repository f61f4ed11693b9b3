/** Real XMPP clients: @xmpp/client over TCP and WebSocket, and one of another make, slixmpp, as a process of Python. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type Client, client, type Element, xml } from '@xmpp/client';
import { expect, onTestFinished } from 'vitest';

export interface Account {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
}

export interface Session {
  /** Bodies of the messages that arrived, in their order. */
  readonly heard: readonly string[];
  send(to: string, body: string): Promise<void>;
  /** Bodies in one's own archive, the newest 50, in their order. */
  archive(): Promise<string[]>;
  end(): Promise<void>;
}

/** `service`: `xmpp://127.0.0.1:5222` or `ws://127.0.0.1:5280/xmpp-websocket`. Logged in and present; ended when the test is. */
export const logIn = async (service: string, { user, domain, password }: Account): Promise<Session> => {
  const xmpp = client({ service, domain, username: user, password });
  xmpp.reconnect.stop();
  const failed = new Promise<never>((_, reject) => xmpp.on('error', reject));
  const heard: string[] = [];
  const present: string[] = [];
  xmpp.on('stanza', (stanza) => {
    if (stanza.is('presence')) present.push(stanza.attrs['from'] ?? '');
    const body = stanza.is('message') ? stanza.getChildText('body') : null;
    if (body !== null) heard.push(body);
  });
  const me = String(await Promise.race([xmpp.start(), failed]));
  failed.catch(() => {});
  // What arrives while acknowledgements are being agreed on it counts wrongly, and the server then hangs up.
  await expect.poll(() => xmpp.streamManagement.enabled, { timeout: 20_000, interval: 5 }).toBe(true);
  await xmpp.send(xml('presence'));
  // Until the server has it, messages go to whoever else is there with this account.
  await expect.poll(() => present, { timeout: 20_000, interval: 5 }).toContain(me);
  const end = () => xmpp.stop().catch(() => {});
  onTestFinished(end);
  return {
    heard,
    send: (to, body) => xmpp.send(xml('message', { to, type: 'chat' }, xml('body', {}, body))),
    archive: () => archiveOf(xmpp),
    end,
  };
};

const archiveOf = async (xmpp: Client): Promise<string[]> => {
  const found: string[] = [];
  xmpp.on('stanza', (stanza: Element) => {
    const forwarded = stanza.getChild('result', 'urn:xmpp:mam:2')?.getChild('forwarded', 'urn:xmpp:forward:0');
    const body = forwarded?.getChild('message')?.getChildText('body');
    if (body) found.push(body);
  });
  const page = xml('set', 'http://jabber.org/protocol/rsm', xml('max', {}, '50'), xml('before'));
  await xmpp.iqCaller.request(xml('iq', { type: 'set' }, xml('query', 'urn:xmpp:mam:2', page)), 20_000);
  return found;
};

/** Waits until that has arrived. */
export const hears = ({ heard }: Session, body: string): Promise<void> =>
  expect.poll(() => heard, { timeout: 20_000, interval: 20 }).toContain(body);

export interface QuickSession {
  /** What the server says that it is. */
  version(): Promise<string>;
  /** Sends it to one's own address, and waits until it has come back. */
  toMyself(body: string): Promise<void>;
  /** Bodies in one's own archive, the newest 20, in their order. */
  archive(): Promise<string[]>;
  /** Asks for a place for a file (XEP-0363) and puts it there, through the port of this session; the status of the answer. */
  upload(name: string, content: string): Promise<number>;
  close(): void;
}

/**
 * Over WebSocket, by the little client of the health check: Node's own cryptography takes a tenth of the processor time that the clients below take. For tests that log in
 * again and again; that others can, too, is the business of those that do it once. `query`: `objects`, for who is not to be counted.
 */
export const logInQuickly = async (webPort: number, account: Account, query = ''): Promise<QuickSession> => {
  const { logIn: logInByHealth } = (await import(healthClient)) as HealthClient;
  const session = await logInByHealth({ socket: `ws://127.0.0.1:${webPort}/xmpp-websocket?${query}`, ...account });
  const { me, ask, send, arrival, collect, close } = session;
  return {
    version: async () =>
      first(/<version>([^<]*)/, await ask('get', '<query xmlns="jabber:iq:version"/>', account.domain)),
    toMyself: async (body) => {
      const arrived = arrival((stanza) => stanza.startsWith('<message') && stanza.includes(body), 'it does not arrive');
      send(`<message xmlns="jabber:client" to="${me}" type="chat"><body>${body}</body></message>`);
      await arrived;
    },
    archive: async () => {
      const found = collect((stanza) => stanza.includes('urn:xmpp:forward:0'));
      await ask(
        'set',
        `<query xmlns="urn:xmpp:mam:2"><set xmlns="http://jabber.org/protocol/rsm"><max>20</max><before/></set></query>`,
      );
      return found.end().map((stanza) => first(/<body>([^<]*)/, stanza));
    },
    upload: async (name, content) => {
      const about = `filename="${name}" size="${Buffer.byteLength(content)}" content-type="text/plain"`;
      const slot = await ask('get', `<request xmlns="urn:xmpp:http:upload:0" ${about}/>`, account.domain);
      const place = new URL(first(/<put[^>]* url=["']([^"']+)/, slot)).pathname;
      const authorization = first(/<header[^>]*name=["']Authorization["'][^>]*>([^<]*)/, slot);
      const headers = { 'content-type': 'text/plain', authorization };
      return (await fetch(`http://127.0.0.1:${webPort}${place}`, { method: 'PUT', headers, body: content })).status;
    },
    close,
  };
};

const healthClient = new URL('../../products/prosody/templates/health/xmpp.mjs', import.meta.url).href;
const first = (pattern: RegExp, text: string): string => pattern.exec(text)?.[1] ?? '';

interface HealthClient {
  logIn(how: Account & { readonly socket: string }): Promise<{
    readonly me: string;
    ask(type: 'get' | 'set', what: string, to?: string): Promise<string>;
    send(stanza: string): void;
    arrival(wanted: (stanza: string) => boolean, otherwise: string): Promise<string>;
    collect(wanted: (stanza: string) => boolean): { end(): string[] };
    close(): void;
  }>;
}

const python = '/usr/bin/python3';

/** Why there is no client of another make here; in CI there has to be. */
export const noSlixmpp =
  existsSync('/usr/lib/python3/dist-packages/slixmpp') || process.env.CI
    ? undefined
    : 'there is no slixmpp (apt-get install python3-slixmpp)';

/** Logs in over TCP with slixmpp, sends one message, and ends. */
export const sendBySlixmpp = (port: number, from: Account, to: string, body: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const args = ['-c', slixmpp, `${from.user}@${from.domain}`, String(port), to, body];
    const child = spawn(python, args, { stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text) => (said += text));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`slixmpp ended with ${code}: ${said}`))));
    child.stdin.end(`${from.password}\n`);
  });

const slixmpp = `
import asyncio, sys, slixmpp
jid, port, to, body = sys.argv[1:]
client = slixmpp.ClientXMPP(jid, sys.stdin.readline().strip())
client['feature_mechanisms'].unencrypted_scram = True
async def begun(_):
    client.send_presence()
    client.send_message(mto=to, mbody=body, mtype='chat')
    await client.disconnect()
client.add_event_handler('session_start', begun)
client.add_event_handler('failed_auth', lambda _: sys.exit('login failed'))
client.connect(('127.0.0.1', int(port)), disable_starttls=True)
client.loop.run_until_complete(asyncio.wait_for(client.disconnected, 60))
`;
