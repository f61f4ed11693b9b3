/**
 * A withdrawal that could not be written whole, or whose log is gone: it beats the yes of the change that was under way all the same. What a change
 * itself leaves when it is killed looks much like it, and is no withdrawal.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { beginGeneration, type Raise, recordAnswer } from '../../src/consent/decide.ts';
import { askedNow, loadLog } from '../../src/consent/log.ts';
import { noticeId } from '../../src/consent/notice.ts';
import { storeNotice } from '../../src/consent/notice-file.ts';
import { logQuestion } from '../../src/consent/question.ts';
import { withdraw } from '../../src/consent/withdraw.ts';
import { type InstanceState, readState, writeState } from '../../src/instance/state.ts';
import { withTinyDisk } from '../support/mounts.ts';
import { isRoot } from '../support/sandbox.ts';
import { emptyHome, homeWith, yesRaise } from './homes.ts';
import { answerOf, conduct, finish, type Home, noticeOf, sure, undo, writeOpening } from './support.ts';

interface Scene {
  readonly home: Home;
  readonly raise: Raise;
  readonly before: InstanceState | undefined;
}

/** A reinstall, or a first install, that was answered with yes and has not begun. */
const asked = async (isFirst = false, folder?: string): Promise<Scene> => {
  const home = isFirst ? emptyHome() : await homeWith('yes', folder === undefined ? {} : { folder });
  const before = readState(home.paths);
  mkdirSync(home.paths.folder, { recursive: true });
  const notice = noticeOf('2.2.1');
  storeNotice(home.world, home.paths, notice, null);
  const question = { noticeId: noticeId(notice), version: '2.2.1', account: null };
  const moment = isFirst ? {} : await logQuestion(home.world, home.paths, question);
  return { home, before, raise: yesRaise(home, { change: 'reinstall', version: '2.2.1', ...moment }) };
};

/** How far the change comes before it is killed. */
const points = ['question', 'opening', 'generation', 'state', 'answer'] as const;
type Point = (typeof points)[number];

const until = async ({ home, raise, before }: Scene, point: Point, from: Point = 'question'): Promise<void> => {
  const { world, paths } = home;
  const next = { ...sure(before ?? (await anyState())), generation: raise.generation, key: raise.key };
  const acts: Record<Point, () => unknown> = {
    question: () => {},
    opening: () => writeOpening(home, 'reinstall', raise, before),
    generation: () => beginGeneration(world, paths, raise),
    state: () => writeState(paths, next),
    answer: () => recordAnswer(world, paths, raise),
  };
  for (const act of points.slice(points.indexOf(from), points.indexOf(point) + 1)) await acts[act]();
};

const anyState = async () => (await asked()).before;

/** As `recover --finish` goes on: what was under way once more, and all the rest. Behind the question alone the change itself goes on. */
const finished = async (scene: Scene, point: Point): Promise<void> => {
  await until(scene, 'answer', point === 'question' ? 'opening' : point);
  await finish(scene.home);
};

const tear = ({ home: { paths } }: Scene): void =>
  appendFileSync(paths.consentLog, `{"n":${loadLog(paths).length + 1},"kind":"withdrawal","prev":"0a`);

const losesItsRecord = ({ home: { paths } }: Scene): void => rmSync(paths.consent);

const withdrawn = { state: 'withdrawn', collecting: false };

test.each(points)('a withdrawal torn behind the %s: it beats the yes, on finish and on undo', async (point) => {
  for (const end of ['finish', 'undo']) {
    const scene = await asked();
    await until(scene, point);
    tear(scene);
    if (end === 'finish') await finished(scene, point);
    else {
      if (point === 'question') await until(scene, 'opening', 'opening');
      await undo(scene.home);
    }
    expect(answerOf(scene.home), end).toMatchObject(withdrawn);
    expect(loadLog(scene.home.paths)).toMatchObject({ whole: true, torn: [] });
  }
});

test.each(points)('a withdrawal that only took the record away, behind the %s: it beats the yes', async (point) => {
  const scene = await asked();
  await until(scene, point);
  losesItsRecord(scene);
  await finished(scene, point);
  expect(answerOf(scene.home)).toMatchObject(withdrawn);
  const { length } = loadLog(scene.home.paths);
  await recordAnswer(scene.home.world, scene.home.paths, scene.raise);
  expect(loadLog(scene.home.paths).length).toBe(length);
});

test('the same in a first install, once its generation has begun', async () => {
  const scene = await asked(true);
  await until(scene, 'state');
  losesItsRecord(scene);
  await until(scene, 'answer', 'answer');
  await finish(scene.home);
  expect(answerOf(scene.home)).toMatchObject(withdrawn);
});

test('said on a full disk between generation and answer, and space is there again: it beats the yes', async ({
  skip,
}) => {
  if (!isRoot) skip('a disk of its own needs root');
  await withTinyDisk(skip, async (disk) => {
    const scene = await asked(false, join(disk, 'home'));
    await until(scene, 'state');
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=4k', 'status=none']);
    await withdraw(scene.home.world, scene.home.paths);
    rmSync(join(disk, 'filler'));
    await finished(scene, 'state');
    expect(answerOf(scene.home)).toMatchObject(withdrawn);
  });
});

test.each(points)('the log is gone behind the %s, and then it is withdrawn: that beats the yes', async (point) => {
  const scene = await asked();
  await until(scene, point);
  rmSync(scene.home.paths.consentLog);
  await withdraw(scene.home.world, scene.home.paths);
  await finished(scene, point);
  expect(answerOf(scene.home)).toMatchObject(withdrawn);
});

test.each(points.slice(1))(
  'withdrawn behind the %s, and then the log is gone, or of before: no recovery brings the yes back',
  async (point) => {
    for (const end of ['finish', 'undo']) {
      for (const isWhole of [true, false]) {
        const scene = await asked();
        const { paths, copies } = scene.home;
        await until(scene, point);
        cpSync(paths.folder, copies, { recursive: true });
        await withdraw(scene.home.world, paths);
        rmSync(isWhole ? paths.folder : paths.consentLog, { recursive: true });
        if (isWhole) cpSync(copies, paths.folder, { recursive: true });
        await expect(end === 'finish' ? finished(scene, point) : undo(scene.home)).rejects.toThrow('comes from before');
        rmSync(paths.openJournal);
        expect(answerOf(scene.home).collecting, end).toBe(false);
        await conduct(scene.home, { change: 'reinstall', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
        expect(answerOf(scene.home).collecting, end).toBe(true);
      }
    }
  },
);

test.each(points)('a change that is killed behind the %s and finished has its yes', async (point) => {
  for (const isFirst of [true, false]) {
    const scene = await asked(isFirst);
    await until(scene, point);
    await finished(scene, point);
    expect(answerOf(scene.home)).toMatchObject({ state: 'accepted', collecting: true });
  }
});

test('a first install that is killed between the log and the record of its generation has its yes', async () => {
  const scene = await asked(true);
  await until(scene, 'generation');
  losesItsRecord(scene);
  await finished(scene, 'generation');
  expect(answerOf(scene.home)).toMatchObject({ state: 'accepted', collecting: true });
});

test('what was torn or taken away before the question is of an earlier installation', async () => {
  for (const before of [tear, losesItsRecord]) {
    const first = await asked();
    before(first);
    const scene = { ...first, raise: { ...first.raise, ...askedNow(first.home.paths) } };
    await until(scene, 'answer');
    await finish(scene.home);
    expect(answerOf(scene.home)).toMatchObject({ state: 'accepted', collecting: true });
  }
});
