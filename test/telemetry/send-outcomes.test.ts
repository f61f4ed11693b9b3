import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { bytesWaiting } from '../../src/telemetry/sent.ts';
import { receiver, rude } from '../support/receiver.ts';
import { freePort } from '../support/sandbox.ts';
import { outcomeOf, sender } from './sender.ts';

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
