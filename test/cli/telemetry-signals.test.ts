/** A signal in `telemetry off` and `telemetry send`: what was begun is brought to its end, and the command tells what was done. */
import { spawn } from 'node:child_process';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { realCommand } from '../support/real-command.ts';
import { receiver } from '../support/receiver.ts';
import { eventually } from '../support/service.ts';
import { sender } from '../telemetry/sender.ts';

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'a withdrawal that %s comes into is brought to its end, and told',
  async (signal) => {
    const one = await sender({ endpoint: null });
    // Whoever counts holds the counts open: the withdrawal waits for it.
    const holder = spawn('/bin/sleep', ['60'], { stdio: ['ignore', openSync(one.count('2026-11-16'), 'r'), 'ignore'] });
    onTestFinished(() => void holder.kill('SIGKILL'));
    const { child, ended } = realCommand(one.folder, ['telemetry', 'off', 'mail']);
    await eventually(() => expect(readFileSync(one.paths.consentLog, 'utf8')).toContain('"kind":"withdrawal"'), 30_000);
    child.kill(signal);
    const { exit, document } = await ended;
    expect({ exit, document }).toMatchObject({
      exit: 0,
      document: { ok: true, changed: true, consent: { state: 'withdrawn' } },
    });
    expect(readdirSync(one.paths.folder).filter((name) => name.startsWith('telemetry'))).toEqual([]);
  },
);

test('a report that TERM comes into behind its last byte is told as sent, and no other is begun', async () => {
  const held: (() => void)[] = [];
  const { url, received } = await receiver((response) => void held.push(() => response.writeHead(200).end('{}')));
  const one = await sender({ endpoint: url });
  one.count('2026-11-09');
  one.count('2026-11-16');
  expect(await one.send({}, { beforeFirstByte: () => false })).toMatchObject({ waiting: expect.any(Number) });
  const { child, ended } = realCommand(one.folder, ['telemetry', 'send', 'mail']);
  await eventually(() => expect(received).toHaveLength(1), 30_000);
  child.kill('SIGTERM');
  await new Promise((done) => setTimeout(done, 300));
  for (const answer of held) answer();
  const { exit, document } = await ended;
  expect(document).toMatchObject({ changed: true, sent: [{ outcome: 'sent' }] });
  expect({ exit, waiting: document.waiting, idle: document.idle }).toEqual({
    exit: 130,
    waiting: 1,
    idle: { why: 'stopped' },
  });
  expect(JSON.stringify(document)).not.toMatch(/nothing was/i);
  expect(received).toHaveLength(1);
});

test('HUP lets a sender go on to its end', async () => {
  const held: (() => void)[] = [];
  const { url, received } = await receiver((response) => void held.push(() => response.writeHead(200).end('{}')));
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  const { child, ended } = realCommand(one.folder, ['telemetry', 'send', 'mail']);
  await eventually(() => expect(received).toHaveLength(1), 30_000);
  child.kill('SIGHUP');
  await new Promise((done) => setTimeout(done, 300));
  for (const answer of held) answer();
  expect(await ended).toMatchObject({ exit: 0, document: { changed: true, sent: [{ outcome: 'sent' }], waiting: 0 } });
});
