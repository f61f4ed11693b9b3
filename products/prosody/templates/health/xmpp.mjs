// As much of XMPP over WebSocket (RFC 7395) as a health check needs: a login by SCRAM-SHA-1, questions and their answers. Each text of
// the socket is one whole stanza, so these are looked at as texts.

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** How long any answer may take, in milliseconds. */
const patience = 5000;

export const logIn = async ({ socket, domain, user, password }) => {
  const { send, arrival, collect, close } = await connected(socket);
  const open = async () => {
    const features = arrival((stanza) => stanza.includes(':features'), 'the server does not say what it can do');
    send(`<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="${domain}" version="1.0"/>`);
    return features;
  };
  const ask = async (type, what, to) => {
    const id = randomBytes(8).toString('hex');
    const answered = arrival((stanza) => stanza.startsWith('<iq') && stanza.includes(id), 'no answer');
    send(`<iq xmlns="jabber:client" type="${type}" id="${id}"${to === undefined ? '' : ` to="${to}"`}>${what}</iq>`);
    const answer = await answered;
    if (/type=["']error/.test(answer)) throw new Error(`refused (${answer.slice(0, 300)})`);
    return answer;
  };
  if (!(await open()).includes('SCRAM-SHA-1<')) throw new Error('the server offers no login by SCRAM-SHA-1');
  await authenticate({ send, arrival, user, password });
  await open();
  const bound = await ask('set', '<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><resource>health</resource></bind>');
  const me = /<jid>([^<]+)/.exec(bound)?.[1];
  if (me === undefined) throw new Error('the login has no address');
  return { me, ask, send, arrival, collect, close };
};

const connected = async (address) => {
  const socket = new WebSocket(address, 'xmpp');
  const ears = new Set();
  socket.addEventListener('message', ({ data }) => [...ears].forEach((ear) => ear(data)));
  const arrival = (wanted, otherwise) =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${otherwise} within ${patience / 1000} s`)), patience);
      const hear = (stanza) => {
        if (!wanted(stanza)) return;
        ears.delete(hear);
        clearTimeout(late);
        resolve(stanza);
      };
      ears.add(hear);
    });
  const collect = (wanted) => {
    const found = [];
    const hear = (stanza) => wanted(stanza) && found.push(stanza);
    ears.add(hear);
    return { end: () => ears.delete(hear) && found };
  };
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error('no WebSocket answers')));
  });
  const close = () => socket.send('<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>');
  return { send: (stanza) => socket.send(stanza), arrival, collect, close };
};

/** RFC 5802, the proof of the server included: it has to know the password, too. */
const authenticate = async ({ send, arrival, user, password }) => {
  const sasl = 'xmlns="urn:ietf:params:xml:ns:xmpp-sasl"';
  const answer = async (stanza) => {
    const answered = arrival((text) => /^<(challenge|success|failure)/.test(text), 'no answer to the login');
    send(stanza);
    const text = await answered;
    if (text.startsWith('<failure')) throw new Error(`the login is refused (${/<([a-z-]+)\/>/.exec(text)?.[1] ?? 'failure'})`);
    return Buffer.from(/>([^<]*)</.exec(text)?.[1] ?? '', 'base64').toString();
  };
  const first = `n=${user},r=${randomBytes(18).toString('base64')}`;
  const challenge = await answer(`<auth ${sasl} mechanism="SCRAM-SHA-1">${base64(`n,,${first}`)}</auth>`);
  const { r, s, i } = Object.fromEntries(challenge.split(',').map((part) => [part[0], part.slice(2)]));
  const salted = pbkdf2Sync(password, Buffer.from(s, 'base64'), Number(i), 20, 'sha1');
  const last = `c=biws,r=${r}`;
  const about = `${first},${challenge},${last}`;
  const key = hmac(salted, 'Client Key');
  const signature = hmac(createHash('sha1').update(key).digest(), about);
  const proof = Buffer.from(key.map((byte, at) => byte ^ signature[at]));
  const success = await answer(`<response ${sasl}>${base64(`${last},p=${proof.toString('base64')}`)}</response>`);
  if (success !== `v=${hmac(hmac(salted, 'Server Key'), about).toString('base64')}`) throw new Error('the server does not know the password');
};

const hmac = (key, text) => createHmac('sha1', key).update(text).digest();
const base64 = (text) => Buffer.from(text).toString('base64');
