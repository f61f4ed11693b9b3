/**
 * Every command around one real server, as a script sees it: exit codes, the one document, what happens when nobody reads any more,
 * and signals. Changes themselves are looked at elsewhere; here it is about how they are told.
 */
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../support/sandbox.ts';
import { endScenario, makeScenario, type Scenario, scenario } from '../support/scenario.ts';
import { terminal } from '../support/terminal.ts';

let world: Scenario;
let ports: string[];
beforeAll(async () => {
  world = await makeScenario(['maildev@3.0.0']);
  const [web, smtp] = await freePorts(2);
  ports = ['--set', `webPort=${web}`, '--set', `smtpPort=${smtp}`];
});
afterAll(() => endScenario(world));

const exitOf = async (child: ReturnType<Scenario['start']>) => ((await once(child, 'close')) as [number | null])[0];
const statusOf = async () => (await world.json(['status', 'maildev'])).document.instance;

describe('a person at a terminal', () => {
  it('is walked through an installation, says yes, and sees how it stands', async () => {
    const screen = terminal(world, ['install', ...ports, '--set', 'listen=127.0.0.1'], { columns: 100 });
    await screen.see('MailDev 3.0.0');
    await screen.see('WebClient');
    await screen.see('Count them? (y/N, p to preview)');
    screen.type('y\r');
    await screen.see('The plan');
    await screen.see('Go ahead? (Y/n)');
    screen.type('\r');
    await screen.see('✔ health', 60_000);
    await screen.see('MailDev 3.0.0 is running and healthy.');
    await screen.see('secrets/webPassword');
    await screen.see('on: you accepted for this installation');
    expect(await screen.ended()).toBe(0);
    const password = readFileSync(world.path('instances/maildev/secrets/webPassword'), 'utf8').trim();
    expect(screen.text()).not.toContain(password);
    expect(statSync(world.path('instances/maildev/secrets/webPassword')).mode & 0o777).toBe(0o600);
  });

  it('is offered a reinstallation where other settings are given', async () => {
    const [other] = await freePorts(1);
    const screen = terminal(world, ['install', 'maildev', '--set', `webPort=${other}`]);
    await screen.see('is installed as "maildev" already');
    await screen.see('(y/N)');
    screen.type('\r');
    expect(await screen.ended()).toBe(2);
    expect(screen.text()).toContain('assent reinstall maildev');
  });

  it('gets no question behind --telemetry=off --yes', async () => {
    const screen = terminal(world, ['install', 'maildev', '--telemetry=off', '--yes']);
    expect(await screen.ended()).toBe(0);
    await screen.see('Nothing to do');
    expect(screen.text().match(/Nothing to do/g)).toHaveLength(1);
    expect((await world.json(['telemetry', 'status', 'maildev'])).document.consent.state).toBe('withdrawn');
  });
});

it('a plan at a terminal has one empty line above and below it', async () => {
  const screen = terminal(world, ['reinstall', '--dry-run', '--telemetry=off']);
  expect(await screen.ended()).toBe(0);
  await screen.see('The plan for maildev');
  const refused = terminal(world, ['uninstall', '--purge', '--ack', 'nothing', '--dry-run']);
  expect(await refused.ended()).toBe(2);
  for (const shown of [screen, refused]) {
    expect(shown.text()).toMatch(/\n\r?\n {2}The plan/);
    expect(shown.text()).not.toMatch(/\n\r?\n\r?\n/);
  }
});

describe('one document', () => {
  it.each([
    ['status', { outcome: 'unchanged', changed: false }],
    ['status maildev', { outcome: 'unchanged', changed: false }],
    ['telemetry', { command: 'telemetry status' }],
    ['telemetry status maildev', { consent: { collecting: false, reason: 'withdrawn' } }],
    ['telemetry history maildev', { whole: true }],
    ['telemetry receipt maildev', { receipt: { schema: 'assent-receipt/1' } }],
    ['telemetry notice maildev', { notice: { id: expect.stringMatching(/^n[0-9a-f]{16}$/) } }],
    ['telemetry notice haraka', { outcome: 'unchanged' }],
    ['products', { command: 'products list' }],
    ['products show haraka', { products: [{ name: 'haraka' }] }],
    ['doctor', { ok: true, findings: [] }],
    ['logs maildev', { lines: expect.any(Array) }],
    ['--version', { command: 'version', version: expect.any(String) }],
    ['recover maildev', { outcome: 'unchanged', changed: false }],
    ['install --yes', { outcome: 'unchanged', changed: false }],
    ['upgrade --yes', { outcome: 'unchanged', changed: false }],
    ['reinstall --dry-run', { outcome: 'planned', changed: false, plan: expect.any(Array) }],
    ['uninstall --dry-run', { outcome: 'planned', changed: false, plan: expect.any(Array) }],
  ])('comes of %s', async (line, expected) => {
    const { exit, document } = await world.json(line.split(' '));
    expect(exit).toBe(0);
    expect(document).toMatchObject({ schema: 'assent/1', ok: true, ...expected });
  });

  it('leaves out what it has nothing for', async () => {
    const { document } = await world.json(['install', '--yes']);
    expect(Object.keys(document).sort()).toEqual(
      ['changed', 'command', 'consent', 'instance', 'noticeId', 'ok', 'outcome', 'schema', 'warnings'].sort(),
    );
  });

  it('has no secret in it', async () => {
    const password = readFileSync(world.path('instances/maildev/secrets/webPassword'), 'utf8').trim();
    for (const line of ['status', 'doctor', 'reinstall --dry-run', 'telemetry receipt']) {
      const { stdout, stderr } = await world.json(line.split(' '));
      expect(stdout + stderr).not.toContain(password);
    }
  });
});

