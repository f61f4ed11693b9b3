/** The real `assent run` of a server with a yes, under a veto and without: a day with a veto in it is a gap in the window. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readWindow, writeWindow } from '../../src/consent/window.ts';
import { readState, writeState } from '../../src/instance/state.ts';
import { loadProduct, pickRelease } from '../../src/product/catalogue.ts';
import { releaseFolder } from '../../src/release/layout.ts';
import { readRecord } from '../../src/service/process-record.ts';
import { realWorld } from '../../src/system/world.ts';
import { conduct, type Home, makeHome, sure } from '../consent/support.ts';
import { awayFromTheFullHour } from '../support/clock.ts';
import { sandbox } from '../support/sandbox.ts';
import { account, eventually } from '../support/service.ts';

const main = join(import.meta.dirname, '../../dist/main.mjs');
const today = (): string => new Date().toISOString().slice(0, 10);
const since = '2026-01-01T00:00:00.000Z';

/** A yes of long ago, and in the place of the server something that does nothing. */
const idleInstance = async (): Promise<Home> => {
  const home = makeHome(join(sandbox(), 'home'), account === null ? {} : { account });
  await conduct(home, { change: 'install', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
  const { paths } = home;
  const state = sure(readState(paths));
  writeState(paths, { ...state, supervisor: 'none', settings: { webPort: 1, smtpPort: 2, listen: '127.0.0.1' } });
  const product = await loadProduct(realWorld(), 'maildev');
  const { parts: _, ...release } = pickRelease(product, state.release.version);
  const { environmentFile: __, ...service } = release.service;
  const idle = { ...release, service: { ...service, command: ['/bin/sleep', '60'], prepare: [] }, source: {} };
  const seal = { format: 1, ...state.release, product: { ...product, releases: [idle] }, tree: '0'.repeat(64) };
  const folder = releaseFolder(home.folder, state.release);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'release.json'), JSON.stringify(seal));
  symlinkSync(folder, paths.current);
  for (const made of [paths.data, paths.logs, paths.run, paths.counts]) {
    mkdirSync(made, { recursive: true });
    if (account !== null) chownSync(made, account.uid, account.gid);
  }
  writeWindow(paths, { generation: 1, since });
  return home;
};

const start = ({ folder }: Home, env: Record<string, string>): ChildProcess => {
  const child = spawn(process.execPath, [main, 'run', 'mail', '--home', folder], {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env },
    stdio: 'inherit',
  });
  onTestFinished(() => void child.kill('SIGTERM'));
  return child;
};
const ended = (child: ChildProcess) => new Promise((done) => child.once('exit', done));

/** Until its server runs. */
const running = async (home: Home, env: Record<string, string> = {}): Promise<() => Promise<unknown>> => {
  const child = start(home, env);
  const uid = process.geteuid?.() ?? 0;
  await eventually(() => expect(readRecord(home.paths, uid)?.phase).toBe('running'), 30_000);
  return () => {
    const end = ended(child);
    child.kill('SIGTERM');
    return end;
  };
};
const gapsOf = ({ paths }: Home) => readWindow(paths)?.gaps;
const veto = { DO_NOT_TRACK: '1' };

test('a start under a veto begins a gap, and the next start without one ends it', { timeout: 120_000 }, async () => {
  await awayFromTheFullHour(60_000);
  const home = await idleInstance();
  const first = await running(home);
  // Another one, which is refused, starts nothing.
  await ended(start(home, veto));
  expect(gapsOf(home)).toBeUndefined();
  await first();
  await (await running(home, veto))();
  expect(gapsOf(home)).toEqual([{ from: today(), to: null }]);
  await (await running(home))();
  expect(gapsOf(home)).toEqual([{ from: today(), to: today() }]);
});

test('where nothing is counted any more, no folder is made for it', { timeout: 120_000 }, async () => {
  const home = await idleInstance();
  rmSync(home.paths.telemetry, { recursive: true });
  await (await running(home, veto))();
  expect(readWindow(home.paths)).toBeUndefined();
});
