/** The real `assent telemetry follow`, with a record that was accepted, declined, withdrawn by the real command, or is not in force yet. */
import { appendFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { finish, type Home } from '../../consent/support.ts';
import {
  appendRead,
  assent,
  followedInstance,
  holds,
  partsOf,
  startFollower,
  untilItCounts,
  withdrawn,
} from '../../support/followed.ts';
import { asRoot } from '../../support/sandbox.ts';

const log = { file: '{{data}}/access.log', format: 'combined', signals: true } as const;

const line = (client: number, ending = '"-" "-"'): string => {
  const time = new Date().toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1/$2/$3:$4 +0000');
  return `192.0.2.${client} - - [${time}] "GET /api/email?limit=5 HTTP/1.1" 200 5 "-" "curl/8" ${ending}\n`;
};
const visits = (clients: number): string => Array.from({ length: clients }, (_, at) => line(at + 1)).join('');
const logOf = (home: Home): string => join(home.paths.data, 'access.log');

test('counts until SIGTERM, closes the part, and withdrawing erases it', { timeout: 60_000 }, async () => {
  const home = await followedInstance(log);
  writeFileSync(logOf(home), visits(50));
  const follower = startFollower(home);
  await untilItCounts(follower, home, logOf(home));
  await appendRead(follower, logOf(home), `${visits(7)}${line(8, '"1" "-"')}${line(9, '"-" "1"')}nonsense\n`);
  follower.child.kill('SIGTERM');
  const { code, output } = await follower.ended;
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining(`Following ${logOf(home)}.`) });
  expect(partsOf(home).flatMap(({ counters }) => counters)).toMatchObject([{ name: 'mailbox-opened', total: 7 }]);
  expect(withdrawn(home)).toMatchObject({ status: 0, stderr: '' });
  expect(existsSync(home.paths.telemetry)).toBe(false);
});

test('stops by itself when the real command withdraws, and nothing of it is left', { timeout: 60_000 }, async () => {
  const home = await followedInstance(log);
  writeFileSync(logOf(home), '');
  const follower = startFollower(home);
  await untilItCounts(follower, home, logOf(home));
  await appendRead(follower, logOf(home), visits(20));
  const off = withdrawn(home);
  expect(off.status, off.stderr).toBe(0);
  const { code, output } = await follower.ended;
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('Consent for mail has ended') });
  expect(readdirSync(home.paths.folder).filter((name) => name.startsWith('telemetry'))).toEqual([]);
  const again = assent(home, 'telemetry', 'follow', 'mail');
  expect(again).toMatchObject({ status: 0, stdout: 'Nothing is counted for mail: off: it was withdrawn.\n' });
});

test('refuses with one line where the answer is no', { timeout: 60_000 }, async () => {
  const home = await followedInstance(log, 'no');
  const { status, stdout, stderr } = assent(home, 'telemetry', 'follow', 'mail');
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: 'Nothing is counted for mail: off: you declined for this installation.\n',
    stderr: '',
  });
});

test('waits while the change that brings the yes still runs; what is written meanwhile is not counted', {
  timeout: 60_000,
}, async () => {
  const home = await followedInstance(log, 'yes', 'interrupted');
  writeFileSync(logOf(home), '');
  const follower = startFollower(home);
  await sleep(2500);
  appendFileSync(logOf(home), visits(30));
  expect(follower.child.exitCode).toBe(null);
  expect(holds(follower, logOf(home))).toBe(false);
  await finish(home);
  await untilItCounts(follower, home, logOf(home));
  await appendRead(follower, logOf(home), visits(6));
  follower.child.kill('SIGTERM');
  expect((await follower.ended).code).toBe(0);
  expect(partsOf(home)[0]?.counters).toMatchObject([{ name: 'mailbox-opened', total: 6 }]);
});

test("ends on a veto in the server's environment, and waits until the server has none", {
  timeout: 60_000,
}, async () => {
  const home = await followedInstance(log);
  const serverEnv = join(home.paths.config, 'server.env');
  for (const file of [serverEnv, logOf(home)]) writeFileSync(file, '');
  const first = startFollower(home);
  await untilItCounts(first, home, logOf(home));
  appendFileSync(logOf(home), visits(20));
  writeFileSync(serverEnv, 'DO_NOT_TRACK=1\n');
  expect((await first.ended).code).toBe(0);
  const second = startFollower(home);
  await sleep(2500);
  expect(second.child.exitCode).toBe(null);
  expect(holds(second, logOf(home))).toBe(false);
  writeFileSync(serverEnv, '');
  await untilItCounts(second, home, logOf(home));
  second.child.kill('SIGTERM');
  expect((await second.ended).code).toBe(0);
  expect(partsOf(home)).toEqual([]);
});

const nobody = { name: 'nobody', uid: 65534, gid: 65534, made: false };

test('needs no more than what the server may', {
  timeout: 60_000,
}, async ({ skip }) => {
  asRoot(skip);
  const home = await followedInstance(log, 'yes', 'finished', nobody);
  writeFileSync(logOf(home), '');
  const follower = startFollower(home);
  await untilItCounts(follower, home, logOf(home));
  await appendRead(follower, logOf(home), visits(5));
  follower.child.kill('SIGTERM');
  expect((await follower.ended).code).toBe(0);
  expect(partsOf(home)[0]?.counters).toMatchObject([{ name: 'mailbox-opened', total: 5 }]);
});