describe('the server', () => {
  it('is stopped, started and restarted, and says whether that changed anything', async () => {
    for (const [line, changed, state] of [
      ['stop', true, 'stopped'],
      ['stop', false, 'stopped'],
      ['start', true, 'running'],
      ['start', false, 'running'],
      ['restart', true, 'running'],
    ] as const) {
      const { exit, document } = await world.json([line]);
      expect({ line, exit, changed: document.changed, state: document.instance?.state }).toEqual({
        line,
        exit: 0,
        changed,
        state,
      });
    }
    expect(await statusOf()).toMatchObject({ state: 'running', health: 'healthy' });
  });

  it('that is down is found by doctor (exit 3) and told by status (exit 0)', async () => {
    await world.json(['stop']);
    const file = world.path('instances/maildev/instance.json');
    const state = readFileSync(file, 'utf8');
    writeFileSync(file, state.replace('"running": false', '"running": true'));
    const { exit, document } = await world.json(['doctor']);
    expect(exit).toBe(3);
    expect(document.error.code).toBe('refused-findings');
    expect(document.findings.map(({ id }: { id: string }) => id)).toEqual(['server-down']);
    expect((await world.json(['status'])).exit).toBe(0);
    expect((await world.json(['start'])).exit).toBe(0);
    expect((await world.json(['doctor'])).exit).toBe(0);
  });

  it('is followed until nobody reads any more', async () => {
    const child = world.start(['logs', '--follow']);
    const ended = exitOf(child);
    await once(child.stdout ?? child, 'data');
    child.stdout?.destroy();
    await world.json(['restart']);
    expect(await ended).toBe(0);
  });
});

describe('telemetry', () => {
  it('is told by exit codes, where that is asked for', async () => {
    expect((await world.run(['telemetry', 'status', '--exit-code'])).exit).toBe(21);
    expect((await world.run(['telemetry', 'status', '--exit-code', '--home', join(world.folder, 'empty')])).exit).toBe(
      24,
    );
    expect(existsSync(join(world.folder, 'empty')), 'asking makes nothing').toBe(false);
  });

  it('finds an altered history', async () => {
    const log = world.path('instances/maildev/consent.log');
    const before = readFileSync(log, 'utf8');
    writeFileSync(log, before.replace('"prompt"', '"flag"'));
    const { exit, document } = await world.json(['telemetry', 'history']);
    expect({ exit, code: document.error.code, whole: document.whole }).toEqual({
      exit: 3,
      code: 'refused-history',
      whole: false,
    });
    const doctor = await world.json(['doctor']);
    expect(doctor.exit).toBe(3);
    expect(doctor.document.findings.map(({ id }: { id: string }) => id)).toContain('history-altered');
    writeFileSync(log, before);
  });
});

describe('a change', () => {
  const started = async (args: readonly string[], step: string) => {
    const child = world.start(['reinstall', '--yes', '--verbose', ...args]);
    let seen = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
    });
    while (!seen.includes(step)) await new Promise((resolve) => setTimeout(resolve, 10));
    return child;
  };
  it('goes on to its end when its output is closed', async () => {
    const { generation } = await statusOf();
    const child = await started([], '· generation');
    child.stdout?.destroy();
    child.stderr?.destroy();
    expect(await exitOf(child)).toBe(0);
    expect(await statusOf()).toMatchObject({ generation: generation + 1, health: 'healthy' });
  });

  it('goes on to its end when its terminal is closed', async () => {
    const { generation } = await statusOf();
    const screen = terminal(world, ['reinstall', '--yes', '--telemetry=off']);
    await screen.see('✔ generation');
    screen.close();
    await screen.ended(60_000);
    expect(await statusOf()).toMatchObject({ generation: generation + 1, health: 'healthy' });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('is undone on %s', async (signal) => {
    const before = await statusOf();
    const child = await started([], '· start');
    child.kill(signal);
    expect(await exitOf(child)).toBe(6);
    const after = await statusOf();
    expect(after).toMatchObject({ version: before.version, state: 'running', health: 'healthy' });
    expect(after.unfinished).toBeUndefined();
  });
});

it('interrupted before anything was changed leaves nothing', async () => {
  const empty = await scenario([]);
  const [web, smtp] = await freePorts(2);
  const args = ['install', 'maildev', '--yes', '--verbose', '--set', `webPort=${web}`, '--set', `smtpPort=${smtp}`];
  const child = empty.start(args);
  const ended = once(child, 'close');
  await once(child.stdout ?? child, 'data');
  child.kill('SIGINT');
  // While it still only looks around it just ends, by the signal, which a shell tells as 130 too.
  const [code, signal] = (await ended) as [number | null, string | null];
  expect([130, 'SIGINT']).toContain(code ?? signal);
  expect(existsSync(empty.path('instances/maildev/instance.json'))).toBe(false);
});
