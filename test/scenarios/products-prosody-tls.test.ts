/**
 * Prosody as an organisation runs it: with a certificate that an authority has issued, given as certbot leaves it, and renewed. After a yes the people in its WebClient are
 * counted in both releases: who opens it, signs in, reads the archive, and shares a file, which is tried in a real browser.
 *
 * The counts are those of a process that nobody here speaks to: they are read from its files, once it has ended.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { type Renewable, renewable } from '../support/certificates.ts';
import { chromium, noChromium } from '../support/chromium.ts';
import { awayFromTheFullHour } from '../support/clock.ts';
import { plainDoor, proxyDoor } from '../support/doors.ts';
import { quickProduct } from '../support/quick-product.ts';
import { freePorts, sandbox } from '../support/sandbox.ts';
import { type Document, readJson, type Scenario, scenario } from '../support/scenario.ts';
import { nobody } from '../support/seed.ts';
import { set } from '../support/steps.ts';
import { type Account, hears, logIn, logInQuickly } from '../support/xmpp.ts';

if (noChromium !== undefined) console.log(`skipped: Prosody with a given certificate, for ${noChromium}`);

const domain = 'chat.example';
const names = [domain, `rooms.${domain}`];

it.skipIf(noChromium !== undefined)(
  'encrypts with the certificate that it is given, and counts its people after a yes',
  async () => {
    const chat = await installed();
    await encrypts(chat);
    await isExamined(chat);

    await awayFromTheFullHour(60_000);
    await sixPeople(chat);
    expect(await counted(chat)).toEqual({ 'client-opened': 6, 'signed-in': 6, 'archive-read': 6, 'file-uploaded': 6 });

    await fine(chat, 'start', 'prosody');
    await withYes(chat, 'upgrade', 'prosody');
    await awayFromTheFullHour(60_000);
    await sixPeople(chat);
    await oneInBrowser(chat);
    const { 'archive-read': read, ...others } = await counted(chat);
    expect(others).toEqual({ 'client-opened': 7, 'signed-in': 7, 'file-uploaded': 7 });
    expect(read, 'the WebClient asks for the archive more than once').toBeGreaterThan(6);
  },
);

interface Chat {
  readonly world: Scenario;
  /** Of the manifest. */
  readonly product: string;
  readonly certificate: Renewable;
  readonly ports: { readonly clientPort: number; readonly federationPort: number; readonly webPort: number };
  readonly anna: Account;
}

/** 0.12.3, by somebody who is not root, with a yes; and an account that the administrator has made. */
const installed = async (): Promise<Chat> => {
  const product = quickProduct(sandbox(), 'prosody');
  const world = await scenario([`${product}@0.12.3`, `${product}@13.0.1`]);
  const [clientPort = 0, federationPort = 0, webPort = 0] = await freePorts(3);
  const ports = { clientPort, federationPort, webPort };
  const certificate = renewable(sandbox(), domain);
  certificate.renew(names, 60);
  const anna = { user: 'anna', domain, password: 'a password of hers' };
  const chat = { world, product, certificate, ports, anna };
  const given = { domain, certificate: certificate.certificate, certificateKey: certificate.key, ...ports };
  const done = await withYes(chat, 'install', `${product}@0.12.3`, ...set(given));
  expect(done.instance.urls.web).toBe(`https://${domain}:${webPort}`);
  const tool = world.path('instances/prosody/config/prosodyctl');
  const input = `${anna.password}\n${anna.password}\n`;
  const made = spawnSync('sh', [tool, 'adduser', `anna@${domain}`], { input, encoding: 'utf8', ...nobody });
  expect(made.status, made.stdout + made.stderr).toBe(0);
  return chat;
};

const fine = async ({ world }: Chat, ...args: string[]): Promise<Document> => {
  const { document, stderr } = await world.json(args);
  expect(document, `${args.join(' ')}: ${stderr}`).toMatchObject({ ok: true });
  return document;
};

/**
 * A change with a yes to its notice; returns once people are counted: not in the second in which that began, and a server
 * that found nobody there (its health was looked at before) asks again two seconds later.
 */
const withYes = async (chat: Chat, ...args: string[]): Promise<Document> => {
  const about = args[0] === 'upgrade' ? ['prosody', '--to', '13.0.1'] : args.slice(1);
  const { notice } = await fine(chat, 'telemetry', 'notice', ...about);
  const done = await fine(chat, ...args, '--yes', '--telemetry=on', `--telemetry-notice=${notice.id}`);
  expect(done.consent).toMatchObject({ collecting: true });
  const socket = chat.world.path('instances/prosody/telemetry/counts/requests.sock');
  await expect.poll(() => existsSync(socket), { timeout: 60_000 }).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 3100));
  return done;
};

/** Who does not trust the authority does not log in, who trusts it does, and nobody is even asked for a password before all is encrypted. */
const encrypts = async ({ ports, anna, certificate }: Chat): Promise<void> => {
  const service = `xmpp://127.0.0.1:${ports.clientPort}`;
  expect(await plainFeatures(ports.clientPort)).toMatch(/<starttls[^>]*><required\/><\/starttls><\/stream:features>$/);
  await expect(logIn(service, anna)).rejects.toThrow(/unable to (verify|get local issuer)/);
  const before = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...before, certificate.authority]);
  onTestFinished(() => tls.setDefaultCACertificates(before));
  const session = await logIn(service, anna);
  await session.send(`anna@${domain}`, 'to myself');
  await hears(session, 'to myself');
  await session.end();
};

