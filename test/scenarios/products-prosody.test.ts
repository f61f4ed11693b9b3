/**
 * Prosody with its WebClient, installed, used, upgraded and rolled back for real: by clients of two makes over TCP and WebSocket, and in a browser.
 *
 * 13.0.1 writes archives that 0.12.3 does not answer for, while page, login and messages look well. So a rollback takes the data of then, and one
 * that insists on the data of now is caught.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { chromium, noChromium } from '../support/chromium.ts';
import { quickProduct } from '../support/quick-product.ts';
import { expectRehearsed } from '../support/rehearsed.ts';
import { freePorts, sandbox } from '../support/sandbox.ts';
import { type Document, readJson, type Scenario, scenario } from '../support/scenario.ts';
import { nobody, seedStore } from '../support/seed.ts';
import { change, expectHealthy, refused, set } from '../support/steps.ts';
import { type Account, hears, logIn, logInQuickly, noSlixmpp, type Session, sendBySlixmpp } from '../support/xmpp.ts';

const releases = ['prosody@0.12.3', 'prosody@13.0.1'];
const why = noChromium ?? noSlixmpp;
if (why !== undefined) console.log(`skipped: Prosody with real clients, for ${why}`);

const domain = 'chat.example';
const edit = '\nmax_history_messages = 25 -- ours\n';

describe.skipIf(why !== undefined)('prosody', () => {
  beforeAll(() => seedStore(releases), 1_800_000);

  it('carries messages, is upgraded with its archive, and goes back with the data of then', async () => {
    const chat = await installed();
    const { world } = chat;
    await exchange(chat, 'before');
    const inBrowser = await useWebClient(chat);
    expect(inBrowser.foreign, 'the WebClient asks nobody else').toEqual([]);
    appendFileSync(world.path('instances/prosody/config/prosody.cfg.lua'), edit);

    const upgraded = await change(world, 'upgrade', 'prosody', '--telemetry=off');
    expectRehearsed(upgraded);
    expect(upgraded).toMatchObject({ outcome: 'upgraded', instance: { version: '13.0.1', previous: '0.12.3' } });
    await answersAs(chat, '13.0.1');
    expect(await archiveOf(chat), 'the archive is intact').toEqual(expect.arrayContaining(said('before')));
    await exchange(chat, 'after');

    await isNotFooled(chat);

    const back = await change(world, 'rollback', 'prosody');
    expect(back).toMatchObject({ outcome: 'rolled-back', instance: { version: '0.12.3', previous: '13.0.1' } });
    expect(back.warnings).toContainEqual(expect.objectContaining({ id: 'data-of-then' }));
    await answersAs(chat, '0.12.3');
    const archive = await archiveOf(chat);
    expect(archive).toEqual(expect.arrayContaining(said('before')));
    expect(archive.filter((body) => said('after').includes(body))).toEqual([]);
    expect(archive, 'checks leave nothing in it').not.toContain('health');
  });

  it('asks about telemetry anew with each change, hands nothing over without a yes, and keeps what its settings say', async () => {
    const product = quickProduct(sandbox(), 'prosody');
    const world = await scenario([`${product}@0.12.3`, `${product}@13.0.1`]);
    const ports = await portsFor();
    const given = set({ domain, archiveDays: 7, uploadMegabytes: 1, ...ports });
    const notice = await world.json(['telemetry', 'notice', `${product}@0.12.3`, ...given]);
    const yes = ['--telemetry=on', `--telemetry-notice=${notice.document.notice.id}`];
    const first = await world.json(['install', `${product}@0.12.3`, '--yes', ...yes, ...given]);
    expect(first.document, first.stderr).toMatchObject({ ok: true, consent: { state: 'accepted', collecting: true } });
    expect(environmentOf(world)).toContain('COUNT_TO=');
    await isClosedToStrangers(world, ports.clientPort);

    const upgraded = await world.json(['upgrade', 'prosody', '--yes', '--no-rehearsal']);
    expect(upgraded.document).toMatchObject({ ok: true, consent: { state: 'not-asked', collecting: false } });
    expect(environmentOf(world)).not.toContain('COUNT_TO=');
    await isClosedToStrangers(world, ports.clientPort);
    await keepsFor7Days(world, ports.webPort);
  });

  it('is never silently plain beyond the machine', async () => {
    const world = await scenario(releases);
    const wide = ['install', 'prosody', ...set({ domain, listen: '0.0.0.0', ...(await portsFor()) })];
    const plain = await refused(world, 3, 'refused-danger', ...wide);
    expect(plain.error.message).toContain('[plain-text]');
    const trial = await world.json([...wide, '--set', 'selfSigned=true', '--dry-run']);
    expect(trial.document.dangers).toEqual([]);
    expect(trial.document.warnings).toContainEqual(expect.objectContaining({ id: 'self-signed' }));
  });
});

interface Chat {
  readonly world: Scenario;
  readonly tcp: string;
  readonly ws: string;
  readonly web: string;
  readonly clientPort: number;
  readonly admin: Account;
  readonly anna: Account;
}

const portsFor = async () => {
  const [clientPort, federationPort, webPort] = (await freePorts(3)) as [number, number, number];
  return { clientPort, federationPort, webPort };
};

/** 0.12.3, with the first account as it was generated, and one that the administrator has made. */
const installed = async (): Promise<Chat> => {
  const world = await scenario(releases);
  const ports = await portsFor();
  const done: Document = await change(world, 'install', 'prosody@0.12.3', ...set({ domain, ...ports }));
  expect(done).toMatchObject({ outcome: 'installed', instance: { health: 'healthy' } });
  const password = readFileSync(world.path('instances/prosody/secrets/adminPassword'), 'utf8').trim();
  const anna = { user: 'anna', domain, password: 'a password of hers' };
  const made = spawnSync('sh', [world.path('instances/prosody/config/prosodyctl'), 'adduser', `anna@${domain}`], {
    input: `${anna.password}\n${anna.password}\n`,
    encoding: 'utf8',
    ...nobody,
  });
  expect(made.status, made.stdout + made.stderr).toBe(0);
  const web = `http://127.0.0.1:${ports.webPort}`;
  const chat = { world, web, clientPort: ports.clientPort, anna, admin: { user: 'admin', domain, password } };
  return {
    ...chat,
    tcp: `xmpp://127.0.0.1:${ports.clientPort}`,
    ws: `ws://127.0.0.1:${ports.webPort}/xmpp-websocket`,
  };
};

