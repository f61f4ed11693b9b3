/** Copies of reports, and reports that wait: for how long, and how many. */
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withdraw } from '../../src/consent/withdraw.ts';
import { forgetOldCopies } from '../../src/telemetry/old-copies.ts';
import { reportsIn } from '../../src/telemetry/sent.ts';
import { markAttempt, spoolLimits } from '../../src/telemetry/spool.ts';
import { receiver } from '../support/receiver.ts';
import { freePort } from '../support/sandbox.ts';
import { sender } from './sender.ts';

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

test('a report that no recipient ever took goes when its time is over', async () => {
  const one = await sender({ endpoint: `http://127.0.0.1:${await freePort()}/` });
  one.count('2026-11-16');
  await one.send();
  one.at('2027-02-14T00:00:00.000Z');
  expect((await one.send()).waiting).toBe(1);
  one.at('2027-02-15T00:00:00.000Z');
  expect(await one.send()).toMatchObject({ sent: [], waiting: 0, idle: { why: 'nothing-to-send' } });
  expect(one.names('spool')).toEqual(['schedule.json']);
});

test('totals go when their time is over also while a veto lasts: parts, reports that wait, and one that may have left', async () => {
  const { url, received } = await receiver();
  const one = await sender({ endpoint: url, period: 'day' });
  for (const day of ['2026-11-16', '2026-11-17', '2026-11-18']) one.count(day);
  await one.send({}, { url: `http://127.0.0.1:${await freePort()}/` });
  const [left] = reportsIn(one.paths.spool);
  markAttempt(one.paths, left!, one.world.now());
  one.count('2026-11-19');
  one.count('2026-11-20');
  Object.assign(one.world.env, { DO_NOT_TRACK: '1' });
  one.at('2027-02-16T00:00:00.000Z');
  expect((await one.send({ scheduled: true })).idle).toEqual({ why: 'consent', reason: 'do-not-track' });
  expect(one.names('spool')).toEqual(['report-2026-11-18_2026-11-18.json', 'schedule.json']);
  expect(one.names('counts').map((name) => name.slice(0, 10))).toEqual(['2026-11-19', '2026-11-20']);
  one.at('2027-02-18T00:00:00.000Z');
  await one.send({ scheduled: true });
  expect(one.names('spool')).toEqual(['schedule.json']);
  expect(one.names('counts').map((name) => name.slice(0, 10))).toEqual(['2026-11-20']);
  expect(received).toEqual([]);
});

test.each(['json', 'outcome.json'])(
  'a report whose copy can not be kept (%s) does not leave, and waits',
  async (end) => {
    const { url, received } = await receiver();
    const one = await sender({ endpoint: url });
    one.count('2026-11-16');
    const [name, inTheWay] = ['report-2026-11-16_2026-11-16', `report-2026-11-16_2026-11-16.${end}`];
    await one.send({}, { url: `http://127.0.0.1:${await freePort()}/` });
    mkdirSync(join(one.paths.reports, inTheWay), { recursive: true });
    expect(await one.send()).toMatchObject({ sent: [], waiting: 1, trouble: { refused: null } });
    expect(received).toEqual([]);
    expect(one.names('reports')).toEqual([inTheWay]);
    expect(one.names('spool')).toEqual([`${name}.json`, 'schedule.json']);
    rmdirSync(join(one.paths.reports, inTheWay));
    expect((await one.send()).sent).toMatchObject([{ name, outcome: 'sent' }]);
    expect(received).toHaveLength(1);
  },
);

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
