/** A no that is said where one stands already. Another run may have been given a yes since: only a line behind its question beats that. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { holdAsking, isAsking } from '../../src/consent/asking.ts';
import { loadLog } from '../../src/consent/log.ts';
import { sayNo, withdraw } from '../../src/consent/withdraw.ts';
import { readState } from '../../src/instance/state.ts';
import { homeWith, yesRaise } from './homes.ts';
import { answerOf, conduct, finish, open, testWorld, undo, writeOpening } from './support.ts';

test('telemetry off, said again while another run loads with a yes: it was off already, and the yes loses', async () => {
  for (const end of [finish, undo]) {
    const home = await homeWith('yes');
    await withdraw(home.world, home.paths);
    const asking = holdAsking(home.world, home.paths);
    const [raise, before] = [yesRaise(home), readState(home.paths)];
    expect(await withdraw(home.world, home.paths)).toMatchObject({ changed: false, warnings: [] });
    await open(home, 'upgrade', raise, before);
    await end(home);
    asking?.release();
    expect(answerOf(home)).toMatchObject({ state: 'withdrawn', collecting: false });
  }
});

test('--telemetry=off after a no, while another run loads with a yes: it changes nothing, and the yes loses', async () => {
  const home = await homeWith('no');
  const asking = holdAsking(home.world, home.paths);
  const [raise, before] = [yesRaise(home), readState(home.paths)];
  const told: string[] = [];
  const serverOff = async (): Promise<void> => void told.push('off');
  expect(await sayNo(home.world, home.paths, 'flag', { serverOff })).toMatchObject({ changed: false, warnings: [] });
  expect(told).toEqual([]);
  await open(home, 'upgrade', raise, before);
  await finish(home);
  asking?.release();
  expect(answerOf(home)).toMatchObject({ state: 'withdrawn', collecting: false });
});

test('--telemetry=off after a no, while a change with a yes waits behind its opening entry: the yes loses', async () => {
  const home = await homeWith('no');
  const [raise, before] = [yesRaise(home), readState(home.paths)];
  writeOpening(home, 'upgrade', raise, before);
  await sayNo(home.world, home.paths, 'flag');
  await open(home, 'upgrade', raise, before);
  await finish(home);
  expect(answerOf(home)).toMatchObject({ state: 'withdrawn', collecting: false });
});

test('while nobody is being asked it is on record already: not a byte is written', async () => {
  const home = await homeWith('no');
  const killed = holdAsking(home.world, home.paths);
  expect(isAsking(home.world, home.paths)).toBe(true);
  killed?.release();
  expect(isAsking(home.world, home.paths)).toBe(false);
  const before = [home.paths.consentLog, home.paths.consent].map((path) => readFileSync(path));
  for (let round = 0; round < 3; round += 1) await sayNo(home.world, home.paths, 'flag');
  expect([home.paths.consentLog, home.paths.consent].map((path) => readFileSync(path))).toEqual(before);
});

test('what a killed run was being asked is forgotten, and its lock file removed', async () => {
  const home = await homeWith('no');
  const locks = dirname(home.paths.lock);
  const left = (): string[] => readdirSync(locks).filter((name) => name.includes('.asking-'));
  writeFileSync(join(locks, `${basename(home.paths.lock, '.lock')}.asking-0123456789abcdef.lock`), '', { mode: 0o600 });
  const asking = holdAsking(home.world, home.paths);
  expect(left()).toHaveLength(1);
  expect(isAsking(home.world, home.paths)).toBe(true);
  asking?.release();
  expect(left()).toEqual([]);
});

test('a name that somebody who looks has just taken is no reason not to be seen asking', async () => {
  const home = await homeWith('no');
  const names = ['00', '00', '11'];
  const world = testWorld({ random: (bytes) => Buffer.from((names.shift() ?? '22').repeat(bytes), 'hex') });
  const taken = holdAsking(world, home.paths);
  const asking = holdAsking(world, home.paths);
  expect(asking?.path).toMatch(/asking-1{16}\.lock$/);
  taken?.release();
  expect(isAsking(home.world, home.paths)).toBe(true);
  asking?.release();
});

test('however often it is said, a later change can be answered with yes', async () => {
  const home = await homeWith('no');
  const asking = holdAsking(home.world, home.paths);
  for (let round = 0; round < 3; round += 1) await sayNo(home.world, home.paths, 'flag');
  asking?.release();
  expect(loadLog(home.paths)).toMatchObject({ whole: true, length: 5 });
  await conduct(home, { change: 'upgrade', ends: 'finished', answer: { by: 'flag', say: 'yes', notice: 'current' } });
  expect(answerOf(home)).toMatchObject({ state: 'accepted', collecting: true });
});