const said = (when: string): string[] => [`by TCP, ${when}`, `by WebSocket, ${when}`, `by slixmpp, ${when}`];

/** Anna by TCP and by slixmpp, the administrator by WebSocket. */
const exchange = async ({ tcp, ws, clientPort, anna, admin }: Chat, when: string): Promise<void> => {
  const [byTcp, byWebSocket, bySlixmpp] = said(when) as [string, string, string];
  const [hers, his] = await Promise.all([logIn(tcp, anna), logIn(ws, admin)]);
  await hers.send(`admin@${domain}`, byTcp);
  await hears(his, byTcp);
  await his.send(`anna@${domain}`, byWebSocket);
  await hears(hers, byWebSocket);
  await sendBySlixmpp(clientPort, anna, `admin@${domain}`, bySlixmpp);
  await hears(his, bySlixmpp);
  await Promise.all([hers.end(), his.end()]);
};

const archiveOf = async ({ ws, admin }: Chat): Promise<string[]> => {
  const session: Session = await logIn(ws, admin);
  const archive = await session.archive();
  await session.end();
  return archive;
};

const answersAs = async ({ world }: Chat, version: string): Promise<void> => {
  await expectHealthy(world, 'prosody', version);
  expect(readFileSync(world.path('instances/prosody/config/prosody.cfg.lua'), 'utf8')).toContain(edit.trim());
};

/** Logs in as a person does, and looks at what is shown. */
const useWebClient = async ({ web, admin }: Chat): Promise<{ foreign: string[] }> => {
  const context = await chromium({ viewport: { width: 1200, height: 800 } });
  const asked: string[] = [];
  context.on('request', (request) => asked.push(request.url()));
  const page = context.pages()[0] ?? (await context.newPage());
  page.on('websocket', (socket) => asked.push(socket.url()));
  await page.goto(`${web}/`);
  await page.fill('input[name=jid]', `${admin.user}@${domain}`);
  await page.fill('input[name=password]', admin.password);
  await page.click('input[type=submit]');
  await page.waitForSelector('.xmpp-status', { timeout: 60_000 });
  await expect.poll(() => page.textContent('body'), { timeout: 30_000 }).toContain(`${admin.user}@${domain}`);
  await page.screenshot({ path: process.env['ASSENT_PICTURES'] ?? '/dev/null', type: 'png' });
  const hosts = asked
    .filter((url) => !/^(data|blob|about):/.test(url))
    .filter((url) => new URL(url).host !== new URL(web).host);
  return { foreign: hosts };
};

