/**
 * Off means off, live: a MailDev that runs under each supervisor of ours, with a no, and with a yes that is taken back. What it has in its arguments, open
 * and connected is read from /proc, while six people visit it. (Under systemd: systemd-telemetry.test.ts. The whole table of answers,
 * vetoes and histories: off-means-off.test.ts.)
 */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { quickProduct } from '../support/quick-product.ts';
import { type Receiver, receiver } from '../support/receiver.ts';
import { expectCounting, expectNothingCounting, expectNothingOfTelemetry, lookAt } from '../support/running.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Document, endScenario, makeScenario, readJson, type Scenario } from '../support/scenario.ts';
import { eventually } from '../support/service.ts';
import { set } from '../support/steps.ts';
import { sixVisits } from '../support/visits.ts';

let folder: string;
let product: string;
let world: Scenario;
beforeAll(async () => {
  folder = makeSandbox();
  product = quickProduct(folder, 'maildev');
  world = await makeScenario([`${product}@3.0.0`]);
});
afterAll(async () => {
  await endScenario(world);
  removeSandbox(folder);
});

const json = async (...args: string[]): Promise<Document> => {
  const { exit, document, stderr } = await world.json(args);
  expect(exit, `${args.join(' ')}: ${stderr}`).toBe(0);
  return document;
};

type Kind = 'process' | 'none';

interface Server {
  readonly place: string;
  readonly to: Receiver;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly visited: () => Promise<void>;
  readonly look: () => ReturnType<typeof lookAt>;
}

const installed = async (kind: Kind, name: string, say: 'on' | 'off'): Promise<Server> => {
  const [webPort = 0, smtpPort = 0] = await freePorts(2);
  const to = await receiver();
  const settings = set({ webPort, smtpPort, 'telemetry.endpoint': to.url });
  const { notice } = await json('telemetry', 'notice', `${product}@3.0.0`, ...settings);
  const answer = say === 'off' ? ['--telemetry=off'] : ['--telemetry=on', `--telemetry-notice=${notice.id}`];
  await json('install', `${product}@3.0.0`, '--name', name, '--supervisor', kind, ...settings, '--yes', ...answer);
  const place = world.path('instances', name);
  const password = readFileSync(`${place}/secrets/webPassword`, 'utf8').trim();
  const visited = () => eventually(() => sixVisits({ port: webPort, password }), 20_000);
  const look = () => lookAt(readJson(`${place}/run/process.json`).child.pid);
  return { place, to, visited, look, ...(kind === 'none' ? byHand(name) : byCommand(name)) };
};

const byCommand = (name: string): Pick<Server, 'start' | 'stop'> => ({
  start: async () => void (await json('start', name)),
  stop: async () => void (await json('stop', name)),
});

/** `assent run`, as a container has it. */
const byHand = (name: string): Pick<Server, 'start' | 'stop'> => {
  let child: ChildProcess | undefined;
  const stop = async () => {
    const gone = new Promise((done) => child?.on('close', done));
    if (child?.kill('SIGTERM')) await gone;
  };
  onTestFinished(stop);
  return {
    start: async () => {
      child = world.start(['run', name]);
    },
    stop,
  };
};

/** Whoever would count or send beside the server. */
const companions = ({ place }: Server): string => {
  const name = place.split('/').at(-1);
  return spawnSync('pgrep', ['-f', `telemetry (send|follow) ${name} --home ${world.home}`], { encoding: 'utf8' })
    .stdout;
};

const expectNoTrace = (server: Server): void => {
  for (const part of ['telemetry', 'reports']) expect(existsSync(`${server.place}/${part}`), part).toBe(false);
  expect(companions(server)).toBe('');
  expect(server.to.connections()).toBe(0);
};

test.each(['process', 'none'] as const)('%s, declined: nothing is loaded, open, reached or written', async (kind) => {
  const server = await installed(kind, `${kind}-declined`, 'off');
  if (kind === 'none') await server.start();
  await server.visited();
  expectNothingOfTelemetry(server.look(), server.place);
  expectNoTrace(server);
  await server.stop();
  expectNoTrace(server);
});

test.each(['process', 'none'] as const)(
  '%s, withdrawn: what was seen counting stops, and does not come back',
  async (kind) => {
    const server = await installed(kind, `${kind}-withdrawn`, 'on');
    if (kind === 'none') await server.start();
    await server.visited();
    await eventually(() => expectCounting(server.look(), server.place));
    const off = await json('telemetry', 'off', `${kind}-withdrawn`);
    expect(off.consent).toMatchObject({ collecting: false, reason: 'withdrawn' });
    expectNothingCounting(server.look(), server.place);
    await server.visited();
    expectNothingCounting(server.look(), server.place);
    expectNoTrace(server);
    await server.stop();
    await server.start();
    await server.visited();
    expectNothingOfTelemetry(server.look(), server.place);
    expectNoTrace(server);
    await server.stop();
  },
);
