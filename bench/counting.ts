/**
 * What counting costs: requests per second of MailDev's WebClient with the module against without (servers side by side, asked in turns; the ratio of
 * medians has to be 0.97 at least), the same by the processor time of the servers, which a machine that is busy with others disturbs less, what loading it adds to a start, and the memory of a day with a million distinct clients (less than 10 MB).
 *
 *   node bench/counting.ts [ROUNDS]        default: 100
 *
 * The load is a message list, asked for over 8 connections that stay open; every request is one that is counted.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNotice } from '../src/consent/notice-file.ts';
import { readState } from '../src/instance/state.ts';
import { makeDay } from '../src/telemetry/counting/day.ts';
import { compileRoutes } from '../src/telemetry/counting/routes.ts';
import { type Counted, countedInstance } from '../test/support/counted.ts';
import { freePort } from './lent-program.ts';

const rounds = Number(process.argv[2] ?? 100);
const requests = 480;
const connections = 8;
const base = mkdtempSync(join(tmpdir(), 'assent-bench-'));
const agents = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
];

const startMaildev = async (
  { node, release }: Counted,
  flags: readonly string[],
): Promise<{ child: ChildProcess; port: number }> => {
  const [port, smtp] = [await freePort(), await freePort()];
  const mail = mkdtempSync(join(base, 'mail-'));
  const args = [`--web=${port}`, '--web-ip=127.0.0.1', `--smtp=${smtp}`, '--ip=127.0.0.1', `--mail-directory=${mail}`];
  const program = join(release, 'node_modules/maildev/dist/bin/maildev.js');
  const child = spawn(node, [...flags, program, ...args], {
    stdio: 'ignore',
    env: { ...process.env, NODE_ENV: 'production' },
  });
  for (let attempt = 0; attempt < 150; attempt += 1) {
    const isUp = await fetch(`http://127.0.0.1:${port}/api/email`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return { child, port };
    await new Promise((settle) => setTimeout(settle, 200));
  }
  throw new Error('MailDev does not answer');
};

/** Requests per second over one round. Each connection is a client with an address of its own. */
const load = async (port: number): Promise<number> => {
  const one = (agent: Agent, client: number): Promise<void> =>
    new Promise((settle, fail) => {
      const headers = { 'user-agent': agents[client % agents.length] };
      const localAddress = `127.0.0.${2 + client}`;
      const options = { host: '127.0.0.1', port, path: '/api/email?skip=0&limit=50', agent, headers, localAddress };
      get(options, (response) => void response.resume().on('end', settle)).on('error', fail);
    });
  const started = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async (_, client) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let at = 0; at < requests / connections; at += 1) await one(agent, client);
      agent.destroy();
    }),
  );
  return (requests / (performance.now() - started)) * 1000;
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const row = (what: string, measured: string, allowed: string): void =>
  console.log(`${what.padEnd(62)}${measured.padEnd(34)}${allowed}`);

const throughput = async (counted: Counted): Promise<void> => {
  const servers = {
    without: await startMaildev(counted, []),
    with: await startMaildev(counted, ['--import', counted.preload]),
  };
  const speeds: Record<Kind, number[]> = { without: [], with: [] };
  const costs: Record<Kind, number[]> = { without: [], with: [] };
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const kind of round % 2 === 0 ? (['without', 'with'] as const) : (['with', 'without'] as const)) {
      const { child, port } = servers[kind];
      const before = processorMs(child.pid);
      const speed = await load(port);
      if (round < 0) continue;
      speeds[kind].push(speed);
      costs[kind].push(((processorMs(child.pid) - before) / requests) * 1000);
    }
  }
  for (const { child } of Object.values(servers)) child.kill('SIGTERM');
  const ratio = (values: Record<Kind, number[]>): number => median(values.with) / median(values.without);
  row('requests per second, MailDev without', median(speeds.without).toFixed(0), '');
  row('requests per second, MailDev with', median(speeds.with).toFixed(0), '');
  row('with / without: ratio of medians', ratio(speeds).toFixed(3), '>= 0.97');
  const [bare, ours] = [median(costs.without), median(costs.with)];
  row('processor time a request, without and with', `${bare.toFixed(1)}, ${ours.toFixed(1)} microseconds`, '');
  row('the ratio by it', (bare / ours).toFixed(3), '>= 0.97');
};

