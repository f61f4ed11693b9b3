/** What people and auditors get to see of consent: sentences, history, receipt. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { explain, faultText, statusExit } from '../../src/consent/explain.ts';
import { assertWhole, historyOf, renderHistory } from '../../src/consent/history.ts';
import { loadLog } from '../../src/consent/log.ts';
import { receiptOf } from '../../src/consent/receipt.ts';
import { withdraw } from '../../src/consent/withdraw.ts';
import type { Failure } from '../../src/errors.ts';
import { readState } from '../../src/instance/state.ts';
import { sandbox } from '../support/sandbox.ts';
import { answerOf, conduct, type Home, inMemory, makeHome, sure, testWorld } from './support.ts';

const busyHome = async (): Promise<Home> => {
  const folder = join(sandbox(inMemory), 'home');
  mkdirSync(folder);
  const home = makeHome(folder);
  home.world = testWorld({ user: { ...home.world.user, login: 'alice' } });
  await conduct(home, { change: 'install', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
  await conduct(home, { change: 'upgrade', ends: 'undone', answer: { by: 'flag', say: 'yes', notice: 'stale' } });
  await conduct(home, {
    change: 'upgrade',
    ends: 'finished',
    answer: { by: 'answers', say: 'yes', notice: 'current' },
  });
  await withdraw(home.world, home.paths);
  return home;
};

test('the history tells every generation, question, answer, void and withdrawal, and who it was', async () => {
  const { paths } = await busyHome();
  const history = historyOf(paths);
  expect(history.entries.map(({ kind }) => kind)).toEqual([
    'generation',
    'answer',
    'generation',
    'answer',
    'void',
    'generation',
    'answer',
    'withdrawal',
  ]);
  expect(history).toMatchObject({ whole: true, fault: null });
  const text = renderHistory(history)
    .map((entry) => entry.text)
    .join('\n');
  for (const part of [
    'installation 1 begins (install, 2.2.1)',
    'accepted (prompt), by alice',
    'on was said, but not confirmed',
    'installation 2 was undone; what stands: not-asked (change-undone)',
    'accepted (answers)',
    'withdrawn (flag)',
  ]) {
    expect(text).toContain(part);
  }
  expect(() => assertWhole(paths, history)).not.toThrow();
});

test('only a generation behind a yes says that one is over', async () => {
  const home = await busyHome();
  await conduct(home, { change: 'reinstall', ends: 'finished', answer: { by: 'flag', say: 'no' } });
  await conduct(home, { change: 'reinstall', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
  await conduct(home, { change: 'uninstall', ends: 'finished', answer: null });
  const begun = historyOf(home.paths).entries.filter(({ kind }) => kind === 'generation');
  expect(begun.map(({ text }) => text.includes('the yes of before is over'))).toEqual([
    false,
    true,
    false,
    false,
    false,
    true,
  ]);
});

test('an altered history is still shown, and refused', async () => {
  const { paths } = await busyHome();
  writeFileSync(paths.consentLog, readFileSync(paths.consentLog, 'utf8').replace('"by":"answers"', '"by":"prompt"'));
  const history = historyOf(paths);
  expect(history.entries).toHaveLength(8);
  expect(history.fault).toContain('line 8');
  let failure: unknown;
  try {
    assertWhole(paths, history);
  } catch (error) {
    failure = error;
  }
  expect(failure as Failure).toMatchObject({ code: 'refused-history', exit: 3 });
});

test('names are shown only where they are known; without a log there is no history', async () => {
  const { paths } = await busyHome();
  writeFileSync(paths.consentUsers, 'damaged\n');
  expect(historyOf(paths).entries.every(({ user }) => user === null)).toBe(true);
  expect(historyOf(makeHome(sandbox()).paths)).toMatchObject({ entries: [], whole: true });
});

test('the receipt has the decision, the text agreed to and the head of the log, and nothing that names user or machine', async () => {
  const home = await busyHome();
  await conduct(home, { change: 'reinstall', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
  const receipt = receiptOf(home.world, home.paths);
  expect(receipt).toMatchObject({
    schema: 'assent-receipt/1',
    instance: 'mail',
    product: 'maildev',
    version: '3.0.0',
    generation: 4,
    decision: { state: 'accepted', collecting: true, by: 'prompt' },
    log: { whole: true, head: loadLog(home.paths).head },
  });
  expect(receipt.notice?.text).toContain('mailbox opened');
  expect(receipt.notice?.id).toBe(readState(home.paths)?.noticeId);
  const text = JSON.stringify(receipt);
  const secrets = [sure(readState(home.paths)).key, home.world.machineId, 'alice'];
  for (const secret of secrets) expect(text).not.toContain(secret);
});

test('every answer has a sentence that begins with on or off, and its exit code', async () => {
  const exits = {
    accepted: 0,
    'not-asked': 20,
    'change-undone': 20,
    'notice-not-confirmed': 20,
    declined: 21,
    withdrawn: 21,
    'do-not-track': 22,
    'record-invalid': 23,
    'change-unfinished': 23,
    'no-telemetry': 24,
  } as const;
  const home = await busyHome();
  for (const [reason, exit] of Object.entries(exits) as [keyof typeof exits, number][]) {
    const answer = { ...answerOf(home), reason };
    expect(statusExit(answer)).toBe(exit);
    expect(explain(answer, 'mail')).toMatch(exit === 0 ? /^on: / : /^off: /);
  }
  const running = { ...answerOf(home), reason: 'change-unfinished', running: true } as const;
  expect(explain(running, 'mail')).toContain('a change is running');
  expect(explain({ ...running, running: false }, 'mail')).toContain('assent recover mail');
  const invalid = { ...answerOf(home), reason: 'record-invalid', fault: 'log-broken' } as const;
  expect(explain(invalid, 'mail')).toContain(faultText('log-broken'));
});
