/** Sending to real recipients, good and bad: what arrives, what counts as sent, what waits, and what never leaves. */
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withdraw } from '../../src/consent/withdraw.ts';
import { forgetOldCopies } from '../../src/telemetry/old-copies.ts';
import { readParts } from '../../src/telemetry/parts.ts';
import { makeReport } from '../../src/telemetry/report.ts';
import { bytesWaiting, lastReport } from '../../src/telemetry/sent.ts';
import { spoolLimits } from '../../src/telemetry/spool.ts';
import { makeIdentity, ok, receiver, rude } from '../support/receiver.ts';
import { freePort } from '../support/sandbox.ts';
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
  expect(lastReport(one.paths)).toBe('2026-11-25T12:00:00.000Z');
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

const answers = (status: number, headers: Record<string, string> = {}) =>
  receiver((response) => response.writeHead(status, headers).end());
const behaves = (behave: (socket: Socket) => void) => rude(behave);

test.each([
  ['500', () => answers(500), 500],
  ['502', () => answers(502), 502],
  ['silence', () => behaves(() => {}), null],
  ['a reset', () => behaves((socket) => socket.resetAndDestroy()), null],
  [
    'a wrong length',
    () => behaves((socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')),
    null,
  ],
  [
    'a 503 that breaks off',
    () => behaves((socket) => void socket.end('HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nabc')),
    null,
  ],
  ['no HTTP', () => behaves((socket) => void socket.write('220 mail ESMTP\r\n')), null],
  [
    'an answer without an end',
    () => behaves((socket) => void socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(70_000)}`)),
    null,
  ],
] as const)('what may have arrived counts as sent: %s', async (_, make, status) => {
  const bad = await make();
  const one = await sender({ endpoint: bad.url });
  one.count('2026-11-16');
  const { sent, trouble } = await one.send({}, { timeoutMs: 3_000 });
  expect(sent).toEqual([expect.objectContaining({ outcome: 'uncertain', status })]);
  expect(trouble).toBeNull();
  expect(outcomeOf(one, 'report-2026-11-16_2026-11-16')).toMatchObject({ outcome: 'uncertain', status });
  expect((await one.send()).idle).toEqual({ why: 'nothing-to-send' });
  expect(bad.received).toHaveLength(1);
});

test.each([400, 401, 404, 413, 301, 307, 308])('%d discards the report, and follows nothing', async (status) => {
  const elsewhere = await receiver();
  const { url, received } = await answers(status, { location: elsewhere.url });
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  expect((await one.send()).sent).toEqual([expect.objectContaining({ outcome: 'discarded', status })]);
  await one.send();
  expect(received).toHaveLength(1);
  expect(elsewhere.connections()).toBe(0);
  expect(one.names('reports')).toHaveLength(2);
});

const minutes = (at: string): number => (Date.parse(at) - Date.parse('2026-11-25T12:00:00.000Z')) / 60_000;

test.each([
  [429, '120', 2, 2],
  [503, '0', 1, 1],
  [503, '999999999999999999999999', 1440, 1440],
  [429, 'Wed, 25 Nov 2026 14:00:00 GMT', 120, 120],
  [429, 'Wed, 25 Nov 2020 14:00:00 GMT', 1, 1],
  [429, 'Fri, 01 Jan 2100 00:00:00 GMT', 1440, 1440],
  [503, '-5', 7, 16],
  [503, '1e9', 7, 16],
  [503, 'soon', 7, 16],
  [503, undefined, 7, 16],
] as const)('%d with Retry-After %s waits between %d and %d minutes', async (status, asked, least, most) => {
  const { url, received } = await answers(status, asked === undefined ? {} : { 'retry-after': asked });
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  const { trouble, waiting, sent } = await one.send();
  expect(sent).toEqual([]);
  expect(waiting).toBe(1);
  expect(minutes(trouble!.retryAt)).toBeGreaterThanOrEqual(least);
  expect(minutes(trouble!.retryAt)).toBeLessThanOrEqual(most);
  expect(one.names('reports')).toEqual([]);
  expect(bytesWaiting(one.paths)).toBeGreaterThan(100);
  expect((await one.send({ scheduled: true })).idle).toEqual({ why: 'pausing' });
  one.at('2026-11-26T12:01:00.000Z');
  await one.send({ scheduled: true });
  expect(received).toHaveLength(2);
});

test('pauses grow with failures, to a day at most, and a delivery ends them', async () => {
  const port = await freePort();
  const one = await sender({ endpoint: `http://127.0.0.1:${port}/` });
  one.count('2026-11-16');
  const pauses: number[] = [];
  for (let turn = 0; turn < 10; turn += 1) pauses.push(minutes((await one.send()).trouble!.retryAt));
  expect(pauses[0]).toBeLessThanOrEqual(15);
  expect(pauses[3]).toBeGreaterThan(pauses[0]!);
  expect(pauses.at(-1)).toBeGreaterThanOrEqual(720);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1440);
  expect(one.names('spool')).toEqual(['report-2026-11-16_2026-11-16.json', 'schedule.json']);
});

test('a clock that was set back by years makes no pause for years', async () => {
  const one = await sender({ endpoint: `http://127.0.0.1:${await freePort()}/` });
  one.count('2026-11-16');
  await one.send();
  one.at('2026-11-02T00:00:00.000Z');
  expect((await one.send({ scheduled: true })).idle).not.toEqual({ why: 'pausing' });
});

test('a report of days to come, made under a wrong clock, makes nothing late once the clock is right', async () => {
  const { url, received } = await receiver();
  const one = await sender({ endpoint: url });
  one.at('2036-01-15T12:00:00.000Z');
  one.count('2036-01-10');
  await one.send();
  one.at('2026-11-25T12:00:00.000Z');
  one.count('2026-11-16');
  expect((await one.send()).sent.map(({ name }) => name)).toEqual(['report-2026-11-16_2026-11-16']);
  expect(received).toHaveLength(2);
});

test('a withdrawal sends nothing ever, and nothing is made anew', async () => {
  const { url, connections } = await receiver();
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  await withdraw(one.world, one.paths);
  expect(await one.send()).toMatchObject({ sent: [], idle: { why: 'consent', reason: 'withdrawn' } });
  expect(connections()).toBe(0);
  expect(existsSync(one.paths.telemetry)).toBe(false);
  expect(existsSync(one.paths.reports)).toBe(false);
});

test('a veto of the asking shell sends nothing', async () => {
  const { url, connections } = await receiver();
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  Object.assign(one.world.env, { DO_NOT_TRACK: '1' });
  expect((await one.send()).idle).toEqual({ why: 'consent', reason: 'do-not-track' });
  expect(connections()).toBe(0);
});

test('a withdrawal between the connection and the first byte stops it', async () => {
  const identity = makeIdentity();
  const { url, received, connections } = await receiver(ok, identity);
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  const { deliver } = await import('../../src/system/deliver.ts');
  const { sendReports } = await import('../../src/telemetry/send.ts');
  const late = await sendReports(
    one.world,
    one.paths,
    {
      deliver: async (request) => {
        await withdraw(one.world, one.paths);
        return deliver({ ...request, authorities: [identity.cert] });
      },
    },
    { scheduled: false },
  );
  expect(late).toMatchObject({ sent: [], trouble: null, idle: { why: 'consent', reason: 'withdrawn' } });
  expect(connections()).toBe(1);
  expect(received).toEqual([]);
  expect(existsSync(one.paths.telemetry)).toBe(false);
});

test('a withdrawal while a report is on its way: what left is kept to be read, and the folder stays gone', async () => {
  const { url } = await receiver((response) => {
    void withdraw(one.world, one.paths).then(() => response.writeHead(200).end());
  });
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  const { sent } = await one.send({}, { timeoutMs: 20_000 });
  expect(sent).toEqual([expect.objectContaining({ outcome: 'sent' })]);
  expect(existsSync(one.paths.telemetry)).toBe(false);
  expect(one.names('reports')).toHaveLength(2);
  expect(await one.send()).toMatchObject({ sent: [], idle: { why: 'consent' } });
});

test('an instance that is deleted while a report is on its way is not made anew', async () => {
  const { url } = await receiver((response) => {
    renameSync(gone.paths.folder, `${gone.paths.folder}.gone`);
    response.writeHead(200).end();
  });
  const gone = await sender({ endpoint: url });
  gone.count('2026-11-16');
  await gone.send();
  expect(existsSync(gone.paths.folder)).toBe(false);
});

test('where nobody receives, nothing is sent, and totals stay until their time is over', async () => {
  const one = await sender({ endpoint: null });
  one.count('2026-11-16');
  one.count('2026-08-01');
  expect((await one.send()).idle).toEqual({ why: 'no-recipient' });
  expect(one.names('counts').map((name) => name.slice(0, 10))).toEqual(['2026-11-16']);
  expect(one.names('spool')).toEqual([]);
});

test('copies are pruned when their time is over', async () => {
  const { url } = await receiver();
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  await one.send();
  one.at('2027-02-13T00:00:00.000Z');
  await one.send();
  expect(one.names('reports')).toHaveLength(2);
  one.at('2027-02-15T00:00:00.000Z');
  await one.send();
  expect(one.names('reports')).toEqual([]);
});

test('copies are pruned when their time is over also where nothing is sent any more', async () => {
  const { url } = await receiver();
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  await one.send();
  await withdraw(one.world, one.paths);
  one.at('2027-02-13T00:00:00.000Z');
  forgetOldCopies(one.world, one.paths);
  expect(one.names('reports')).toHaveLength(2);
  one.at('2027-02-15T00:00:00.000Z');
  expect((await one.send()).idle).toEqual({ why: 'consent', reason: 'withdrawn' });
  expect(one.names('reports')).toEqual([]);
});

test('the spool keeps the newest sixty', async () => {
  const one = await sender({
    endpoint: `http://127.0.0.1:${await freePort()}/`,
    period: 'day',
    since: '2026-08-31T00:00:00.000Z',
  });
  const day = (at: number) => new Date(Date.UTC(2026, 8, 1 + at)).toISOString().slice(0, 10);
  for (let at = 0; at < spoolLimits.reports + 5; at += 1) one.count(day(at));
  const { dropped, waiting } = await one.send();
  expect(waiting).toBe(spoolLimits.reports);
  expect(dropped).toEqual([0, 1, 2, 3, 4].map((at) => `report-${day(at)}_${day(at)}`));
});

test('the spool keeps five mebibytes, and the newest in any case', async () => {
  const one = await sender({ endpoint: `http://127.0.0.1:${await freePort()}/`, period: 'day' });
  one.count('2026-11-10');
  await one.send();
  for (const day of ['02', '03', '04'])
    writeFileSync(join(one.paths.spool, `report-2026-11-${day}_2026-11-${day}.json`), Buffer.alloc(2 * 1024 * 1024));
  const { dropped, waiting } = await one.send();
  expect(dropped).toEqual(['report-2026-11-02_2026-11-02']);
  expect(waiting).toBe(3);
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
