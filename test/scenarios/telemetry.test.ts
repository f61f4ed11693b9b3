/**
 * Usage statistics from the browser to the recipient, and back to nothing: MailDev with a yes, opened by a real Chromium and by six others, a day that
 * ends, a preview, a report at a receiver, a withdrawal. And its twin, who says no, and of whom nothing ever was.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromium, noChromium } from '../support/chromium.ts';
import { awayFromTheFullHour, type Clock, movableClock, noClock } from '../support/clock.ts';
import { sendMail } from '../support/mail.ts';
import { quickProduct } from '../support/quick-product.ts';
import { type Receiver, receiver } from '../support/receiver.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Document, endScenario, makeScenario, readJson, type Scenario } from '../support/scenario.ts';
import { eventually } from '../support/service.ts';
import { set } from '../support/steps.ts';
import { loggedIn, visit } from '../support/visits.ts';

const missing = noClock ?? noChromium;
if (missing !== undefined) console.log(`skipped: usage statistics from browser to recipient, for ${missing}`);

let folder: string;
let product: string;
let clock: Clock;
let world: Scenario;

beforeAll(async () => {
  folder = makeSandbox();
  clock = movableClock(folder);
  product = quickProduct(folder, 'maildev', ({ releases }) => {
    for (const { service } of releases as { service: { environment: object } }[]) {
      Object.assign(service.environment, clock.env);
    }
  });
  if (missing === undefined) world = await makeScenario([`${product}@3.0.0`]);
});
afterAll(async () => {
  if (missing === undefined) await endScenario(world);
  removeSandbox(folder);
});

const run = (...args: string[]) => world.run(args, { env: clock.env });
const json = async (...args: string[]): Promise<Document> => {
  const ended = await world.json(args, { env: clock.env });
  expect(ended.exit, `${args.join(' ')}: ${ended.stderr}`).toBe(0);
  return ended.document;
};

interface Server {
  readonly name: string;
  readonly web: number;
  readonly smtp: number;
  readonly password: string;
  readonly receiver: Receiver;
}

const installed = async (name: string, ...telemetry: string[]): Promise<Server> => {
  const [web = 0, smtp = 0] = await freePorts(2);
  const to = await receiver();
  const settings = set({ webPort: web, smtpPort: smtp, 'telemetry.endpoint': `${to.url}/v1/metrics` });
  const notice = (await json('telemetry', 'notice', `${product}@3.0.0`, ...settings)).notice;
  expect(notice.recipient.endpoint).toBe(`${to.url}/v1/metrics`);
  const flags = telemetry.includes('--telemetry=on') ? [`--telemetry-notice=${notice.id}`] : [];
  const install = ['install', `${product}@3.0.0`, '--name', name, ...settings, '--yes', ...telemetry, ...flags];
  expect(await json(...install)).toMatchObject({ outcome: 'installed' });
  const password = readFileSync(world.path('instances', name, 'secrets/webPassword'), 'utf8').trim();
  return { name, web, smtp, password, receiver: to };
};

const get = async ({ web, password }: Server, client: number, path: string, headers = {}): Promise<string> =>
  (await visit(web, client, path, { headers: { ...loggedIn(password), ...headers } })).text;

/** Chromium reads the newest mail; six others open mailbox and mail, each from an address of its own. */
const visited = async (server: Server): Promise<void> => {
  await sendMail(server.smtp, 'hello');
  await readInChromium(server);
  const [mail] = JSON.parse(await get(server, 1, '/api/email', { 'sec-gpc': '1' })) as [{ id: string }];
  for (let other = 2; other <= 7; other += 1) {
    await get(server, other, '/api/email');
    await get(server, other, `/api/email/${mail.id}`);
  }
};

