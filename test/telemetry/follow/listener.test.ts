/** The real `assent telemetry follow` where the server hands its requests over through a socket: nothing of them is ever in a file. */
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Home } from '../../consent/support.ts';
import { awayFromTheFullHour } from '../../support/clock.ts';
import { type Follower, followedInstance, holds, partsOf, startFollower, withdrawn } from '../../support/followed.ts';

const log = {
  socket: 'COUNT_TO',
  format: 'json',
  signals: false,
  fields: { gpc: 'gpc', dnt: 'dnt', agent: 'agent' },
} as const;

const line = (client: number, more: object = {}): string =>
  `${JSON.stringify({
    time: Math.floor(Date.now() / 1000),
    method: 'GET',
    path: '/api/email',
    status: 200,
    address: `192.0.2.${client}`,
    agent: 'curl/8',
    gpc: '-',
    dnt: '-',
    ...more,
  })}\n`;

const listens = async (follower: Follower, home: Home): Promise<void> => {
  await awayFromTheFullHour();
  await expect
    .poll(() => existsSync(home.paths.requests) && holds(follower, home.paths.counts), { timeout: 20_000 })
    .toBe(true);
  await sleep(1100);
};

/** Sends the pieces one after the other, and hangs up: the other side does the same behind the last byte. */
const send = async (home: Home, ...pieces: string[]): Promise<void> => {
  const socket = connect(home.paths.requests).resume();
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  for (const piece of pieces) {
    socket.write(piece);
    await sleep(20);
  }
  socket.end();
  await closed;
};

test('counts what is sent, torn lines too, leaves out who objects, and is gone with the yes', {
  timeout: 60_000,
}, async () => {
  const home = await followedInstance(log);
  const follower = startFollower(home);
  await listens(follower, home);
  const all = [1, 2, 3, 4, 5, 6].map((client) => line(client)).join('');
  await send(home, all.slice(0, 100), all.slice(100), `${'x'.repeat(100_000)}\n${line(7, { gpc: '1' })}`);
  await send(home, line(8, { dnt: '1' }), line(9, { status: 404 }), 'nonsense\n', line(10).slice(0, 20));
  follower.child.kill('SIGTERM');
  expect(await follower.ended).toMatchObject({ code: 0 });
  expect(existsSync(home.paths.requests)).toBe(false);
  expect(partsOf(home).flatMap(({ counters }) => counters)).toMatchObject([{ name: 'mailbox-opened', total: 6 }]);
  expect(withdrawn(home)).toMatchObject({ status: 0 });
});

test('is no longer there the moment that the real command withdraws', { timeout: 60_000 }, async () => {
  const home = await followedInstance(log);
  const follower = startFollower(home);
  await listens(follower, home);
  await send(home, line(1));
  expect(withdrawn(home).status).toBe(0);
  expect(await follower.ended).toMatchObject({ code: 0 });
  expect(readdirSync(home.paths.folder).filter((name) => name.startsWith('telemetry'))).toEqual([]);
});

test('without a yes there is no socket', { timeout: 60_000 }, async () => {
  const home = await followedInstance(log, 'no');
  expect(await startFollower(home).ended).toMatchObject({ code: 0 });
  expect(existsSync(home.paths.requests)).toBe(false);
});
