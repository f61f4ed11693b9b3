/**
 * A server's own telemetry, with a real Node-RED whose notice has a section for it: off before every start, on by a yes and only behind
 * a change that has finished, off again at once; and a release that does not obey is told of. Node-RED would send its first
 * ping 30 minutes behind a start, so nothing is sent here.
 */

import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { editManifest, quickProduct } from '../support/quick-product.ts';
import { freePort, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { endScenario, makeScenario, readJson, type Scenario } from '../support/scenario.ts';
import { change, set } from '../support/steps.ts';

interface Manifest {
  readonly defaults: {
    readonly service: { environmentFile?: string };
    readonly config: object[];
    readonly ownTelemetry: Record<string, unknown>;
    readonly health: { stableSeconds: number };
  };
}

/** A yes turns it on, and the notice says so. */
const talkative = (manifest: Record<string, unknown>): void => {
  const { service, config, ownTelemetry, health } = (manifest as unknown as Manifest).defaults;
  health.stableSeconds = 1;
  service.environmentFile = 'server.env';
  config.push({ template: 'templates/server.env', file: 'server.env' });
  const file = '{{data}}/.config.runtime.json';
  Object.assign(ownTelemetry, {
    on: [{ kind: 'json', file, set: { telemetryEnabled: true } }],
    readBack: { ...(ownTelemetry.readBack as object), on: true },
    notice: {
      sends: 'Once a day: versions, numbers of flows and nodes',
      to: 'telemetry.nodered.org, by the Node-RED project',
      identifiers: 'a random identifier of the installation, kept for ever',
      restart: true,
    },
  });
};

/** With a file of variables of its server. */
const wordy = (where: string, change: (manifest: Record<string, unknown>) => void): string => {
  const manifest = quickProduct(where, 'node-red', change);
  writeFileSync(join(where, 'node-red/templates/server.env'), '# Variables of the server\n');
  return manifest;
};

/** Told to be off by a variable that a stored yes beats. */
const disobedient = (manifest: Record<string, unknown>): void => {
  const { ownTelemetry } = (manifest as unknown as Manifest).defaults;
  ownTelemetry.off = [{ kind: 'environment', name: 'NODE_RED_DISABLE_TELEMETRY', value: '1' }];
};

let folder: string;
let product: string;
let world: Scenario;
let web: string;
beforeAll(async () => {
  folder = makeSandbox();
  product = wordy(folder, talkative);
  const deaf = wordy(makeSandbox(folder), (manifest) => {
    talkative(manifest);
    disobedient(manifest);
  });
  world = await makeScenario([`${product}@4.1.15`, `${product}@5.0.7`, `${deaf}@5.0.7`]);
  web = `http://127.0.0.1:${await freePort()}`;
});
afterAll(async () => {
  await endScenario(world);
  removeSandbox(folder);
});

/** What the running server says: true, false, or undefined where it does not answer. */
const told = async (): Promise<boolean | undefined> => {
  try {
    const password = readFileSync(world.path('instances/node-red/secrets/webPassword'), 'utf8').trim();
    const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
    const answer = await fetch(`${web}/settings`, { headers: { authorization, accept: 'application/json' } });
    return ((await answer.json()) as { telemetryEnabled?: boolean }).telemetryEnabled;
  } catch {
    return undefined;
  }
};

/** Before its commit; the journal is renamed away at the end, so that it may be gone at any moment. */
const isOpen = (): boolean => {
  try {
    return !readFileSync(world.path('instances/node-red/journal/open.jsonl'), 'utf8').includes('"entry":"commit"');
  } catch {
    return false;
  }
};

const yes = async (): Promise<string[]> => {
  const { document } = await world.json(['telemetry', 'notice', `${product}@4.1.15`]);
  expect(document.notice.ownTelemetry).toMatchObject({ to: expect.stringContaining('telemetry.nodered.org') });
  expect(document.notice.text).toContain('kept for ever');
  return ['--telemetry=on', `--telemetry-notice=${document.notice.id}`];
};

/** Makes a change with a yes, and asks the server all the time: while the change was open it said, and it never said that it is on. */
const watched = async (...args: string[]): Promise<void> => {
  const [flags, seen] = [await yes(), new Set<boolean | undefined>()];
  let running = true;
  const run = world.json([...args, '--yes', ...flags]).finally(() => (running = false));
  // A rejection is awaited below.
  run.catch(() => undefined);
  while (running) {
    const before = isOpen();
    const says = await told();
    if (before && isOpen()) seen.add(says);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { exit, stderr, document } = await run;
  expect(exit, stderr).toBe(0);
  expect(document).toMatchObject({ consent: { collecting: true }, instance: { state: 'running', health: 'healthy' } });
  expect([...seen]).toContain(false);
  expect([...seen]).not.toContain(true);
};

const pid = (): number => readJson(world.path('instances/node-red/run/process.json')).child.pid;
const install = (): string[] => ['install', `${product}@4.1.15`, ...set({ webPort: new URL(web).port })];

it('is off until a change with a yes has finished, and then on', async () => {
  await watched(...install());
  expect(await told()).toBe(true);
  expect((await world.json(['doctor', 'node-red'])).document.findings).toEqual([]);
  // It stays so when the server is restarted.
  expect((await world.run(['restart', 'node-red'])).exit).toBe(0);
  expect(await told()).toBe(true);
});

it('is off behind "telemetry off", which restarts the server, once', async () => {
  const before = pid();
  const off = await world.json(['telemetry', 'off', 'node-red']);
  expect(off, off.stderr).toMatchObject({ exit: 0, document: { consent: { reason: 'withdrawn', collecting: false } } });
  expect(await told()).toBe(false);
  const after = pid();
  expect(after).not.toBe(before);
  expect((await world.run(['telemetry', 'off', 'node-red'])).exit).toBe(0);
  expect(pid()).toBe(after);
});

it('stays off under a veto in the environment of the server, whatever is accepted, and is on without it', async () => {
  const file = world.path('instances/node-red/config/server.env');
  appendFileSync(file, 'DO_NOT_TRACK=1\n');
  const run = await world.json(['reinstall', 'node-red', '--yes', ...(await yes())]);
  expect(run, run.stderr).toMatchObject({ exit: 0, document: { ok: true } });
  expect(await told()).toBe(false);
  const { instance } = (await world.json(['status', 'node-red'])).document;
  expect(instance).toMatchObject({ ownTelemetry: { obeyed: true }, consent: { reason: 'do-not-track' } });
  expect((await world.json(['telemetry', 'status', 'node-red'])).document.consent.reason).toBe('do-not-track');
  expect((await world.json(['doctor', 'node-red'])).document.findings).toEqual([]);
  expect((await world.run(['restart', 'node-red'])).exit).toBe(0);
  expect(await told()).toBe(false);

  writeFileSync(file, readFileSync(file, 'utf8').replace('DO_NOT_TRACK=1\n', ''));
  expect((await world.run(['restart', 'node-red'])).exit).toBe(0);
  expect(await told()).toBe(true);
  expect((await world.run(['telemetry', 'off', 'node-red'])).exit).toBe(0);
});

it('is off behind the next change: a reinstallation with a yes, an upgrade where nobody is asked', async () => {
  await watched('reinstall', 'node-red');
  expect(await told()).toBe(true);
  const run = await world.json(['upgrade', 'node-red', '--yes']);
  expect(run, run.stderr).toMatchObject({ exit: 0, document: { consent: { reason: 'not-asked' } } });
  expect(await told()).toBe(false);
  expect((await world.json(['status', 'node-red'])).document.instance.ownTelemetry).toMatchObject({ obeyed: true });
});

it('of a server that does not obey is told by the change, by status and by doctor, and fails nothing', async () => {
  await watched('reinstall', 'node-red');
  editManifest(product, disobedient);
  const run = await world.json(['reinstall', 'node-red', '--yes']);
  expect(run, run.stderr).toMatchObject({ exit: 0, document: { ok: true, consent: { reason: 'not-asked' } } });
  expect(await told(), 'the stored yes of before beats its only switch').toBe(true);
  const warned = run.document.warnings.filter(({ id }: { id: string }) => id === 'own-telemetry');
  expect(warned).toEqual([expect.objectContaining({ message: expect.stringContaining('telemetryEnabled = true') })]);

  const status = await world.json(['status', 'node-red']);
  expect(status).toMatchObject({ exit: 0, document: { instance: { ownTelemetry: { obeyed: false } } } });
  expect((await world.run(['status', 'node-red'])).stdout).toContain('own telemetry does not obey');
  const doctor = await world.json(['doctor', 'node-red']);
  expect(doctor.exit).toBe(3);
  expect(doctor.document.findings.map(({ id }: { id: string }) => id)).toEqual(['own-telemetry']);

  const again = await world.json(['reinstall', 'node-red', '--yes', '--telemetry=off']);
  expect(again, again.stderr).toMatchObject({ exit: 0, document: { ok: true, consent: { state: 'declined' } } });
  const off = await world.json(['telemetry', 'off', 'node-red']);
  expect(off).toMatchObject({ exit: 7, document: { error: { code: 'withdrawal-still-sending' } } });
  expect(off.document).toMatchObject({
    outcome: 'failed',
    changed: true,
    instance: { name: 'node-red' },
    consent: { state: 'withdrawn' },
  });
  expect(off.document.error.message).toContain('still sending until restarted');
  expect((await world.json(['telemetry', 'status', 'node-red'])).document.consent.reason).toBe('withdrawn');
});

it('is no reason not to uninstall', async () => {
  await change(world, 'uninstall', 'node-red', '--purge', '--ack', 'purge-data');
});