/** What a server offers to who has not encrypted. */
const plainFeatures = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    socket.on('error', reject).on('data', (text) => {
      heard += text;
      if (!heard.endsWith('</stream:features>')) return;
      socket.destroy();
      resolve(heard);
    });
    socket.write(
      `<stream:stream to="${domain}" version="1.0" xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">`,
    );
  });

/** Names and days of the certificate; then one that was renewed badly, and that the server shows only after a restart. */
const isExamined = async (chat: Chat): Promise<void> => {
  const { certificate } = chat;
  expect(await certificateFindings(chat)).toEqual([
    expect.stringMatching(`^certificate-lasts: .*/live/.* holds for ${names.join(', ')} and ends in 59 days`),
  ]);
  certificate.renew([domain], 10);
  const renewed = [
    expect.stringMatching(/^certificate-ends: .* ends in 9 days/),
    expect.stringMatching(/^certificate-names: .* does not hold for rooms\.chat\.example\.$/),
  ];
  const old = expect.stringMatching(/^certificate-old: /);
  expect(await certificateFindings(chat)).toEqual([...renewed, old]);
  await fine(chat, 'restart', 'prosody');
  await expect.poll(() => certificateFindings(chat), { timeout: 60_000, interval: 500 }).toEqual(renewed);
};

const certificateFindings = async ({ world }: Chat): Promise<string[]> => {
  const { document } = await world.json(['doctor', 'prosody']);
  const found = [...document.findings, ...document.notes] as { id: string; message: string; remedy: string }[];
  const about = found.filter(({ id }) => id.startsWith('certificate-'));
  for (const { remedy } of about) expect(remedy).not.toBe('');
  return about.map(({ id, message }) => `${id}: ${message}`);
};

/** Each from an address of their own: they open the WebClient, sign in, read the archive, and share a file. */
const sixPeople = async ({ ports, certificate, anna }: Chat): Promise<void> => {
  for (let person = 2; person <= 7; person += 1) {
    const behind = { port: ports.webPort, from: `127.0.0.${person}`, domain, ca: certificate.authority };
    const port = await plainDoor(behind);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    const session = await logInQuickly(port, anna);
    expect(await session.archive()).toContain('to myself');
    expect(await session.upload(`${person}.txt`, 'a file')).toBe(201);
    session.close();
  }
};

/** What was counted by now, once the server and who counts have stopped: name -> total. */
const counted = async (chat: Chat): Promise<Record<string, number>> => {
  await fine(chat, 'stop', 'prosody');
  const folder = chat.world.path('instances/prosody/telemetry/counts');
  const counters = readdirSync(folder).flatMap((file) => readJson(join(folder, file)).counters as Document[]);
  return Object.fromEntries(counters.map(({ name, total }) => [name, total]));
};

/** Chromium asks its makers about updates, forms and passwords, with any page; here it reaches nobody. */
const ofChromiumItself = /^[\w.-]+\.(google|googleapis)\.com:\d+$/;

/** A seventh one, in Chromium, by the domain's own name: shares a file with Anna, who gets it. The browser reaches nobody but this server. */
const oneInBrowser = async ({ world, ports, certificate, anna }: Chat): Promise<void> => {
  const behind = { port: ports.webPort, from: '127.0.0.8' };
  const proxy = await proxyDoor(behind);
  const context = await chromium(
    { viewport: { width: 1200, height: 800 }, proxy: { server: `socks5://127.0.0.1:${proxy.port}` } },
    [`--ignore-certificate-errors-spki-list=${certificate.pin()}`],
  );
  const asked: string[] = [];
  context.on('request', (request) => asked.push(request.url()));
  const page = context.pages()[0] ?? (await context.newPage());
  page.on('websocket', (socket) => asked.push(socket.url()));
  const web = `https://${domain}:${ports.webPort}`;
  await page.goto(`${web}/`);
  await page.fill('input[name=jid]', `admin@${domain}`);
  const password = readFileSync(world.path('instances/prosody/secrets/adminPassword'), 'utf8').trim();
  await page.fill('input[name=password]', password);
  await page.click('input[type=submit]');
  await page.waitForSelector('.xmpp-status', { timeout: 60_000 });
  await page.goto(`${web}/#converse/chat?jid=anna@${domain}`);
  await page.waitForSelector('.chat-textarea', { timeout: 60_000 });
  await page.setInputFiles('input.fileupload', {
    name: 'plan.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('the plan'),
  });
  const link = page.locator('.chat-msg a[href*="/file_share/"]').first();
  await link.waitFor({ timeout: 60_000 });
  await page.screenshot({ path: process.env['ASSENT_PICTURES'] ?? '/dev/null', type: 'png' });
  const place = new URL((await link.getAttribute('href')) ?? '');
  expect(place.origin).toBe(web);

  const port = await plainDoor({ ...behind, from: '127.0.0.9', domain, ca: certificate.authority });
  const hers = await logInQuickly(port, anna, 'objects');
  expect(await hers.archive()).toContain(place.href);
  hers.close();
  expect(await (await fetch(`http://127.0.0.1:${port}${place.pathname}`)).text()).toBe('the plan');
  const hosts = asked.filter((url) => !/^(data|blob|about):/.test(url)).map((url) => new URL(url).host);
  expect([...new Set(hosts)], 'the WebClient asks nobody else').toEqual([`${domain}:${ports.webPort}`]);
  const others = proxy.asked.filter((host) => !ofChromiumItself.test(host));
  expect([...new Set(others)], 'nor does the browser for it').toEqual([`${domain}:${ports.webPort}`]);
};
