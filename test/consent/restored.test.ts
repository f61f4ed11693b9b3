/** A backup of record and log, or of the whole folder, that the admin made while a yes was in force, and restored after it was over: it brings no yes back. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { explain } from '../../src/consent/explain.ts';
import { mayCount } from '../../src/consent/gather.ts';
import { assertWhole, historyOf } from '../../src/consent/history.ts';
import { loadLog } from '../../src/consent/log.ts';
import { removeMark } from '../../src/consent/mark.ts';
import { noticeId } from '../../src/consent/notice.ts';
import { logQuestion } from '../../src/consent/question.ts';
import { receiptOf } from '../../src/consent/receipt.ts';
import { withdraw } from '../../src/consent/withdraw.ts';
import { readState } from '../../src/instance/state.ts';
import { makeWatch } from '../../src/telemetry/counting/watch.ts';
import { homeWith } from './homes.ts';
import { answerOf, type CaseAnswer, conduct, finish, type Home, noticeOf, undo } from './support.ts';

const yes: CaseAnswer = { by: 'prompt', say: 'yes' };
const no: CaseAnswer = { by: 'flag', say: 'no' };

const backUp = ({ paths, copies }: Home): void => {
  rmSync(copies, { recursive: true, force: true });
  cpSync(paths.folder, copies, { recursive: true, preserveTimestamps: true });
};

const restoreFolder = ({ paths, copies }: Home): void => {
  rmSync(paths.folder, { recursive: true, force: true });
  cpSync(copies, paths.folder, { recursive: true, preserveTimestamps: true });
};

const restoreFiles = ({ paths, copies }: Home): void => {
  for (const file of ['consent.json', 'consent.log']) cpSync(join(copies, file), join(paths.folder, file));
};

const ofBefore = { state: 'invalid', collecting: false, reason: 'record-invalid', fault: 'log-of-before' };

test.each([
  ['record and log', restoreFiles],
  ['the whole folder', restoreFolder],
])('%s from before a withdrawal: invalid, and a restored backup is named as the likely cause', async (_, restore) => {
  const home = await homeWith('yes');
  const watch = makeWatch(home.world, home.paths);
  expect(watch.look()).toMatchObject({ noticeId: noticeId(noticeOf('2.2.1')) });
  backUp(home);
  await withdraw(home.world, home.paths);
  restore(home);
  expect(answerOf(home)).toMatchObject(ofBefore);
  expect(mayCount(home.world, home.paths)).toMatchObject(ofBefore);
  expect(watch.look('anew')).not.toHaveProperty('noticeId');
  expect(explain(answerOf(home), 'mail')).toMatch(/as after a restored backup.*assent reinstall mail/);
});

test('an earlier installation restored as a whole is no yes, whatever was answered since', async () => {
  for (const answer of [no, null, yes]) {
    const home = await homeWith('yes');
    backUp(home);
    await conduct(home, { change: 'upgrade', ends: 'finished', answer });
    restoreFolder(home);
    expect(answerOf(home)).toMatchObject(ofBefore);
  }
});

test('the history of a restored log is not whole, and says how far it once went', async () => {
  const home = await homeWith('yes');
  backUp(home);
  await withdraw(home.world, home.paths);
  restoreFiles(home);
  const history = historyOf(home.paths);
  expect(history.whole).toBe(false);
  expect(() => assertWhole(home.paths, history)).toThrow(
    /it ends with line 2, and line 3 was written, too; most likely a backup was restored/,
  );
  expect(receiptOf(home.world, home.paths).log.whole).toBe(false);
  await logQuestion(home.world, home.paths, { noticeId: noticeId(noticeOf('2.2.1')), version: null, account: null });
  rmSync(home.paths.consentLog);
  expect(historyOf(home.paths)).toMatchObject({ entries: [], whole: true });
});

test('a question on a restored log heals nothing, nor does a second one', async () => {
  const home = await homeWith('yes');
  backUp(home);
  await withdraw(home.world, home.paths);
  restoreFolder(home);
  const asked = { noticeId: noticeId(noticeOf('2.2.1')), version: '2.2.1', account: null };
  for (let nth = 0; nth < 2; nth += 1) {
    await logQuestion(home.world, home.paths, asked);
    expect(answerOf(home)).toMatchObject({ state: 'invalid', collecting: false });
  }
});

test('a withdrawal on a restored log is a plain one, and so it stays', async () => {
  const home = await homeWith('yes');
  await conduct(home, { change: 'reinstall', ends: 'finished', answer: yes });
  backUp(home);
  await conduct(home, { change: 'upgrade', ends: 'finished', answer: no });
  restoreFolder(home);
  expect(await withdraw(home.world, home.paths)).toMatchObject({ changed: true, warnings: [] });
  expect(answerOf(home)).toMatchObject({ state: 'withdrawn', collecting: false });
  expect(historyOf(home.paths).whole).toBe(true);
  expect(await withdraw(home.world, home.paths)).toMatchObject({ changed: false });
  restoreFolder(home);
  expect(answerOf(home)).toMatchObject(ofBefore);
  await conduct(home, { change: 'reinstall', ends: 'finished', answer: yes });
  expect(readState(home.paths)?.generation).toBe(4);
});

test('a reinstall asks anew: its yes counts, and its generation is higher than any before', async () => {
  const home = await homeWith('yes');
  backUp(home);
  await conduct(home, { change: 'upgrade', ends: 'finished', answer: no });
  restoreFolder(home);
  await conduct(home, { change: 'reinstall', ends: 'finished', answer: yes });
  expect(answerOf(home)).toMatchObject({ state: 'accepted', collecting: true });
  expect(readState(home.paths)?.generation).toBe(3);
  expect(historyOf(home.paths).whole).toBe(true);
});

test('a reinstall over a restored backup that is interrupted ends as any other', async () => {
  for (const end of [finish, undo]) {
    const home = await homeWith('yes');
    backUp(home);
    await withdraw(home.world, home.paths);
    restoreFolder(home);
    await conduct(home, { change: 'reinstall', ends: 'interrupted', answer: yes });
    expect(answerOf(home)).toMatchObject({ collecting: false, reason: 'change-unfinished' });
    await end(home);
    expect(answerOf(home)).toMatchObject({ state: end === finish ? 'accepted' : 'not-asked' });
    await conduct(home, { change: 'reinstall', ends: 'finished', answer: yes });
    expect(answerOf(home).collecting).toBe(true);
  }
});

test('killed anywhere between the lines and the mark, a reinstall over a restored backup is recovered with its yes', async () => {
  const home = await homeWith('yes');
  backUp(home);
  await withdraw(home.world, home.paths);
  restoreFolder(home);
  const [mark, record] = [readFileSync(home.paths.consentMark), readFileSync(home.paths.consent)];
  const before = loadLog(home.paths).length;
  await conduct(home, { change: 'reinstall', ends: 'interrupted', answer: yes });
  const lines = readFileSync(home.paths.consentLog, 'utf8').split(/(?<=\n)/);
  const written = lines.length - 1;
  expect(written).toBeGreaterThan(before + 2);
  const open = readFileSync(home.paths.openJournal);
  for (let kept = before; kept <= written; kept += 1) {
    writeFileSync(home.paths.consentLog, lines.slice(0, kept).join(''));
    writeFileSync(home.paths.consentMark, mark);
    writeFileSync(home.paths.consent, record);
    writeFileSync(home.paths.openJournal, open);
    await finish(home);
    expect(answerOf(home), `${kept} lines`).toMatchObject({ state: 'accepted', collecting: true });
  }
});

test('a change that was open in the backup, and was ended since, brings no yes back when it is recovered', async () => {
  const home = await homeWith('yes');
  await conduct(home, { change: 'upgrade', ends: 'interrupted', answer: yes });
  // Killed before the generation's line, and behind it.
  for (const lacking of [2, 1]) {
    const log = readFileSync(home.paths.consentLog, 'utf8').split(/(?<=\n)/);
    writeFileSync(home.paths.consentLog, log.slice(0, -lacking).join(''));
    rmSync(home.paths.consent, { force: true });
    backUp(home);
    writeFileSync(home.paths.consentLog, log.join(''));
    await finish(home);
    await withdraw(home.world, home.paths);
    restoreFolder(home);
    await expect(finish(home)).rejects.toThrow('comes from before what was decided last');
    rmSync(home.paths.openJournal);
    expect(answerOf(home).collecting).toBe(false);
    await conduct(home, { change: 'reinstall', ends: 'finished', answer: yes });
    expect(answerOf(home).collecting).toBe(true);
    await conduct(home, { change: 'upgrade', ends: 'interrupted', answer: yes });
  }
});

test('a crash between log and mark leaves a mark that lags, which is nothing', async () => {
  const home = await homeWith('yes');
  const lagging = readFileSync(home.paths.consentMark);
  await conduct(home, { change: 'upgrade', ends: 'finished', answer: yes });
  writeFileSync(home.paths.consentMark, lagging);
  expect(answerOf(home).collecting).toBe(true);
  await withdraw(home.world, home.paths);
  writeFileSync(home.paths.consentMark, lagging);
  expect(answerOf(home)).toMatchObject({ state: 'withdrawn' });
  expect(await withdraw(home.world, home.paths)).toMatchObject({ changed: false });
  expect(readFileSync(home.paths.consentMark).equals(lagging)).toBe(false);
});

test('a home of before the mark goes on, and has one with the next line', async () => {
  const home = await homeWith('yes');
  removeMark(home.paths);
  expect(answerOf(home).collecting).toBe(true);
  backUp(home);
  await withdraw(home.world, home.paths);
  restoreFolder(home);
  expect(answerOf(home)).toMatchObject(ofBefore);
});

test.each([
  ['torn', '{"format":1,"gen'],
  ['of a later format', '{"format":2,"generation":1,"line":2,"hash":"00"}'],
  ['empty', ''],
])('a mark that is %s is a no, which a question does not heal, and a reinstall does', async (_, text) => {
  const home = await homeWith('yes');
  writeFileSync(home.paths.consentMark, text);
  expect(answerOf(home)).toMatchObject({ state: 'invalid', collecting: false, fault: 'mark-unreadable' });
  await logQuestion(home.world, home.paths, {
    noticeId: noticeId(noticeOf('2.2.1')),
    version: '2.2.1',
    account: null,
  });
  expect(answerOf(home)).toMatchObject({ state: 'invalid', collecting: false });
  await conduct(home, { change: 'reinstall', ends: 'finished', answer: yes });
  expect(answerOf(home).collecting).toBe(true);
});

test('where the mark can not be written, a withdrawal stands and says what that means', async () => {
  const home = await homeWith('yes');
  rmSync(home.paths.consentMark);
  mkdirSync(home.paths.consentMark);
  const { changed, warnings } = await withdraw(home.world, home.paths);
  expect(changed).toBe(true);
  expect(warnings.join()).toMatch(/if you restored a backup of before, the yes would come back/);
  expect(loadLog(home.paths).standing?.state).toBe('withdrawn');
  expect(answerOf(home).collecting).toBe(false);
  await expect(conduct(home, { change: 'reinstall', ends: 'finished', answer: yes })).rejects.toThrow('consent-mark');
  rmSync(home.paths.openJournal);
  expect(answerOf(home).collecting).toBe(false);
});

test('where the folder was removed by hand, an installation begins as a first one; the old folder is none of it', async () => {
  const home = await homeWith('yes');
  backUp(home);
  await withdraw(home.world, home.paths);
  rmSync(home.paths.folder, { recursive: true });
  expect(answerOf(home)).toMatchObject({ state: 'not-asked', fault: null });
  await conduct(home, { change: 'install', ends: 'finished', answer: yes });
  expect(answerOf(home)).toMatchObject({ state: 'accepted', collecting: true });
  expect(historyOf(home.paths).entries.map(({ kind }) => kind)).toEqual(['generation', 'answer']);
  restoreFolder(home);
  expect(answerOf(home)).toMatchObject(ofBefore);
});

test('what is restored as it was is as it was', async () => {
  const home = await homeWith('yes');
  backUp(home);
  rmSync(home.paths.folder, { recursive: true });
  restoreFolder(home);
  expect(answerOf(home).collecting).toBe(true);
  expect(existsSync(home.paths.consentMark)).toBe(true);
});