const readInChromium = async ({ web, password }: Server): Promise<void> => {
  const browser = await chromium({ httpCredentials: { username: 'admin', password } }, ['--disable-gpu']);
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${web}/`);
    await page.getByText('hello').first().click();
    await page
      .getByText('The text of hello')
      .first()
      .waitFor({ state: 'attached', timeout: 10_000 })
      .catch(() => {});
    await page.waitForTimeout(500);
  } finally {
    await browser.close();
  }
};

const at = (server: Server, ...parts: string[]): string => world.path('instances', server.name, ...parts);
const pidOf = (server: Server): number => readJson(at(server, 'run/process.json')).child.pid;
const argumentsOf = (server: Server): string => readFileSync(`/proc/${pidOf(server)}/cmdline`, 'utf8');
const filesOf = (server: Server): string[] =>
  existsSync(at(server, 'telemetry')) ? readdirSync(at(server, 'telemetry'), { recursive: true }).map(String) : [];

interface Metric {
  readonly name: string;
  readonly sum: { dataPoints: { asInt: string; attributes?: { value: { stringValue: string } }[] }[] };
}

const metricsOf = (bytes: Buffer): Record<string, Record<string, number>> => {
  const [resource] = JSON.parse(bytes.toString('utf8')).resourceMetrics;
  const metrics = resource.scopeMetrics[0].metrics as Metric[];
  return Object.fromEntries(
    metrics.map(({ name, sum }) => [
      name,
      Object.fromEntries(
        sum.dataPoints.map(({ attributes = [], asInt }) => [
          attributes[0]?.value.stringValue ?? 'total',
          Number(asInt),
        ]),
      ),
    ]),
  );
};

it.skipIf(missing !== undefined)('counts, closes the day, previews, sends, and is erased', async () => {
  await awayFromTheFullHour(120_000);
  const server = await installed('with-yes', '--telemetry=on');
  expect(argumentsOf(server)).toContain('count-preload');
  expect((await json('telemetry', 'status', server.name)).consent).toMatchObject({ collecting: true });

  // The day of the yes is not wholly inside of it: what is counted on it goes nowhere.
  await visited(server);
  clock.move(1);
  await eventually(() => expect(filesOf(server).filter((name) => name.startsWith('counts/'))).toHaveLength(1));
  expect((await json('telemetry', 'preview', server.name)).preview).toMatchObject({ bytes: 0 });

  const day = clock.day();
  await visited(server);
  clock.move(2);
  await eventually(() => expect(filesOf(server).some((name) => name.startsWith(`counts/${day}`))).toBe(true));
  const preview = Buffer.from((await run('telemetry', 'preview', server.name, '--raw')).stdout);
  const metrics = metricsOf(preview);
  expect(metrics['assent.webclient.message-opened']?.total).toBeGreaterThanOrEqual(7);
  expect(metrics['assent.webclient.mailbox-opened.by_browser']?.chrome).toBeGreaterThanOrEqual(7);
  expect(preview.toString('utf8')).not.toMatch(/127\.0\.0|hello|admin|Mozilla/);
  expect(server.receiver.connections()).toBe(0);

  expect((await json('telemetry', 'send', server.name)).sent).toHaveLength(1);
  expect(server.receiver.received.map(({ body }) => body.toString('utf8'))).toEqual([preview.toString('utf8')]);
  const copies = readdirSync(at(server, 'reports')).filter((name) => !name.includes('outcome'));
  expect(copies.map((name) => readFileSync(at(server, 'reports', name), 'utf8'))).toEqual([preview.toString('utf8')]);
  expect((await json('telemetry', 'send', server.name)).sent ?? []).toEqual([]);

  await visited(server);
  const off = await json('telemetry', 'off', server.name);
  expect(off).toMatchObject({ changed: true, consent: { collecting: false, reason: 'withdrawn' } });
  expect(existsSync(at(server, 'telemetry'))).toBe(false);
  await visited(server);
  clock.move(3);
  expect((await run('stop', server.name)).exit).toBe(0);
  expect(existsSync(at(server, 'telemetry'))).toBe(false);
  expect((await run('start', server.name)).exit).toBe(0);
  expect(argumentsOf(server)).not.toContain('count-preload');
  expect((await json('telemetry', 'send', server.name)).sent ?? []).toEqual([]);
  expect(server.receiver.received).toHaveLength(1);

  // The copy is evidence of what was sent, for as long as the notice says, and then nobody's.
  expect(readdirSync(at(server, 'reports'))).toHaveLength(2);
  clock.move(100);
  await json('telemetry', 'send', server.name);
  expect(readdirSync(at(server, 'reports'))).toEqual([]);
  expect(server.receiver.received).toHaveLength(1);
  clock.move(0);
});

it.skipIf(missing !== undefined)('never was anything after a no', async () => {
  const server = await installed('with-no', '--telemetry=off');
  expect(argumentsOf(server)).not.toContain('count-preload');
  await visited(server);
  clock.move(1);
  await visited(server);
  clock.move(2);
  expect((await run('stop', server.name)).exit).toBe(0);
  expect((await json('telemetry', 'send', server.name)).sent ?? []).toEqual([]);
  expect((await json('telemetry', 'preview', server.name)).preview).toMatchObject({ example: true });
  expect(filesOf(server)).toEqual([]);
  for (const name of ['telemetry', 'reports']) expect(existsSync(at(server, name)), name).toBe(false);
  expect(server.receiver.connections()).toBe(0);
});
