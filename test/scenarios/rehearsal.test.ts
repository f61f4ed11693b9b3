/**
 * Rehearsals with real servers: an upgrade that would fail is refused while the old server answers, without one lost poll; a copied mail queue sends
 * nothing; a copied database is migrated, and the live one is untouched; and nothing of it is left, whatever ends it.
 */

import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sendMail, smtpBanner } from '../support/mail.ts';
import { leftovers } from '../support/oracle.ts';
import { withoutMigration } from '../support/quick-product.ts';
import { freePort, isRoot, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { change, refused, set, touchedDigest } from '../support/steps.ts';

describe('a rehearsal', () => {
  it.skipIf(!isRoot)('finds what would fail while the old server answers', async ({ onTestFinished }) => {
    const folder = makeSandbox();
    onTestFinished(() => removeSandbox(folder));
    const manifest = withoutMigration(folder);
    const world = await scenario([`${manifest}@3.0.4`, `${manifest}@3.3.4`], onTestFinished);
    const smtpPort = await freePort();
    await change(world, 'install', `${manifest}@3.0.4`, ...set({ smtpPort, domain: 'example.org' }));
    await sendMail(smtpPort, 'one', 'somebody@example.org');
    const recipient = await listening(onTestFinished);
    queueMail(world, recipient.address);
    const instance = world.path('instances/haraka');
    const before = touchedDigest(instance, ['logs']);

    const poll = polling(smtpPort);
    const refusal = await refused(world, 3, 'refused-rehearsal', 'upgrade', 'haraka');
    const { answers, lost } = await poll.end();
    expect(lost).toEqual([]);
    expect(answers.length).toBeGreaterThan(20);
    expect(new Set(answers)).toEqual(new Set([expect.stringContaining('Haraka/3.0.4')]));
    expect(refusal).toMatchObject({ outcome: 'refused', changed: false });
    expect(refusal.plan.map(({ id }: { id: string }) => id)).toContain('rehearse');
    expect(refusal.error.message).toContain("reading 'greeting'");
    expect(refusal.error.advice).toContain('Haraka 3.0.4 still answers');
    expect(refusal.error.advice).toContain('assent upgrade haraka --no-rehearsal');
    expect(touchedDigest(instance, ['logs']), 'refused is untouched').toBe(before);
    expectNothingLeft(world, 'haraka');
    expect(recipient.connections(), 'the copied queue sends nothing').toBe(0);

    const undone = await refused(world, 6, 'change-undone', 'upgrade', 'haraka', '--no-rehearsal');
    expect(undone.plan.map(({ id }: { id: string }) => id)).not.toContain('rehearse');
    expect(await smtpBanner(smtpPort)).toContain('Haraka/3.0.4');
    await expect.poll(recipient.connections, { timeout: 20_000 }).toBeGreaterThan(0);
  });
});

const expectNothingLeft = (world: Scenario, name: string): void => {
  expect(leftovers(world, name)).toEqual([]);
  expect(existsSync(world.path('scratch'))).toBe(false);
};

/** Somebody who waits for mail, at an address of this machine's loopback that is nobody else's. */
const listening = async (onTestFinished: (end: () => Promise<void>) => void) => {
  const address = `127.9.${process.pid % 250}.${Math.floor(process.pid / 250) % 250}`;
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => {}).end('421 not now\r\n');
  });
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(25, address, resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  return { address, connections: () => connections };
};

/** A mail as Haraka queues it: the length of what it has to know, that as JSON, and the mail. It is looked for at the next start. */
const queueMail = (world: Scenario, address: string): void => {
  const domain = `[${address}]`;
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
