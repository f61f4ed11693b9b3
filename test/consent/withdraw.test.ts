/** Withdrawing: at any time, on a full or read-only disk, against a change under way; and what was counted is gone afterwards. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { beginGeneration } from '../../src/consent/decide.ts';
import { loadLog } from '../../src/consent/log.ts';
import { withdraw } from '../../src/consent/withdraw.ts';
import { readState, writeState } from '../../src/instance/state.ts';
import { withTinyDisk } from '../support/mounts.ts';
import { isRoot, sandbox } from '../support/sandbox.ts';
import { homeWith, yesRaise } from './homes.ts';
import { answerOf, conduct, finish, type Home, open, sure, testWorld, undo, writeOpening } from './support.ts';

const nobody = 65534;
const actor = join(import.meta.dirname, 'actor.ts');

const fillTelemetry = ({ paths }: Home): void => {
  mkdirSync(join(paths.telemetry, 'days'), { recursive: true });
  writeFileSync(join(paths.telemetry, 'days', '2026-11-23.json'), '{}'.padEnd(5000));
};

test('what was counted is erased and told; the folder is not made again', async () => {
  const home = await homeWith('yes');
  fillTelemetry(home);
  mkdirSync(join(home.paths.folder, 'telemetry.gone-of-a-killed-one'));
  const { changed, erased, warnings } = await withdraw(home.world, home.paths);
  expect({ changed, warnings }).toEqual({ changed: true, warnings: [] });
  expect(erased.files).toBeGreaterThanOrEqual(1);
  expect(erased.bytes).toBeGreaterThanOrEqual(5000);
  expect(readdirSync(home.paths.folder).filter((name) => name.startsWith('telemetry'))).toEqual([]);
});

test('the second time nothing is to be done, and nothing is changed or wrong', async () => {
  const home = await homeWith('yes');
  await withdraw(home.world, home.paths);
  expect(await withdraw(home.world, home.paths)).toEqual({
    changed: false,
    erased: { files: 0, bytes: 0 },
    warnings: [],
    failure: null,
  });
  expect(loadLog(home.paths).lines.map(({ line }) => line?.kind)).toEqual(['generation', 'answer', 'withdrawal']);
  expect(answerOf(home)).toMatchObject({ state: 'withdrawn', collecting: false });
});

test('it waits for what counts, at most two seconds, and looks again', async () => {
  const home = await homeWith('yes');
  fillTelemetry(home);
  let asked = 0;
  const counting = (): boolean => {
    asked += 1;
    // A counter that was in the middle of its work brings the folder back.
    if (asked === 3) fillTelemetry(home);
    return asked < 5;
  };
  const { erased } = await withdraw(home.world, home.paths, { counting });
  expect(asked).toBe(5);
  expect(existsSync(home.paths.telemetry)).toBe(false);
  expect(erased.bytes).toBeGreaterThanOrEqual(10_000);
  const started = performance.now();
  await withdraw(home.world, home.paths, { counting: () => true });
  expect(performance.now() - started).toBeGreaterThan(1_900);
});

test("a server's own telemetry that does not stop is a failure of its own: recorded, and still sending", async () => {
  const home = await homeWith('yes');
  const serverOff = () => Promise.reject(new Error('it does not answer'));
  const { failure } = await withdraw(home.world, home.paths, { serverOff });
  expect(failure).toMatchObject({ code: 'withdrawal-still-sending', exit: 7 });
  expect(failure?.message).toContain('still sending until restarted');
  expect(answerOf(home)).toMatchObject({ state: 'withdrawn', collecting: false });
  const again = await homeWith('yes');
  fillTelemetry(again);
  const tried = await withdraw(again.world, again.paths, { serverOff });
  expect(tried).toMatchObject({ changed: true, failure: { code: 'withdrawal-still-sending' } });
  expect(tried.erased.files).toBeGreaterThan(0);
});

test('on a full disk the record is unlinked, which is a no', async ({ skip }) => {
  if (!isRoot) skip('a disk of its own needs root');
  await withTinyDisk(skip, async (disk) => {
    const home = await homeWith('yes', { folder: join(disk, 'home') });
    fill(disk);
    const { warnings } = await withdraw(home.world, home.paths);
    expect(existsSync(home.paths.consent)).toBe(false);
    expect(answerOf(home)).toMatchObject({ collecting: false });
    expect(warnings.join()).toMatch(/ENOSPC/);
    spawnSync('rm', [join(disk, 'filler')]);
    await withdraw(home.world, home.paths);
    expect(answerOf(home)).toMatchObject({ state: 'withdrawn' });
    expect(loadLog(home.paths).whole).toBe(true);
  });
});

test('however little space is left: a no, and never a damaged record that says yes', async ({ skip }) => {
  if (!isRoot) skip('a disk of its own needs root');
  await withTinyDisk(skip, async (disk) => {
    for (let kilobytes = 0; kilobytes <= 24; kilobytes += 4) {
      const home = await homeWith('yes', { folder: join(disk, `home-${kilobytes}`) });
      fill(disk, kilobytes);
      await withdraw(home.world, home.paths);
      expect(answerOf(home).collecting, `${kilobytes} kB left`).toBe(false);
      spawnSync('rm', [join(disk, 'filler')]);
      expect(answerOf(home).collecting).toBe(false);
    }
  });
});

test('on a read-only disk it exits 7 and says what to type', async ({ skip }) => {
  if (!isRoot) skip('remounting needs root');
  await withTinyDisk(skip, async (disk) => {
    const home = await homeWith('yes', { folder: join(disk, 'home') });
    if (spawnSync('mount', ['-o', 'remount,ro', disk]).status !== 0) skip('remounting is not possible here');
    const { failure } = await withdraw(home.world, home.paths);
    expect(failure).toMatchObject({ code: 'withdrawal-not-recorded', exit: 7 });
    expect(failure?.message).toMatch(/EROFS.*counting may go on/s);
    expect(failure?.advice).toContain('assent telemetry off mail');
    expect(answerOf(home).collecting).toBe(true);
  });
});

test('in a folder that can not be written to it exits 7, and the log has it', async ({ skip }) => {
  if (!isRoot) skip('needs a second user');
  const folder = join(sandbox(), 'home');
  mkdirSync(folder);
  chownSync(folder, nobody, nobody);
  await homeWith('yes', { folder });
  spawnSync('chown', ['-R', `${nobody}:${nobody}`, folder]);
  expect(asNobody(folder, 'status')).toMatchObject({ collecting: true });
  chmodSync(join(folder, 'instances', 'mail'), 0o555);
  expect(asNobody(folder, 'withdraw')).toMatchObject({ failed: 'withdrawal-not-recorded', exit: 7 });
  expect(asNobody(folder, 'status')).toMatchObject({ collecting: false });
});

test('it works without the state file, and with a damaged one', async () => {
  for (const damage of [undefined, '{']) {
    const home = await homeWith('yes');
    if (damage === undefined) spawnSync('rm', [home.paths.state]);
    else writeFileSync(home.paths.state, damage);
    await withdraw(home.world, home.paths);
    expect(loadLog(home.paths).standing).toMatchObject({ state: 'withdrawn' });
    expect(answerOf(home).collecting).toBe(false);
  }
});

test('damage of every kind ends in a plain withdrawal', async () => {
  const damages: ((home: Home) => void)[] = [
    ({ paths }) => writeFileSync(paths.consent, ''),
    ({ paths }) => writeFileSync(paths.consentLog, ''),
    ({ paths }) => writeFileSync(paths.consentLog, 'nothing of ours\n'),
    ({ paths }) =>
      writeFileSync(paths.consentLog, readFileSync(paths.consentLog, 'utf8').replace('"install"', '"upgrade"')),
    ({ paths }) => spawnSync('rm', [paths.consentLog, paths.consent]),
    ({ paths }) =>
      spawnSync('sh', ['-c', `echo {} > ${paths.consent}.target && ln -sf ${paths.consent}.target ${paths.consent}`]),
    ({ paths }) => mkdirSync(`${paths.consent}.d`),
  ];
  for (const damage of damages) {
    const home = await homeWith('yes');
    damage(home);
    await withdraw(home.world, home.paths);
    expect(answerOf(home)).toMatchObject({ state: 'withdrawn', collecting: false });
  }
});

test('between the question and the opening entry: it beats the yes, on finish and on undo', async () => {
  for (const end of [finish, undo]) {
    const home = await homeWith('yes');
    const before = sure(readState(home.paths));
    const raise = yesRaise(home);
    await withdraw(home.world, home.paths);
    await open(home, 'upgrade', raise, before);
    await end(home);
    expect(answerOf(home)).toMatchObject({ state: 'withdrawn', collecting: false });
  }
});

test('between the opening entry and its first step, while the state file lags behind: it beats the yes', async () => {
  const home = await homeWith('yes');
  const before = sure(readState(home.paths));
  const raise = yesRaise(home);
  writeOpening(home, 'upgrade', raise, before);
  await withdraw(home.world, home.paths);
  await beginGeneration(home.world, home.paths, raise);
  await withdraw(home.world, home.paths);
  await open(home, 'upgrade', raise, before);
  await finish(home);
  expect(answerOf(home)).toMatchObject({ state: 'withdrawn', collecting: false });
});

test('a withdrawal of an earlier installation does not touch a later yes', async () => {
  const home = await homeWith('yes');
  await withdraw(home.world, home.paths);
  await conduct(home, { change: 'reinstall', ends: 'finished', answer: { by: 'flag', say: 'yes', notice: 'current' } });
  expect(answerOf(home).collecting).toBe(true);
});

test('withdrawn and answered by two processes at once: whoever comes first, it is a no', async () => {
  const home = await homeWith('yes', { folder: join(sandbox(), 'home') });
  for (let round = 0; round < 3; round += 1) {
    await conduct(home, { change: 'upgrade', ends: 'interrupted', answer: { by: 'prompt', say: 'yes' } });
    await Promise.all([start(home.folder, 'withdraw'), start(home.folder, 'answer'), start(home.folder, 'withdraw')]);
    await (round % 2 === 0 ? finish : undo)(home);
    expect(answerOf(home)).toMatchObject({ state: 'withdrawn', collecting: false });
    expect(loadLog(home.paths)).toMatchObject({ whole: true, torn: [] });
  }
}, 90_000);

test('reading while somebody writes: no yes that was void is ever seen, and nothing looks damaged', async () => {
  const home = await homeWith('yes', { folder: join(sandbox(), 'home') });
  await withdraw(home.world, home.paths);
  const churning = start(home.folder, 'churn', '6');
  let done = false;
  void churning.then(() => {
    done = true;
  });
  const seen = new Map<string, number>();
  while (!done) {
    const { state, reason, collecting } = answerOf(home);
    const what = `${collecting ? 'COLLECTING ' : ''}${state} ${reason}`;
    seen.set(what, (seen.get(what) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect([...seen.keys()].filter((what) => /COLLECTING|record-invalid/.test(what))).toEqual([]);
  expect(seen.size).toBeGreaterThan(1);
}, 90_000);

test('a veto written for the server counts wherever the caller is', async () => {
  const home = await homeWith('yes');
  writeState(home.paths, { ...sure(readState(home.paths)), veto: '1' });
  expect(answerOf(home)).toMatchObject({ state: 'accepted', reason: 'do-not-track', collecting: false });
});

test('no user name is in what the server can read; the names are for the owner alone', async () => {
  const home = await homeWith('yes');
  home.world = testWorld({
    user: { uid: home.world.user.uid, gid: home.world.user.gid, name: 'root', login: 'unmistakable' },
  });
  await withdraw(home.world, home.paths);
  const { paths } = home;
  expect(readFileSync(paths.consent, 'utf8') + readFileSync(paths.consentLog, 'utf8')).not.toContain('unmistakable');
  expect(readFileSync(paths.consentUsers, 'utf8')).toContain('unmistakable');
  const modeOf = (path: string): string => spawnSync('stat', ['-c', '%a', path], { encoding: 'utf8' }).stdout.trim();
  expect([paths.consent, paths.consentLog, paths.consentUsers].map(modeOf)).toEqual(['600', '600', '600']);
});

test("the server's account can ask the resolver and write nothing", async ({ skip }) => {
  if (!isRoot) skip('needs a second user');
  const folder = join(sandbox(), 'home');
  const account = { name: 'nobody', uid: nobody, gid: nobody, made: false };
  const home = await homeWith('yes', { folder, account });
  const modes = spawnSync('stat', [
    '-c',
    '%a %u %g',
    home.paths.consent,
    home.paths.consentLog,
    home.paths.consentMark,
    home.paths.consentUsers,
  ]);
  expect(modes.stdout.toString()).toBe(`${`640 0 ${nobody}\n`.repeat(3)}600 0 ${nobody}\n`);
  expect(asNobody(folder, 'status')).toMatchObject({ state: 'accepted', collecting: true });
  expect(asNobody(folder, 'withdraw')).toMatchObject({ failed: 'withdrawal-not-recorded' });
  expect(answerOf(home).collecting).toBe(true);
});

const fill = (disk: string, leave = 0): void => {
  spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=4k', 'status=none']);
  if (leave > 0) spawnSync('truncate', ['-s', `-${leave}K`, join(disk, 'filler')]);
};

const asNobody = (home: string, what: string): unknown => {
  const setpriv = [
    '--reuid',
    String(nobody),
    '--regid',
    String(nobody),
    '--clear-groups',
    process.execPath,
    '--no-warnings',
    actor,
  ];
  const { stdout, stderr } = spawnSync('setpriv', [...setpriv, home, what], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
};

const start = (home: string, what: string, count = '1'): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--no-warnings', actor, home, what, count], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.on('exit', () => {
      const answer: unknown = JSON.parse(text);
      if (typeof answer === 'object' && answer !== null && 'failed' in answer) reject(new Error(text));
      else resolve(answer);
    });
  });
