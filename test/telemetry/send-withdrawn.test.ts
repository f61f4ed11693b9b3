/** A withdrawal, a veto or a deletion, before and while a report is sent: nothing leaves, and nothing is made anew. */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withdraw } from '../../src/consent/withdraw.ts';
import { readState } from '../../src/instance/state.ts';
import { releaseFolder } from '../../src/release/layout.ts';
import { sure } from '../consent/support.ts';
import { makeIdentity, ok, receiver } from '../support/receiver.ts';
import { outcomeOf, type Sender, sender } from './sender.ts';

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

/** The environment file of the server, as its release names it. */
const serverEnv = (one: Sender): string => {
  const { release } = sure(readState(one.paths));
  const folder = releaseFolder(one.folder, release);
  const releases = [{ version: release.version, service: { environmentFile: 'server.env' } }];
  for (const made of [folder, one.paths.config]) mkdirSync(made, { recursive: true });
  const seal = { format: 1, ...release, product: { name: release.product, releases }, tree: '0'.repeat(64) };
  writeFileSync(join(folder, 'release.json'), JSON.stringify(seal));
  return join(one.paths.config, 'server.env');
};

test("a veto in the server's environment file sends nothing", async () => {
  const { url, connections } = await receiver();
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  writeFileSync(serverEnv(one), 'DO_NOT_TRACK=1\n');
  expect((await one.send()).idle).toEqual({ why: 'consent', reason: 'do-not-track' });
  expect(connections()).toBe(0);
});

test('days on which the timer saw a veto are never reported', async () => {
  const { url } = await receiver();
  const one = await sender({ endpoint: url, period: 'day' });
  const veto = serverEnv(one);
  writeFileSync(veto, 'DO_NOT_TRACK=1\n');
  await one.send({ scheduled: true });
  one.at('2026-11-26T12:00:00.000Z');
  writeFileSync(veto, '');
  await one.send({ scheduled: true });
  for (const day of ['2026-11-24', '2026-11-25', '2026-11-26', '2026-11-27']) one.count(day);
  one.at('2026-11-29T12:00:00.000Z');
  expect((await one.send()).sent.map(({ from }) => from)).toEqual(['2026-11-24', '2026-11-27']);
});

test('a veto that the timer sees soon after midnight may have begun the day before, which is not reported either', async () => {
  const { url } = await receiver();
  const one = await sender({ endpoint: url, period: 'day' });
  const veto = serverEnv(one);
  writeFileSync(veto, 'DO_NOT_TRACK=1\n');
  one.at('2026-11-26T00:20:00.000Z');
  await one.send({ scheduled: true });
  one.at('2026-11-26T12:00:00.000Z');
  writeFileSync(veto, '');
  await one.send({ scheduled: true });
  for (const day of ['2026-11-24', '2026-11-25', '2026-11-26', '2026-11-27']) one.count(day);
  one.at('2026-11-29T12:00:00.000Z');
  expect((await one.send()).sent.map(({ from }) => from)).toEqual(['2026-11-24', '2026-11-27']);
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

test('a veto between the connection and the first byte leaves no copy, or that of the attempt before', async () => {
  let status = 503;
  const { url, received } = await receiver((response) => void response.writeHead(status).end());
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  const { deliver } = await import('../../src/system/deliver.ts');
  const { sendReports } = await import('../../src/telemetry/send.ts');
  const vetoed = async () => {
    const late: typeof deliver = (request) => {
      Object.assign(one.world.env, { DO_NOT_TRACK: '1' });
      return deliver(request);
    };
    const { idle } = await sendReports(one.world, one.paths, { deliver: late }, { scheduled: false });
    Object.assign(one.world.env, { DO_NOT_TRACK: '' });
    expect(idle).toEqual({ why: 'consent', reason: 'do-not-track' });
    expect(one.names('spool')).not.toContain('report-2026-11-16_2026-11-16.attempt');
  };
  await vetoed();
  expect(one.names('reports')).toEqual([]);
  await one.send();
  await vetoed();
  expect(outcomeOf(one, 'report-2026-11-16_2026-11-16')).toMatchObject({ outcome: 'refused', status: 503 });
  expect(received).toHaveLength(1);
  status = 200;
  expect((await one.send()).sent).toMatchObject([{ outcome: 'sent' }]);
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
