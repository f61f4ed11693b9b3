/**
 * `telemetry prove`, for real: a MailDev that sends nothing is clean, and a server whose own switch lies is caught with the destination, although it
 * says that its telemetry is off. Skipped, with the reason printed, where the tests don't run as root or namespaces can't be made; never in CI.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgetAccount } from '../support/as-root.ts';
import { quickProduct } from '../support/quick-product.ts';
import { freePorts, isRoot, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Document, endScenario, makeScenario, readJson, type Scenario, scenario } from '../support/scenario.ts';
import { repository } from '../support/seed.ts';
import { set, touchedDigest } from '../support/steps.ts';
import { terminal } from '../support/terminal.ts';

const missing = ['unshare', 'ip', 'tcpdump', 'strace'].filter((name) => spawnSync('which', [name]).status !== 0);
const canIsolate = spawnSync('unshare', ['-m', '-n', '-p', '-f', 'ip', 'link', 'set', 'lo', 'up']).status === 0;
const why = !isRoot
  ? 'not root'
  : missing.length > 0
    ? `without ${missing.join(', ')}`
    : canIsolate
      ? ''
      : 'no namespaces';
const skipped = why !== '' && !process.env.CI;
if (skipped) process.stderr.write(`skipped, telemetry prove: ${why}\n`);

/** MailDev's release, in which quite another server is started. */
const makeLiar = (folder: string): string => {
  const file = quickProduct(folder, 'maildev', (manifest) => {
    const { releases } = manifest as unknown as { releases: { version: string; health: object }[] };
    const [release] = releases.filter(({ version }) => version === '3.0.0');
    const { webPort } = manifest.settings as { webPort: object };
    Object.assign(release ?? {}, {
      service: { command: ['{{node}}', '{{config}}/liar.mjs', '{{webPort}}'] },
      config: [{ template: 'templates/liar.mjs', file: 'liar.mjs' }],
      health: { stableSeconds: 0, checks: [{ kind: 'http', url: '{{urls.web}}/' }] },
      ownTelemetry: {
        summary: 'It says nothing of it',
        off: [{ kind: 'environment', name: 'LIAR_TELEMETRY', value: '0' }],
        readBack: { kind: 'http', url: '{{urls.web}}/state', json: { path: 'telemetry' }, off: false },
      },
    });
    const settings = { webPort };
    Object.assign(manifest, { name: 'liar', title: 'Liar', settings, releases: [release] });
    Object.assign(manifest, { urls: { web: 'http://127.0.0.1:{{webPort}}' } });
    delete manifest.login;
    delete manifest.telemetry;
  });
  mkdirSync(join(dirname(file), 'templates'), { recursive: true });
  cpSync(join(repository, 'test/fixtures/servers/liar.mjs'), join(dirname(file), 'templates/liar.mjs'));
  return file;
};

