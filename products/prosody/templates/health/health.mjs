// The health check: what people do, once, as an account of its own, so that nothing of it ends up in anybody's archive.
//
// 1. The page is loaded, and the scripts that it names.
// 2. A login over WebSocket; the version that the server tells.
// 3. A message to oneself arrives.
// 4. The archive is asked for the newest messages, and holds one that was sent since this start of the server. What earlier releases
//    wrote stands in the same answer: a release that can't read it does not answer.
//
// Only one message for each start and day is archived; the others carry the mark that they are not to be.

import { readFileSync } from 'node:fs';
import { plainDoor } from './plain-door.mjs';
import { logIn } from './xmpp.mjs';

const domain = '{{domain}}';
const user = '{{healthUser}}';
const password = readFileSync('{{config}}/health-password.txt', 'utf8').trim();
const archive = '{{archive}}' === 'true';
const certificate =
{{#certificate}}
  '{{certificate}}';
{{/certificate}}
{{^certificate}}
  '{{#selfSigned}}{{data}}/self-signed.crt{{/selfSigned}}';
{{/certificate}}
const web = { host: '{{listenHost}}'.replace(/^\[(.*)\]$/, '$1'), port: {{webPort}}, domain, certificate };
const day = 86_400;

const main = async () => {
  const address = `127.0.0.1:${await plainDoor(web, fail)}`;
  await checkPage(`http://${address}/`);
  const session = await logIn({ socket: `ws://${address}/xmpp-websocket?objects`, domain, user, password });
  const version = await session.ask('get', '<query xmlns="jabber:iq:version"/>', domain);
  if (archive) await checkArchive(session);
  await messageToMyself(session, false);
  session.close();
  console.log(`page, login, message${archive ? ', archive' : ''}: Prosody ${/<version>([^<]*)/.exec(version)?.[1]}`);
};

const checkPage = async (page) => {
  const html = await text(page);
  const scripts = [...html.matchAll(/<script src="([^"]+)"/g)].map(([, src]) => src);
  if (scripts.length < 2) throw new Error('the page names no scripts');
  const loaded = await Promise.all(scripts.map((src) => text(new URL(src, page))));
  if (!loaded.some((script) => script.length > 500_000)) throw new Error('the script of the WebClient is not whole');
  if (!loaded.some((script) => script.includes('converse.initialize('))) throw new Error('nothing starts the WebClient');
};

const text = async (url) => {
  const answer = await fetch(url, { headers: { dnt: '1', 'sec-gpc': '1' } });
  if (answer.status !== 200) throw new Error(`${new URL(url).pathname} answers ${answer.status}`);
  return answer.text();
};

const checkArchive = async (session) => {
  const uptime = await session.ask('get', '<query xmlns="jabber:iq:last"/>', domain);
  const age = Math.min(Number(/seconds=["'](\d+)/.exec(uptime)?.[1] ?? 0) + 1, day);
  const since = Date.now() - age * 1000;
  const before = await newest(session);
  if (before.some(({ at }) => at >= since)) return;
  const id = await messageToMyself(session, true);
  if (!(await newest(session)).some((one) => one.id === id)) throw new Error('the archive lacks the message of just now');
};

const messageToMyself = async ({ me, send, arrival }, isKept) => {
  const id = `health-${crypto.randomUUID()}`;
  const arrived = arrival((stanza) => stanza.startsWith('<message') && stanza.includes(id), 'a message to oneself does not arrive');
  send(`<message xmlns="jabber:client" to="${me}" type="chat" id="${id}"><body>health</body>${isKept ? '' : '<no-store xmlns="urn:xmpp:hints"/>'}</message>`);
  await arrived;
  return id;
};

/** The newest messages of the archive: id and time. */
const newest = async ({ ask, collect }) => {
  const found = collect((stanza) => stanza.includes('urn:xmpp:forward:0'));
  await ask('set', '<query xmlns="urn:xmpp:mam:2"><set xmlns="http://jabber.org/protocol/rsm"><max>20</max><before/></set></query>').catch(
    (error) => {
      throw new Error(`the archive can't be read: ${error.message}`);
    },
  );
  return found.end().map((stanza) => ({
    id: /health-[\w-]{36}/.exec(stanza)?.[0],
    at: Date.parse(/<delay[^>]*stamp=["']([^"']+)/.exec(stanza)?.[1]),
  }));
};

const fail = (why) => {
  console.error(why);
  process.exit(1);
};

await main().then(
  () => process.exit(0),
  (error) => fail(error.message),
);