type Kind = 'without' | 'with';
const warmUp = 20;

/** Processor time of the thread that serves, so far. */
const processorMs = (pid: number | undefined): number =>
  Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;

const startCost = ({ node, preload }: Counted): void => {
  const time = (flags: readonly string[]): number => {
    const started = performance.now();
    spawnSync(node, [...flags, '-e', '0']);
    return performance.now() - started;
  };
  const added = Array.from({ length: 21 }, () => -time([]) + time(['--import', preload]));
  row('added to the start of a server, median', `${median(added).toFixed(1)} ms`, '');
};

/** A day as busy as it can be: eight counters, all browsers that are written here, all hours, a million addresses. */
const memory = ({ home }: Counted): void => {
  const id = readState(home.paths)?.noticeId;
  const notice = id ? readNotice(home.paths, id) : undefined;
  if (!id || notice === undefined || globalThis.gc === undefined) throw new Error('no notice, or no --expose-gc');
  const match = compileRoutes(notice.counters);
  const urls = notice.counters.map(({ routes }) => (routes[0] ?? '').replace(/:\w+/g, 'a1b2').split(' '));
  const used = (): number => {
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  const day = makeDay('2026-11-25', { id, notice, match }, new Uint8Array(16).fill(7));
  const started = performance.now();
  const clients = 1_000_000;
  for (let client = 0; client < clients; client += 1) {
    const [method = '', url = ''] = urls[client % urls.length] ?? [];
    const address = `${11 + (client >> 20)}.${(client >> 14) & 63}.${(client >> 7) & 127}.${client & 127}`;
    const at = new Date(Date.UTC(2026, 10, 25, (client >> 3) % 24));
    day.add({ method, url, address, userAgent: userAgents[(client >> 5) % userAgents.length], status: 200, at }, at);
  }
  const microseconds = ((performance.now() - started) * 1000) / clients;
  row('memory at a million distinct clients', `${((used() - before) / 1e6).toFixed(2)} MB`, '< 10 MB');
  row('a counted request', `${microseconds.toFixed(2)} microseconds`, '');
  const closing = performance.now();
  const part = day.part();
  row('closing that day', `${(performance.now() - closing).toFixed(0)} ms, ${JSON.stringify(part).length} bytes`, '');
};

const phone = 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)';
const desktop =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';
const userAgents = [
  ...agents,
  `${desktop} Edg/126.0.0.0`,
  `${desktop} OPR/111.0.0.0`,
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15',
  'curl/8.5.0',
  `${phone} Chrome/126.0.0.0 Mobile Safari/537.36`,
  `${phone} Chrome/126.0.0.0 Mobile Safari/537.36 EdgA/125.0.2535.96`,
  `${phone} Chrome/126.0.0.0 Mobile Safari/537.36 OPR/76.2.4027.73374`,
  `${phone} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36`,
  `${phone} Version/4.0 Chrome/57.0.2987.108 UCBrowser/12.13.5.1209 Mobile Safari/537.36`,
  'Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1',
];

const { setFlagsFromString } = await import('node:v8');
setFlagsFromString('--expose-gc');
globalThis.gc ??= (await import('node:vm')).runInNewContext('gc') as typeof globalThis.gc;
const counted = await countedInstance(join(base, 'home'), 'maildev@3.0.0');
row('what', 'measured', 'allowed');
memory(counted);
startCost(counted);
await throughput(counted);
rmSync(base, { recursive: true });
