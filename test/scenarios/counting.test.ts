/**
 * The module inside real servers that know nothing of it: MailDev and Node-RED, with a yes on record, visited by clients with addresses of their own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { withdraw } from '../../src/consent/withdraw.ts';
import { awayFromTheFullHour } from '../support/clock.ts';
import { type Counted, countedInstance } from '../support/counted.ts';
import { freePort, sandbox } from '../support/sandbox.ts';
import { visit } from '../support/visits.ts';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0';
const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  readonly ended: Promise<string>;
  output(): string;
}

const run = async (counted: Counted, port: number, args: readonly string[]): Promise<Running> => {
  const child = spawn(counted.node, ['--import', counted.preload, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (output += data));
  const ended = new Promise<string>((settle) => child.on('close', (code, signal) => settle(signal ?? String(code))));
  await expect
    .poll(() => ask(port, 'GET', '/', 1).catch(() => 0), { timeout: 60_000, interval: 200 })
    .toBeGreaterThan(0);
  return { child, port, ended, output: () => output };
};

/** The status of one request, as the client 127.0.0.N. */
const ask = async (port: number, method: string, path: string, client: number, headers = {}): Promise<number> =>
  (await visit(port, client, path, { method, headers })).status;

const numbersOf = ({ home }: Counted): Record<string, unknown> =>
  Object.fromEntries(
    readdirSync(home.paths.counts).flatMap((name) => {
      const part = JSON.parse(readFileSync(join(home.paths.counts, name), 'utf8'));
      return part.counters.map(({ name: counter, ...numbers }: { name: string }) => [counter, numbers]);
    }),
  );

/** Also under the name that an erasing gives it. */
const holdsFolder = ({ child }: Running, { home }: Counted): boolean =>
  readdirSync(`/proc/${child.pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${child.pid}/fd/${fd}`).startsWith(`${home.paths.folder}/telemetry`);
    } catch {
      return false;
    }
  });

const maildev = async (): Promise<{ counted: Counted; server: Running }> => {
  const counted = await countedInstance(join(sandbox(), 'home'), 'maildev@3.0.0');
  const [web, smtp] = [await freePort(), await freePort()];
  const mail = join(sandbox(), 'mail');
  mkdirSync(mail);
  const args = [`--web=${web}`, '--web-ip=127.0.0.1', `--smtp=${smtp}`, '--ip=127.0.0.1', `--mail-directory=${mail}`];
  const server = await run(counted, web, [join(counted.release, 'node_modules/maildev/dist/bin/maildev.js'), ...args]);
  await deliver(smtp);
  return { counted, server };
};

/** One message, spoken as SMTP without waiting for answers longer than needed. */
const deliver = (port: number): Promise<void> =>
  new Promise((settle, fail) => {
    const lines = [
      'HELO a.example',
      'MAIL FROM:<a@a.example>',
      'RCPT TO:<b@b.example>',
      'DATA',
      'Subject: hello\r\n\r\nhello\r\n.',
      'QUIT',
    ];
    const socket = connect(port, '127.0.0.1');
    socket.on('data', () => void socket.write(`${lines.shift() ?? ''}\r\n`));
    socket.on('error', fail).on('close', () => settle());
  });

test('MailDev: each action by its counter, browsers and hours with five clients at least, and a part when it is told to end', async () => {
  const { counted, server } = await maildev();
  const id = await firstMessage(server.port);
  await awayFromTheFullHour();
  for (let client = 2; client <= 9; client += 1) {
    const headers = { 'user-agent': client < 8 ? firefox : chrome };
    expect(await ask(server.port, 'GET', '/api/email?limit=50', client, headers)).toBe(200);
    expect(await ask(server.port, 'GET', `/api/email/${id}`, client, headers)).toBe(200);
    expect(await ask(server.port, 'GET', `/api/email/${id}/source`, client, { ...headers, 'sec-gpc': '1' })).toBe(200);
    expect(await ask(server.port, 'GET', '/api/email/nothing-of-that-name', client, headers)).toBe(404);
    expect(await ask(server.port, 'GET', '/api/config', client, headers)).toBe(200);
  }
  for (let client = 2; client <= 5; client += 1) await ask(server.port, 'GET', `/api/email/${id}/download`, client);
  expect(readdirSync(counted.home.paths.counts)).toEqual([]);
  expect(holdsFolder(server, counted)).toBe(true);
  server.child.kill('SIGTERM');
  await server.ended;
  const numbers = numbersOf(counted) as Record<string, { total: number; browser: object; hour: object }>;
  // Two clients with Chrome are too few, and the difference to Firefox would tell of them. firstMessage() was a client of its own.
  expect(Object.keys(numbers).sort()).toEqual(['mailbox-opened', 'message-opened']);
  expect(numbers['message-opened']?.total).toBe(8);
  expect(numbers['message-opened']?.browser).toEqual({});
  expect(numbers['mailbox-opened']).toMatchObject({ total: 9 });
  const files = readdirSync(counted.home.paths.counts).map((name) =>
    readFileSync(join(counted.home.paths.counts, name), 'utf8'),
  );
  expect(files.join()).not.toMatch(/127\.0\.0|Mozilla|email\//);
});

const firstMessage = async (port: number): Promise<string> => {
  const list = (await (await fetch(`http://127.0.0.1:${port}/api/email`)).json()) as
    | { id: string }[]
    | { emails: { id: string }[] };
  const [first] = Array.isArray(list) ? list : (Object.values(list).find(Array.isArray) ?? []);
  return (first as { id: string }).id;
};

test('MailDev: a withdrawal stops it soon, and nothing is left or made again', async () => {
  const { counted, server } = await maildev();
  const visits = async () => {
    for (let client = 2; client <= 9; client += 1)
      expect(await ask(server.port, 'GET', '/api/email', client)).toBe(200);
  };
  await visits();
  expect(holdsFolder(server, counted)).toBe(true);
  await withdraw(counted.home.world, counted.home.paths);
  await expect.poll(() => holdsFolder(server, counted), { interval: 20 }).toBe(false);
  await visits();
  server.child.kill('SIGTERM');
  await server.ended;
  expect(existsSync(counted.home.paths.telemetry)).toBe(false);
});

test('Node-RED: its editor is counted in an application that is mounted in another', async () => {
  const counted = await countedInstance(join(sandbox(), 'home'), 'node-red@5.0.7');
  const port = await freePort();
  const red = join(counted.release, 'node_modules/node-red/red.js');
  const server = await run(counted, port, [red, '--port', String(port), '--userDir', sandbox()]);
  await awayFromTheFullHour();
  for (let client = 2; client <= 9; client += 1) {
    expect(await ask(server.port, 'GET', '/', client, { 'user-agent': firefox, accept: 'text/html' })).toBe(200);
    expect(await ask(server.port, 'GET', '/context/global', client, { 'user-agent': firefox })).toBe(200);
    expect(await ask(server.port, 'GET', '/settings', client, { 'user-agent': firefox })).toBe(200);
  }
  server.child.kill('SIGTERM');
  await server.ended;
  const numbers = numbersOf(counted) as Record<string, { total: number; browser: object }>;
  expect(Object.keys(numbers).sort()).toEqual(['context-viewed', 'editor-opened']);
  expect(numbers['context-viewed']).toMatchObject({ total: 8, browser: { firefox: 8 } });
  expect(server.output()).not.toMatch(/count-preload|telemetry\/counts/);
});
