/** A sender that is killed between its mark and the outcome: a real process and SIGKILL. What may have arrived is never sent again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { withdraw } from '../../src/consent/withdraw.ts';
import { lastReports } from '../../src/telemetry/sent.ts';
import { receiver, rude } from '../support/receiver.ts';
import { sandbox } from '../support/sandbox.ts';
import { eventually } from '../support/service.ts';
import { outcomeOf, type Sender, sender } from './sender.ts';

const name = 'report-2026-11-16_2026-11-16';

/** The same sending in a process of its own, which does at `point` what it is told. */
const sendElsewhere = ({ paths }: Sender, deliverText: string): ChildProcess => {
  const script = join(sandbox(), 'send.ts');
  const source = (path: string) => JSON.stringify(resolve('src', path));
  writeFileSync(
    script,
    `import { deliver } from ${source('system/deliver.ts')};
     import { realWorld } from ${source('system/world.ts')};
     import { instancePaths } from ${source('instance/paths.ts')};
     import { sendReports } from ${source('telemetry/send.ts')};
     const world = { ...realWorld(), env: {}, now: () => new Date('2026-11-25T12:00:00.000Z') };
     await sendReports(world, instancePaths(${JSON.stringify(paths.home)}, 'mail'), { deliver: ${deliverText} }, { scheduled: false });`,
  );
  const child = spawn(process.execPath, [script], { stdio: 'inherit' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
};

const ended = (child: ChildProcess) =>
  new Promise<NodeJS.Signals | null>((done) => child.once('exit', (_, signal) => done(signal)));

test('killed while the recipient is silent: it counts as sent', async () => {
  const { url, received } = await rude(() => {});
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  const child = sendElsewhere(one, 'deliver');
  await eventually(() => expect(received).toHaveLength(1), 30_000);
  expect(one.names('spool')).toContain(`${name}.attempt`);
  child.kill('SIGKILL');
  expect(await ended(child)).toBe('SIGKILL');
  one.at('2026-11-25T18:00:00.000Z');
  const { sent } = await one.send();
  expect(sent).toEqual([expect.objectContaining({ name, outcome: 'uncertain', status: null })]);
  expect(outcomeOf(one, name)).toMatchObject({ outcome: 'uncertain', at: '2026-11-25T12:00:00.000Z' });
  expect(one.names('spool')).toEqual(['schedule.json']);
  expect(received).toHaveLength(1);
}, 60_000);

test.each(['before', 'after'])(
  'a withdrawal %s the kill, of a sender whose recipient is silent: the very bytes are kept',
  async (when) => {
    const { url, received } = await receiver(() => {});
    const one = await sender({ endpoint: url });
    one.count('2026-11-16');
    const child = sendElsewhere(one, 'deliver');
    await eventually(() => expect(received).toHaveLength(1), 30_000);
    if (when === 'before') await withdraw(one.world, one.paths);
    child.kill('SIGKILL');
    expect(await ended(child)).toBe('SIGKILL');
    if (when === 'after') await withdraw(one.world, one.paths);
    expect(existsSync(one.paths.telemetry)).toBe(false);
    expect(readFileSync(join(one.paths.reports, `${name}.json`)).equals(received[0]!.body)).toBe(true);
    expect(outcomeOf(one, name)).toMatchObject({ outcome: 'uncertain', status: null, endpoint: url });
    expect(lastReports(one.paths)).toEqual({ left: '2026-11-25T12:00:00.000Z', refused: null });
  },
  60_000,
);

test('killed right behind the mark, before the first byte: it counts as sent all the same', async () => {
  const { url, received } = await receiver();
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  const kills = `(request) => deliver({ ...request, beforeFirstByte: () => { request.beforeFirstByte(); process.kill(process.pid, 'SIGKILL'); return true; } })`;
  expect(await ended(sendElsewhere(one, kills))).toBe('SIGKILL');
  expect((await one.send()).sent).toEqual([expect.objectContaining({ name, outcome: 'uncertain' })]);
  expect(received).toEqual([]);
}, 60_000);

test('killed before the mark: it waits, and is sent once', async () => {
  const { url, received } = await receiver();
  const one = await sender({ endpoint: url });
  one.count('2026-11-16');
  const kills = `() => { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); }`;
  expect(await ended(sendElsewhere(one, kills))).toBe('SIGKILL');
  expect(one.names('spool')).toContain(`${name}.json`);
  expect((await one.send()).sent).toEqual([expect.objectContaining({ name, outcome: 'sent' })]);
  expect(received).toHaveLength(1);
}, 60_000);
