/** The operations of a change beyond the vectors: repeated, torn apart, on disks that refuse, by another user. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { beginGeneration, recordAnswer, voidGeneration } from '../../src/consent/decide.ts';
import { consentOf, mayCount } from '../../src/consent/gather.ts';
import { loadLog } from '../../src/consent/log.ts';
import { noticeId } from '../../src/consent/notice.ts';
import { readState } from '../../src/instance/state.ts';
import { withTinyDisk } from '../support/mounts.ts';
import { isRoot } from '../support/sandbox.ts';
import { emptyHome, homeWith, yesRaise } from './homes.ts';
import {
  answerOf,
  conduct,
  finish,
  type Home,
  noticeOf,
  open,
  raiseOf,
  sure,
  testWorld,
  undo,
  writeOpening,
} from './support.ts';

const kinds = (home: Home): (string | undefined)[] => loadLog(home.paths).lines.map(({ line }) => line?.kind);

test('killed right behind the opening entry, or anywhere after it, and undone: the yes of before is over', async () => {
  for (const reached of ['opening', 'generation', 'answer']) {
    const home = await homeWith('yes');
    const before = sure(readState(home.paths));
    const raise = yesRaise(home);
    writeOpening(home, 'upgrade', raise, before);
    expect(answerOf(home)).toMatchObject({ collecting: false, reason: 'change-unfinished' });
    if (reached !== 'opening') await beginGeneration(home.world, home.paths, raise);
    expect(answerOf(home)).toMatchObject({ collecting: false, reason: 'change-unfinished' });
    if (reached === 'answer') await recordAnswer(home.world, home.paths, raise);
    await undo(home);
    expect(answerOf(home), reached).toMatchObject({ state: 'not-asked', reason: 'change-undone', collecting: false });
  }
});

test('a yes that was said and not yet on record is taken along by the undo, and is told', async () => {
  const home = emptyHome();
  await conduct(home, { change: 'install', ends: 'finished', answer: null });
  writeOpening(home, 'upgrade', yesRaise(home), readState(home.paths));
  await undo(home);
  expect(answerOf(home)).toMatchObject({ state: 'not-asked', reason: 'change-undone' });
});

test('an undone first install leaves its log; a no in it is told, a yes is none', async () => {
  for (const [say, state] of [
    ['yes', 'not-asked'],
    ['no', 'declined'],
  ] as const) {
    const home = emptyHome();
    await conduct(home, { change: 'install', ends: 'undone', answer: { by: 'prompt', say } });
    expect(readState(home.paths)).toBeUndefined();
    expect(answerOf(home)).toMatchObject({ state, collecting: false });
    await conduct(home, { change: 'install', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
    expect(answerOf(home)).toMatchObject({ state: 'accepted', collecting: true });
    expect(loadLog(home.paths).whole).toBe(true);
  }
});

test('undone twice: the second undo took no yes with it', async () => {
  const home = await homeWith('yes');
  await conduct(home, { change: 'upgrade', ends: 'undone', answer: null });
  expect(answerOf(home).reason).toBe('change-undone');
  await conduct(home, { change: 'upgrade', ends: 'undone', answer: null });
  expect(answerOf(home)).toMatchObject({ state: 'not-asked', reason: 'not-asked' });
});

test('a no survives any number of undone changes, with its way and time', async () => {
  const home = await homeWith('yes');
  await conduct(home, { change: 'upgrade', ends: 'finished', answer: { by: 'flag', say: 'no' } });
  const { by, at } = answerOf(home);
  for (let round = 0; round < 3; round += 1) {
    await conduct(home, { change: 'upgrade', ends: 'undone', answer: { by: 'prompt', say: 'yes' } });
    expect(answerOf(home)).toMatchObject({ state: 'declined', by, at });
  }
});

test('each operation once or many times writes the same lines', async () => {
  const home = await homeWith('yes');
  const before = sure(readState(home.paths));
  const raise = raiseOf(home, {
    change: 'upgrade',
    version: '3.0.0',
    notice: noticeOf('3.0.0'),
    answer: { say: 'no', by: 'flag' },
    since: 2,
    generation: 2,
  });
  await open(home, 'upgrade', raise, before);
  const once = kinds(home);
  for (const operation of [beginGeneration, recordAnswer, recordAnswer, beginGeneration]) {
    await operation(home.world, home.paths, raise);
  }
  expect(kinds(home)).toEqual(once);
  await voidGeneration(home.world, home.paths, raise);
  const voided = kinds(home);
  await voidGeneration(home.world, home.paths, raise);
  expect(kinds(home)).toEqual(voided);
  await finish(home);
});

test('a yes to another notice than that of the release that will run is no yes, whoever says so', async () => {
  const home = emptyHome();
  mkdirSync(home.paths.folder, { recursive: true });
  const raise = raiseOf(home, {
    change: 'install',
    version: '2.2.1',
    notice: noticeOf('2.2.1'),
    answer: { say: 'yes', by: 'flag', noticeId: noticeId(noticeOf('3.0.0')) },
    since: 0,
    generation: 1,
  });
  await open(home, 'install', raise, undefined);
  await finish(home);
  expect(answerOf(home)).toMatchObject({ state: 'not-asked', reason: 'notice-not-confirmed' });
});

test('the answer is of who gave it, also where another user recovers the change', async () => {
  const home = emptyHome();
  home.world = testWorld({ user: { ...home.world.user, login: 'alice' } });
  mkdirSync(home.paths.folder, { recursive: true });
  const notice = noticeOf('2.2.1');
  const raise = raiseOf(home, {
    change: 'install',
    version: '2.2.1',
    notice,
    answer: { say: 'no', by: 'prompt' },
    since: 0,
    generation: 1,
  });
  home.world = testWorld({ user: { ...home.world.user, login: 'bob' } });
  await recordAnswer(home.world, home.paths, { ...raise, login: 'alice' });
  const names = readFileSync(home.paths.consentUsers, 'utf8');
  expect(names).toContain('alice');
  expect(names).not.toContain('bob');
});

test('what can not be written is a problem that is told, never an exception, and a no', async ({ skip }) => {
  if (!isRoot) skip('a disk of its own needs root');
  await withTinyDisk(skip, async (disk) => {
    const home = await homeWith('yes', { folder: join(disk, 'home') });
    const raise = yesRaise(home);
    writeOpening(home, 'upgrade', raise, readState(home.paths));
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=4k', 'status=none']);
    const { problem } = await recordAnswer(home.world, home.paths, raise);
    expect(problem).toMatch(/could not be recorded.*ENOSPC/s);
    expect(existsSync(home.paths.consent)).toBe(false);
    spawnSync('rm', [join(disk, 'filler'), home.paths.openJournal]);
    expect(answerOf(home).collecting).toBe(false);
  });
});

test('a journal that can not be read is an open change', async () => {
  const home = await homeWith('yes');
  mkdirSync(home.paths.openJournal);
  expect(answerOf(home)).toMatchObject({ collecting: false, reason: 'change-unfinished' });
});

test("status answers for the server; whoever counts is stopped by the caller's own veto too", async () => {
  const home = await homeWith('yes');
  const vetoing = testWorld({ env: { DO_NOT_TRACK: '1' } });
  expect(consentOf(vetoing, home.paths)).toMatchObject({ collecting: true });
  expect(mayCount(vetoing, home.paths)).toMatchObject({ collecting: false, reason: 'do-not-track' });
  expect(mayCount(testWorld({ env: { DO_NOT_TRACK: '0' } }), home.paths).collecting).toBe(true);
});

test('no variable of the environment turns anything on', async () => {
  const home = await homeWith('no');
  for (const value of ['0', 'false', 'off', 'no', '']) {
    expect(
      mayCount(testWorld({ env: { DO_NOT_TRACK: value, ASSENT_TELEMETRY: 'on' } }), home.paths, value).collecting,
    ).toBe(false);
  }
});

test('files of another user than the folder are not trusted', async ({ skip }) => {
  if (!isRoot) skip('needs a second user');
  for (const file of ['consent', 'consentLog', 'state'] as const) {
    const home = await homeWith('yes');
    spawnSync('chown', ['65534', home.paths[file]]);
    expect(answerOf(home), file).toMatchObject({ state: 'invalid', collecting: false });
    await conduct(home, { change: 'reinstall', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
    expect(answerOf(home), file).toMatchObject({ state: 'accepted', collecting: true });
  }
});

test('in somebody else’s home root leaves files that their owner can use', async ({ skip }) => {
  if (!isRoot) skip('needs a second user');
  const home = emptyHome();
  mkdirSync(home.paths.folder, { recursive: true });
  spawnSync('chown', ['-R', '65534:65534', home.folder]);
  const raise = raiseOf(home, {
    change: 'install',
    version: '2.2.1',
    notice: noticeOf('2.2.1'),
    answer: { say: 'no', by: 'flag' },
    since: 0,
    generation: 1,
  });
  expect(await recordAnswer(home.world, home.paths, raise)).toEqual({ problem: null });
  const owners = spawnSync('stat', ['-c', '%u', home.paths.consent, home.paths.consentLog, home.paths.consentUsers], {
    encoding: 'utf8',
  });
  expect(owners.stdout).toBe('65534\n65534\n65534\n');
});

test('the record is written once, whole, with nothing beside it', async () => {
  const home = await homeWith('yes');
  const { readdirSync } = await import('node:fs');
  expect(
    readdirSync(home.paths.folder)
      .filter((name) => name.includes('consent'))
      .sort(),
  ).toEqual(['consent.json', 'consent.log', 'consent.users']);
  writeFileSync(join(home.paths.folder, 'unrelated'), '');
  expect(answerOf(home).collecting).toBe(true);
});

test('a yes that an uninstall of before has taken counts for nothing', async () => {
  const home = emptyHome();
  await conduct(home, { change: 'install', ends: 'finished', answer: null });
  await conduct(home, { change: 'uninstall', ends: 'finished', answer: { by: 'flag', say: 'yes', notice: 'current' } });
  expect(answerOf(home)).toMatchObject({ state: 'invalid', fault: 'not-installed', collecting: false });
});
