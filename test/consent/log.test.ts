/** The chain: whatever is altered, cut, torn or repaired, the log tells, and an altered yes is none. */
import { readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Asked, loadLog } from '../../src/consent/log.ts';
import { readLog } from '../../src/consent/log-chain.ts';
import { logQuestion } from '../../src/consent/question.ts';
import { withdraw } from '../../src/consent/withdraw.ts';
import { readState } from '../../src/instance/state.ts';
import { homeWith } from './homes.ts';
import { answerOf, conduct, type Home, sure } from './support.ts';

const acceptedHome = async (): Promise<Home> => {
  const home = await homeWith('yes');
  await conduct(home, { change: 'upgrade', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
  expect(answerOf(home).collecting).toBe(true);
  return home;
};

const ask = (home: Home): Promise<Asked> =>
  logQuestion(home.world, home.paths, {
    noticeId: sure(readState(home.paths)?.noticeId),
    version: '3.0.0',
    account: null,
  });

test('lines are numbered, and each has the digest of the one before', async () => {
  const { paths } = await acceptedHome();
  const { lines, whole, standing } = loadLog(paths);
  expect(lines.map(({ line }) => line?.kind)).toEqual(['generation', 'answer', 'question', 'generation', 'answer']);
  expect(lines.map(({ line }) => line?.n)).toEqual([1, 2, 3, 4, 5]);
  expect(whole).toBe(true);
  expect(standing).toMatchObject({ n: 5, state: 'accepted', generation: 2 });
});

test('no byte of the log can be changed without the yes being lost', async () => {
  const { paths } = await acceptedHome();
  const original = readFileSync(paths.consentLog);
  const { standing } = readLog(original);
  const survivors: number[] = [];
  for (let at = 0; at < original.length; at += 1) {
    const bytes = Buffer.from(original);
    bytes[at] = (original[at] ?? 0) ^ 0x01;
    const view = readLog(bytes);
    if (view.whole && view.standing?.hash === standing?.hash && view.standing?.n === standing?.n) survivors.push(at);
  }
  expect(survivors).toEqual([]);
});

test('no line can be left out, doubled or swapped', async () => {
  const home = await acceptedHome();
  const lines = readFileSync(home.paths.consentLog, 'utf8').split('\n').slice(0, -1);
  const variants = lines.flatMap((line, index) => [
    lines.toSpliced(index, 1),
    lines.toSpliced(index, 0, line),
    lines.with(index, lines[(index + 1) % lines.length] ?? '').with((index + 1) % lines.length, line),
  ]);
  for (const variant of variants) {
    writeFileSync(home.paths.consentLog, `${variant.join('\n')}\n`);
    expect(answerOf(home)).toMatchObject({ collecting: false, state: 'invalid' });
  }
});

test('a question torn at any byte leaves the yes standing, and the next line repairs the log by appending', async () => {
  const home = await acceptedHome();
  const before = readFileSync(home.paths.consentLog);
  await ask(home);
  const after = readFileSync(home.paths.consentLog);
  for (let length = before.length; length <= after.length; length += 1) {
    const torn = after.subarray(0, length);
    writeFileSync(home.paths.consentLog, torn);
    expect(answerOf(home), `torn at ${length - before.length}`).toMatchObject({ state: 'accepted', collecting: true });
    if (length % 16 !== before.length % 16) continue;
    await ask(home);
    const repaired = readFileSync(home.paths.consentLog);
    expect(repaired.subarray(0, length).equals(torn)).toBe(true);
    expect(loadLog(home.paths)).toMatchObject({ whole: true, torn: [] });
    expect(answerOf(home).collecting).toBe(true);
  }
}, 60_000);

test('a withdrawal torn at any byte that still shows what it was ends the yes', async () => {
  const home = await acceptedHome();
  const before = readFileSync(home.paths.consentLog);
  const record = readFileSync(home.paths.consent);
  await withdraw(home.world, home.paths);
  const after = readFileSync(home.paths.consentLog);
  const shows = before.length + '{"n":6,"kind":"w'.length;
  writeFileSync(home.paths.consent, record);
  for (let length = shows; length <= after.length; length += 1) {
    writeFileSync(home.paths.consentLog, after.subarray(0, length));
    if (readLog(after.subarray(0, length)).tornNo === false) expect(length).toBeGreaterThanOrEqual(after.length - 1);
  }
  for (const length of [shows, shows + 40, after.length - 2, after.length - 1, after.length]) {
    writeFileSync(home.paths.consentLog, after.subarray(0, length));
    expect(answerOf(home), `torn at ${length - before.length}`).toMatchObject({ collecting: false, state: 'invalid' });
  }
});

test('a repair that is itself torn, again and again, is repaired', async () => {
  const home = await acceptedHome();
  for (let round = 0; round < 4; round += 1) {
    await ask(home);
    truncateSync(home.paths.consentLog, readFileSync(home.paths.consentLog).length - 20 - round);
    expect(answerOf(home).collecting).toBe(true);
  }
  const repair = readFileSync(home.paths.consentLog, 'utf8')
    .split('\n')
    .findLastIndex((line) => line.includes('"repair"'));
  expect(repair).toBeGreaterThan(0);
  const cut = readFileSync(home.paths.consentLog, 'utf8')
    .split('\n')
    .slice(0, repair + 1)
    .join('\n');
  writeFileSync(home.paths.consentLog, cut.slice(0, -10));
  expect(answerOf(home).collecting).toBe(true);
  await ask(home);
  expect(loadLog(home.paths).whole).toBe(true);
  expect(answerOf(home).collecting).toBe(true);
});

test('NUL bytes behind the last line, as a power cut leaves them, are a torn line', async () => {
  const home = await acceptedHome();
  writeFileSync(home.paths.consentLog, Buffer.concat([readFileSync(home.paths.consentLog), Buffer.alloc(300)]));
  expect(answerOf(home).collecting).toBe(true);
  await ask(home);
  expect(loadLog(home.paths).whole).toBe(true);
});

test('asking does not heal an altered log: the yes stays lost until a change asks anew', async () => {
  const home = await acceptedHome();
  const altered = readFileSync(home.paths.consentLog, 'utf8').replace('"change":"install"', '"change":"upgrade"');
  writeFileSync(home.paths.consentLog, altered);
  await ask(home);
  expect(answerOf(home)).toMatchObject({ state: 'invalid', collecting: false });
  expect(readFileSync(home.paths.consentLog, 'utf8').startsWith(altered)).toBe(true);
  await conduct(home, { change: 'reinstall', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
  expect(answerOf(home)).toMatchObject({ state: 'accepted', collecting: true });
  expect(loadLog(home.paths).whole).toBe(true);
});

test('a log that was cut says so in its next line', async () => {
  const home = await acceptedHome();
  writeFileSync(
    home.paths.consentLog,
    readFileSync(home.paths.consentLog, 'utf8').split('\n').slice(0, 2).join('\n') + '\n',
  );
  await withdraw(home.world, home.paths);
  expect(loadLog(home.paths).lines[2]?.line).toMatchObject({ kind: 'repair', lost: 3 });
  expect(answerOf(home)).toMatchObject({ state: 'withdrawn' });
});

test('a folder or a link in the place of the log is moved away, not followed', async () => {
  const home = await acceptedHome();
  const target = join(home.folder, 'elsewhere');
  writeFileSync(target, 'somebody else wrote this');
  rmSync(home.paths.consentLog);
  symlinkSync(target, home.paths.consentLog);
  expect(answerOf(home)).toMatchObject({ state: 'invalid', fault: 'log-foreign' });
  await withdraw(home.world, home.paths);
  expect(readFileSync(target, 'utf8')).toBe('somebody else wrote this');
  expect(answerOf(home)).toMatchObject({ state: 'withdrawn' });
  expect(readdirSync(home.paths.folder).some((name) => name.startsWith('consent.log.set-aside-'))).toBe(true);
});