describe.skipIf(skipped)('telemetry prove', () => {
  let folder: string;
  let world: Scenario;
  let liar: string;
  const [mail, lies] = [`p${process.pid}m`, `p${process.pid}l`];
  beforeAll(async () => {
    folder = makeSandbox();
    liar = makeLiar(makeSandbox(folder));
    const product = quickProduct(folder, 'maildev');
    world = await makeScenario([`${product}@3.0.0`, `${liar}@3.0.0`], { asRoot: true });
    const [webPort = 0, smtpPort = 0, other = 0] = await freePorts(3);
    const common = ['--supervisor', 'process', '--yes', '--telemetry=off'];
    for (const args of [
      [product, '--name', mail, ...set({ webPort, smtpPort })],
      [liar, '--name', lies, ...set({ webPort: other })],
    ]) {
      const run = await world.json(['install', ...args, ...common]);
      expect(run, run.stderr).toMatchObject({ exit: 0 });
    }
  });
  afterAll(async () => {
    for (const name of [mail, lies]) {
      await world.run(['uninstall', name, '--purge', '--ack', 'purge-data', '--yes']);
      forgetAccount(`assent-${name}`);
    }
    await endScenario(world);
    removeSandbox(folder);
  });

  const prove = (name: string) => world.json(['telemetry', 'prove', name, '--seconds', '2']);
  const place = (name: string): string => world.path('instances', name);
  const untouched = (name: string): Document => ({
    files: touchedDigest(place(name), ['logs', 'run']),
    pid: readJson(join(place(name), 'run/process.json')).child.pid,
    locks: readdirSync(world.path('locks')).filter((lock) => !lock.includes('scratch')),
  });

  it('finds MailDev clean with consent off, and sees the yes of the control at work', async () => {
    const before = untouched(mail);
    const run = await prove(mail);
    expect(untouched(mail)).toEqual(before);
    const { off, on, means, verdict, reasons } = run.document.proof;
    expect(off, run.stderr).toMatchObject({ packets: [], lookups: [], destinations: [], counted: [], worthless: null });
    expect(off.traffic).toMatchObject({ mails: 1, failed: [] });
    expect(off.traffic.requests).toBeGreaterThan(10);
    expect(off.files.some((path: string) => path.startsWith('data/mail/'))).toBe(true);
    expect(means.map(({ id, used }: Document) => [id, used])).toEqual([
      ['packets', true],
      ['calls', true],
      ['lookups', true],
      ['connections', true],
    ]);
    expect(on.worthless).toBe(null);
    expect(on.counted.map(({ path }: Document) => path)).toEqual([
      expect.stringMatching(/^telemetry\/counts\/\d{4}-\d\d-\d\d\.[0-9a-f]{16}\.json$/),
    ]);
    expect(on.sent.bytes).toBeGreaterThan(100);
    expect(on.destinations).toEqual([]);
    expect({ verdict, reasons, exit: run.exit }).toEqual({ verdict: 'clean', reasons: [], exit: 0 });
    expect(existsSync(world.path('scratch'))).toBe(false);
  });

  it('catches a server whose switch lies, with the destination', async () => {
    const status = await world.json(['status', lies]);
    expect(status.document.instance.ownTelemetry, 'it says that it obeys').toMatchObject({ obeyed: true });
    const before = untouched(lies);
    const run = await prove(lies);
    expect(untouched(lies)).toEqual(before);
    expect(run, run.stderr).toMatchObject({ exit: 3, document: { ok: false, error: { code: 'refused-findings' } } });
    const { off, on, verdict } = run.document.proof;
    expect(verdict).toBe('reaches-out');
    expect(on).toBe(null);
    expect(off.lookups).toEqual(['telemetry.liar.example']);
    expect(off.destinations).toEqual(
      expect.arrayContaining([
        {
          ...{ address: expect.stringMatching(/^198\.18\./), port: 80, name: 'telemetry.liar.example' },
          ...{ seenBy: ['packets', 'calls', 'sink'], said: 'POST /ping HTTP/1.1' },
        },
        { address: '203.0.113.7', port: 4711, name: null, seenBy: ['packets', 'calls'], said: null },
      ]),
    );
    expect(off.destinations).toHaveLength(2);
    expect(run.document.error.message).toContain('telemetry.liar.example');
  });

  it('says what it saw to people', async () => {
    const run = await world.run(['telemetry', 'prove', lies, '--seconds', '0']);
    expect(run.exit).toBe(3);
    expect(run.stdout).toContain('telemetry.liar.example:80 (198.18.');
    expect(run.stdout).toContain('203.0.113.7:4711');
  });

  it('sweeps what a run that was killed has left', async () => {
    const child = world.start(['telemetry', 'prove', lies, '--seconds', '60']);
    const scratch = world.path('scratch', lies);
    while (!existsSync(join(scratch, 'out/calls'))) await new Promise((resolve) => setTimeout(resolve, 50));
    const left = () => spawnSync('pgrep', ['-f', join(scratch, 'out')], { encoding: 'utf8' }).stdout;
    expect(left()).not.toBe('');
    child.kill('SIGKILL');
    await new Promise((resolve) => child.on('close', resolve));
    for (let round = 0; left() !== '' && round < 100; round += 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(left()).toBe('');
    expect(existsSync(scratch)).toBe(true);
    expect((await world.run(['telemetry', 'prove', lies, '--seconds', '0'])).exit).toBe(3);
    expect(existsSync(scratch)).toBe(false);
  });
});

const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', 'unshare', '-r', '-m', '-n', '-p', '-f'];
const mayNobody = spawnSync('setpriv', [...asNobody, 'ip', 'link', 'set', 'lo', 'up']).status === 0;
if (!skipped && !mayNobody)
  process.stderr.write('skipped, telemetry prove by a user: users can make no namespaces here\n');

/** Only root may look at packets; strace, look-ups and connections are enough, for whatever hides from strace is refused. */
describe.skipIf(skipped || (!mayNobody && !process.env.CI))('telemetry prove by a user without rights', () => {
  it('finds Node-RED clean, whose own telemetry is kept off, and says so on 80 columns', async () => {
    const world = await scenario(['node-red@5.0.7']);
    const [webPort = 0] = await freePorts(1);
    const common = ['--supervisor', 'process', '--yes', '--telemetry=off'];
    const install = await world.json(['install', 'node-red@5.0.7', ...set({ webPort }), ...common]);
    expect(install, install.stderr).toMatchObject({ exit: 0 });
    const screen = terminal(world, ['telemetry', 'prove', '--seconds', '1']);
    const exit = await screen.ended(150_000);
    const lines = screen
      .text()
      .split(/\r?\n/)
      .map((line) => line.trimEnd());
    expect(lines.filter((line) => [...line].length > 80)).toEqual([]);
    const textOf = (some: string[]): string => some.map((line) => line.trim()).join(' ');
    const said = textOf(lines);
    expect({ exit, said }).toMatchObject({ exit: 0, said: expect.stringContaining('clean: with consent off nothing') });
    expect(said).toMatch(/not at +packets need to be run as root/);
    const [atOff, atOn] = [lines.indexOf('  consent off'), lines.indexOf('  consent on')];
    const [off, on] = [textOf(lines.slice(atOff, atOn)), textOf(lines.slice(atOn))];
    for (const run of [off, on]) {
      expect(run).toMatch(/traffic +18 requests from 6 clients/);
      expect(run).toMatch(/look-ups +none destinations +none but loopback/);
    }
    expect(off).toMatch(/telemetry +no file reports +none sent/);
    expect(on).toMatch(/telemetry +telemetry\/counts\/\S+ reports +\S+ kB to the sink/);
  });
});
