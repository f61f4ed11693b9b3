/**
 * Rehearsals with real servers: an upgrade that would fail is refused while the old server answers, without one lost poll; a copied mail queue sends
 * nothing; a copied database is migrated, and the live one is untouched; and nothing of it is left, whatever ends it.
 */

import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { missingTools } from '../../src/source/compiler.ts';
import { sendMail, smtpBanner } from '../support/mail.ts';
import { looksOf } from '../support/oracle.ts';
import { withoutMigration } from '../support/quick-product.ts';
import { cantRehearse, documentOf, expectNothingLeft } from '../support/rehearsed.ts';
import { freePort, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { repository, seedStore } from '../support/seed.ts';
import { change, refused, set, touchedDigest } from '../support/steps.ts';

const isSkipped = cantRehearse();

describe.skipIf(isSkipped)('a rehearsal', () => {
  it('finds what would fail while the old server answers', async () => {
    const folder = makeSandbox();
    onTestFinished(() => removeSandbox(folder));
    const manifest = withoutMigration(folder);
    const world = await scenario([`${manifest}@3.0.4`, `${manifest}@3.3.4`]);
    const smtpPort = await freePort();
    await change(world, 'install', `${manifest}@3.0.4`, ...set({ smtpPort, domain: 'example.org' }));
    await sendMail(smtpPort, 'one', 'somebody@example.org');
    const recipient = await listening();
    await deliverTo(world, recipient.port);
    queueMail(world);
    const looks = () => looksOf(world, 'haraka', () => smtpBanner(smtpPort));
    const before = await looks();

    const poll = polling(smtpPort);
    const refusal = await refused(world, 3, 'refused-rehearsal', 'upgrade', 'haraka');
    const { answers, lost } = await poll.end();
    expect(lost).toEqual([]);
    expect(answers.length).toBeGreaterThan(20);
    expect(new Set(answers)).toEqual(new Set([expect.stringContaining('Haraka/3.0.4')]));
    expect(refusal).toMatchObject({ outcome: 'refused', changed: false });
    expect(refusal.error.message).toContain("reading 'greeting'");
    expect(refusal.error.advice).toContain('Haraka 3.0.4 still answers');
    expect(refusal.error.advice).toContain('assent upgrade haraka --no-rehearsal');
    expect(await looks()).toEqual(before);
    expectNothingLeft(world, 'haraka');
    expect(recipient.connections(), 'the copied queue sends nothing').toBe(0);

    const undone = await refused(world, 6, 'change-undone', 'upgrade', 'haraka', '--no-rehearsal');
    expect(undone.outcome).toBe('undone');
    expect(await smtpBanner(smtpPort)).toContain('Haraka/3.0.4');
    await expect.poll(recipient.connections, { timeout: 60_000 }).toBeGreaterThan(0);
  });
});

const actual = ['actual@25.6.0', 'actual@26.9.0'];
const missing = missingTools();
const isWithoutActual = isSkipped || (missing.length > 0 && !process.env.CI);
if (missing.length > 0) process.stderr.write(`skipped, a rehearsal with databases: without ${missing.join(', ')}\n`);

describe.skipIf(isWithoutActual)('a rehearsal with databases', () => {
  beforeAll(() => seedStore(actual), 1_800_000);

  it('migrates its own copy, and not a byte of the live ones', async () => {
    const world = await scenario(actual);
    const webPort = await freePort();
    await change(world, 'install', 'actual@25.6.0', ...set({ webPort }));
    const data = world.path('instances/actual/data');
    const copy = world.path('scratch/actual/instance/data');
    const migrated = (folder: string): boolean =>
      existsSync(join(folder, '.migrate')) && readFileSync(join(folder, '.migrate'), 'utf8').includes(migration);
    const before = touchedDigest(data);

    const env = { NODE_OPTIONS: `--import=${pauseAt}`, ASSENT_TEST_PAUSE: '"entry":"open"' };
    const upgrade = world.start(['upgrade', 'actual', '--yes', '--telemetry=off', '--json'], { env });
    const done = documentOf(upgrade);
    let wasMigrated = false;
    const sawMigrated = (): boolean => {
      wasMigrated = wasMigrated || migrated(copy);
      return wasMigrated;
    };
    await expect
      .poll(() => sawMigrated() && existsSync(world.path('instances/actual/journal/open.jsonl')), {
        timeout: 120_000,
        interval: 20,
      })
      .toBe(true);
    expect(touchedDigest(data), 'the live data').toBe(before);
    expect(migrated(data)).toBe(false);
    expectNothingLeft(world, 'actual', /\.next$|^journal/);
    upgrade.kill('SIGCONT');
    expect(await done).toMatchObject({ outcome: 'upgraded', warnings: noRehearsalWarning });
    expect(migrated(data)).toBe(true);
    expectNothingLeft(world, 'actual');
  });
});

/** One that 26.9.0 brings. */
const migration = 'server-global-prefs';
const noRehearsalWarning = expect.not.arrayContaining([expect.objectContaining({ id: 'no-rehearsal' })]);
const pauseAt = join(repository, 'test/support/pause-at.mjs');

/** Somebody who waits for mail, on this machine. */
const listening = async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => {}).end('421 not now\r\n', () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
};

/** Has Haraka deliver every mail there, by a plugin of one's own. */
const deliverTo = async (world: Scenario, port: number): Promise<void> => {
  const config = world.path('instances/haraka/config');
  const mx = JSON.stringify({ priority: 0, exchange: '127.0.0.1', port });
  writeFileSync(join(config, 'plugins/force.js'), `exports.hook_get_mx = (next) => next(OK, ${mx});\n`);
  appendFileSync(join(config, 'config/plugins'), 'force\n');
  expect((await world.json(['restart', 'haraka'])).exit).toBe(0);
};

/** A mail as Haraka queues it: the length of what it has to know, that as JSON, and the mail. It is looked for at the next start. */
const queueMail = (world: Scenario): void => {
  const domain = 'elsewhere.example';
  const user = 'somebody';
  const rcpt = { original: `<${user}@${domain}>`, original_host: domain, host: domain, user };
  const uuid = 'AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE.1';
  const from = { original: '<sender@example.org>', original_host: 'example.org', host: 'example.org', user: 'sender' };
  const todo = JSON.stringify({ queue_time: Date.now(), domain, rcpt_to: [rcpt], mail_from: from, notes: {}, uuid });
  const length = Buffer.alloc(4);
  length.writeUInt32BE(todo.length);
  const mail = `From: <sender@example.org>\r\nTo: <${user}@${domain}>\r\nSubject: queued\r\n\r\nText.\r\n`;
  const name = `${Date.now()}_${Date.now()}_0_4242_abcdef_1_localhost`;
  writeFileSync(
    join(world.path('instances/haraka/data/queue'), name),
    Buffer.concat([length, Buffer.from(todo + mail)]),
    {
      mode: 0o644,
    },
  );
};

/** Speaks SMTP every 50 ms until it is ended. */
const polling = (port: number) => {
  const answers: string[] = [];
  const lost: string[] = [];
  let going = true;
  const loop = (async () => {
    while (going) {
      await smtpBanner(port).then(
        (banner) => (banner.startsWith('220 ') ? answers : lost).push(banner),
        (error: Error) => lost.push(error.message),
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return {
    end: async () => {
      going = false;
      await loop;
      return { answers, lost };
    },
  };
};