/** Going back with the data of now has to be accepted as a danger, and is caught by the archive that does not answer. */
const isNotFooled = async (chat: Chat): Promise<void> => {
  const { world } = chat;
  const insists = ['rollback', 'prosody', '--data', 'now'];
  const refusal = await refused(world, 3, 'refused-danger', ...insists);
  expect(refusal.error.message).toContain('[data-format]');
  const undone = await refused(world, 6, 'change-undone', ...insists, '--ack', 'data-format');
  expect(undone).toMatchObject({ outcome: 'undone', changed: false });
  expect(undone.error.message).toMatch(/not healthy within 20 s: .*: the archive can't be read: no answer within 5 s/);
  await answersAs(chat, '13.0.1');
  expect(await archiveOf(chat)).toEqual(expect.arrayContaining([...said('before'), ...said('after')]));
};

const accountDat = 'instances/prosody/data/chat%2eexample/accounts';

/** Nobody is offered an account, and who asks for one gets none. */
const isClosedToStrangers = async (world: Scenario, port: number): Promise<void> => {
  const heard = await speak(port, [
    `<stream:stream to="${domain}" version="1.0" xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">`,
    '<iq type="set" id="r1"><query xmlns="jabber:iq:register"><username>eve</username><password>a password</password></query></iq>',
  ]);
  expect(heard[0]).toContain('</stream:features>');
  expect(heard[0]).not.toContain('iq-register');
  expect(heard[1]).toMatch(/<iq [^>]*type=["']error|<stream:error/);
  expect(readdirSync(world.path(accountDat)).sort()).toEqual(['admin.dat', 'assent%2dhealth.dat']);
};

/** Sends each text once the one before it was answered; the answers. */
const speak = async (port: number, texts: readonly string[]): Promise<string[]> => {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const answers: string[] = [];
  for (const text of texts) {
    socket.write(text);
    let heard = '';
    while (!/<\/(stream:features|iq|stream:error)>|<iq [^>]*\/>$/.test(heard))
      heard += String((await once(socket, 'data'))[0]);
    answers.push(heard);
  }
  return answers;
};

/** A file that is too large finds no place, and of two messages the one that is older than the archive may be is gone after the next start. */
const keepsFor7Days = async (world: Scenario, webPort: number): Promise<void> => {
  const password = readFileSync(world.path('instances/prosody/secrets/adminPassword'), 'utf8').trim();
  const admin = { user: 'admin', domain, password };
  const before = await logInQuickly(webPort, admin);
  await expect(before.upload('large.txt', 'x'.repeat(1024 ** 2 + 1))).rejects.toThrow(/refused .*file-too-large/);
  expect(await before.upload('small.txt', 'x'.repeat(1024 ** 2))).toBe(201);
  for (const body of ['of 8 days ago', 'of 6 days ago']) await before.toMyself(body);
  before.close();

  await world.run(['stop', 'prosody']);
  const data = (name: string): string => world.path('instances/prosody/data/chat%2eexample', name);
  const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);
  const archive = readFileSync(data('archive/admin.list'), 'utf8');
  const aged = archive.split('item(').map((item) => {
    const days = /of (\d) days ago/.exec(item)?.[1];
    return item.replace(
      /(\["when"\] = )\d+/,
      (_, name) => `${name}${Math.floor(daysAgo(Number(days)).getTime() / 1000)}`,
    );
  });
  writeFileSync(data('archive/admin.list'), aged.join('item('));
  // Prosody keeps a list of who has messages of a day, and looks at it once a day.
  const listOf = (day: Date): string =>
    data(`archive_cleanup/${day.toISOString().slice(0, 10).replaceAll('-', '%2d')}.dat`);
  renameSync(listOf(daysAgo(0)), listOf(daysAgo(8)));
  rmSync(data('cron.dat'));
  await world.run(['start', 'prosody']);

  const after = await logInQuickly(webPort, admin);
  const left = async (): Promise<string[]> => [...new Set(await after.archive())];
  await expect.poll(left, { timeout: 30_000 }).toEqual(['of 6 days ago']);
  after.close();
};

/** The environment of the running server, as its account may read it. */
const environmentOf = (world: Scenario): string => {
  const { child } = readJson(world.path('instances/prosody/run/process.json'));
  return readFileSync(`/proc/${child.pid}/environ`, 'utf8');
};
