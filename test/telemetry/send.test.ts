/** Sending to a real recipient: what arrives, of which days, and when. */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readParts } from '../../src/telemetry/parts.ts';
import { makeReport } from '../../src/telemetry/report.ts';
import { lastReports } from '../../src/telemetry/sent.ts';
import { makeIdentity, ok, receiver } from '../support/receiver.ts';
import { outcomeOf, sender } from './sender.ts';

const week = 'report-2026-11-16_2026-11-17';

test("the encoder's very bytes arrive once, are kept with their outcome, and nothing is left to send", async () => {
  const { url, received } = await receiver();
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  one.count('2026-11-17', 9);
  const parts = readParts(one.paths, one.notice, process.getuid!());
  const expected = makeReport({ notice: one.notice, version: '2.2.1' }, parts)!.bytes;
  const { sent, idle, trouble } = await one.send();
  expect({ idle, trouble }).toEqual({ idle: null, trouble: null });
  expect(sent).toEqual([expect.objectContaining({ name: week, outcome: 'sent', status: 200, bytes: expected.length })]);
  expect(received).toHaveLength(1);
  expect(received[0]!.body.equals(expected)).toBe(true);
  expect(readFileSync(join(one.paths.reports, `${week}.json`)).equals(expected)).toBe(true);
  expect(statSync(join(one.paths.reports, `${week}.json`)).mode & 0o777).toBe(0o600);
  expect(outcomeOf(one, week)).toMatchObject({ outcome: 'sent', status: 200, endpoint: url, bytes: expected.length });
  expect(one.names('counts')).toEqual([]);
  expect(one.names('spool')).toEqual(['schedule.json']);
  expect(lastReports(one.paths)).toEqual({ left: '2026-11-25T12:00:00.000Z', refused: null });
  expect((await one.send()).idle).toEqual({ why: 'nothing-to-send' });
  expect(received).toHaveLength(1);
});

test('by TLS to a recipient whose certificate can be trusted, and to no other', async () => {
  const identity = makeIdentity();
  const { url, received } = await receiver(ok, identity);
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  const { trouble, waiting } = await one.send();
  expect(trouble?.message).toMatch(/certificate/);
  expect(waiting).toBe(1);
  expect(received).toEqual([]);
  expect((await one.send({}, { authorities: [identity.cert] })).sent).toHaveLength(1);
  expect(received).toHaveLength(1);
});

test('a report for each period; only whole days inside of the window', async () => {
  const { url } = await receiver();
  const one = await sender({ endpoint: url, since: '2026-11-10T00:00:00.000Z' });
  for (const day of ['2026-11-09', '2026-11-10', '2026-11-11', '2026-11-15', '2026-11-16', '2026-11-24', '2026-11-25'])
    one.count(day);
  expect((await one.send()).sent.map(({ name }) => name)).toEqual([
    'report-2026-11-11_2026-11-15',
    'report-2026-11-16_2026-11-16',
    'report-2026-11-24_2026-11-24',
  ]);
  await one.send();
  expect(one.names('counts').map((name) => name.slice(0, 10))).toEqual(['2026-11-25']);
});

test('a window of another generation, or none, lets nothing be reported', async () => {
  const { url, received } = await receiver();
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  writeFileSync(one.paths.window, JSON.stringify({ format: 1, generation: 2, since: '2026-11-01T00:00:00.000Z' }));
  expect((await one.send()).idle).toEqual({ why: 'nothing-to-send' });
  rmSync(one.paths.window);
  expect((await one.send()).idle).toEqual({ why: 'nothing-to-send' });
  expect(received).toEqual([]);
  expect(one.names('counts')).toHaveLength(1);
});

test('a part that comes after its day was reported is discarded', async () => {
  const { url, received } = await receiver();
  const one = await sender({ endpoint: url });
  one.count('2026-11-17');
  await one.send();
  one.count('2026-11-17');
  one.count('2026-11-16');
  expect((await one.send()).idle).toEqual({ why: 'nothing-to-send' });
  expect(received).toHaveLength(1);
  expect(one.names('counts')).toEqual([]);
});

test('where nobody receives, nothing is sent, and totals stay until their time is over', async () => {
  const one = await sender({ endpoint: null });
  one.count('2026-11-16');
  one.count('2026-08-01');
  expect((await one.send()).idle).toEqual({ why: 'no-recipient' });
  expect(one.names('counts').map((name) => name.slice(0, 10))).toEqual(['2026-11-16']);
  expect(one.names('spool')).toEqual([]);
});

test('two senders at once: one sends, the other is told', async () => {
  const { url, received } = await receiver((response) => void setTimeout(() => response.writeHead(200).end(), 200));
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  const both = await Promise.allSettled([one.send(), one.send(), one.send({ scheduled: true })]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'instance-busy', exit: 9 },
  });
  expect(received).toHaveLength(1);
});

test('a strange schedule is an empty one', async () => {
  const { url } = await receiver();
  for (const text of [
    '',
    '[]',
    '{"format":2}',
    '{"format":1,"due":[],"retry":7}',
    '{"format":1,"due":{"2026-11-16":"x"},"retry":{"at":"9","failures":-1}}',
    '\0',
  ]) {
    const one = await sender({ endpoint: url });
    one.count('2026-11-16');
    await one.send({ scheduled: true });
    writeFileSync(join(one.paths.spool, 'schedule.json'), text);
    const { trouble } = await one.send();
    expect(trouble).toBeNull();
  }
});

test('scheduled: nothing before it is due, one report when it is, and nothing of the period under way', async () => {
  const { url, received } = await receiver();
  const one = await sender({ endpoint: url });
  one.count('2026-11-17');
  one.count('2026-11-24');
  one.at('2026-11-23T00:00:00.000Z');
  const first = await one.send({ scheduled: true });
  expect(first).toMatchObject({ sent: [], idle: { why: 'not-due' } });
  const due = JSON.parse(readFileSync(join(one.paths.spool, 'schedule.json'), 'utf8')).due['2026-11-16'];
  await one.send({ scheduled: true });
  expect(JSON.parse(readFileSync(join(one.paths.spool, 'schedule.json'), 'utf8')).due['2026-11-16']).toBe(due);
  one.at(due);
  expect((await one.send({ scheduled: true })).sent.map(({ name }) => name)).toEqual(['report-2026-11-17_2026-11-17']);
  expect(received).toHaveLength(1);
  expect(one.names('counts').map((name) => name.slice(0, 10))).toEqual(['2026-11-24']);
});
