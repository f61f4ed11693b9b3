/**
 * The recorder on real files, with consent as people give and withdraw it. Only the clock is the test's.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { withdraw } from '../../../src/consent/withdraw.ts';
import { makeRecorder, type Recorder } from '../../../src/telemetry/counting/recorder.ts';
import type { Seen } from '../../../src/telemetry/counting/seen.ts';
import { type Part, parsePart } from '../../../src/telemetry/part.ts';
import { conduct, type Ends, finish, type Home, makeHome, testWorld } from '../../consent/support.ts';
import { sandbox } from '../../support/sandbox.ts';

const noon = Date.parse('2026-11-25T12:00:00.000Z');
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0';

interface Play {
  readonly home: Home;
  clock: number;
}

/** An instance whose installation ended so, with a yes unless told otherwise, and the folder that a yes makes. */
const play = async (
  ends: Ends = 'finished',
  say: 'yes' | 'no' = 'yes',
  env: Record<string, string> = {},
): Promise<Play> => {
  const at = { clock: noon };
  const world = testWorld({ now: () => new Date(at.clock), env });
  const home = makeHome(join(sandbox(), 'home'), { world });
  await conduct(home, { change: 'install', ends, answer: { by: 'prompt', say } });
  mkdirSync(home.paths.counts, { recursive: true });
  return Object.assign(at, { home });
};

const recorderOf = ({ home }: Play): Recorder => {
  const recorder = makeRecorder(home.world, home.paths);
  onTestFinished(() => recorder.end());
  return recorder;
};

const seen = (client: number, changes: Partial<Seen> = {}): Seen => ({
  method: 'GET',
  url: '/api/email?limit=10',
  address: `192.0.2.${client}`,
  userAgent: firefox,
  status: 200,
  ...changes,
});

const visit = (recorder: Recorder, clients: number, changes: Partial<Seen> = {}): void => {
  for (let client = 1; client <= clients; client += 1) recorder.count(seen(client, changes));
};

const partsOf = ({ home }: Play): Part[] =>
  (existsSync(home.paths.counts) ? readdirSync(home.paths.counts) : []).sort().map((name) => {
    expect(name).toMatch(/^\d{4}-\d\d-\d\d\.[0-9a-f]{16}\.json$/);
    const part = parsePart(readFileSync(join(home.paths.counts, name), 'utf8'), ['mailbox-opened', 'of-2']);
    if (part === undefined) throw new Error(`${name} is no part`);
    return part;
  });

const soon = async (isSo: () => boolean): Promise<void> =>
  expect.poll(isSo, { timeout: 20_000, interval: 20 }).toBe(true);

/** Long enough for a look at files and clock. */
const looks = (): Promise<void> => new Promise((settle) => setTimeout(settle, 400));

const holdsFolder = ({ home }: Play): boolean =>
  readdirSync('/proc/self/fd').some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === home.paths.counts;
    } catch {
      return false;
    }
  });

test('what was counted lies in memory, and is one part at the end', async () => {
  const at = await play();
  const recorder = recorderOf(at);
  expect(recorder.state).toBe('counting');
  visit(recorder, 6);
  visit(recorder, 3, { url: '/' });
  recorder.count(seen(1));
  expect(partsOf(at)).toEqual([]);
  expect(holdsFolder(at)).toBe(true);
  recorder.end();
  expect(recorder.state).toBe('over');
  expect(holdsFolder(at)).toBe(false);
  const [part] = partsOf(at);
  expect(part?.day).toBe('2026-11-25');
  expect(part?.counters).toEqual([{ name: 'mailbox-opened', total: 7, browser: { firefox: 7 }, hour: { '12': 7 } }]);
  recorder.count(seen(1));
  recorder.end();
  expect(partsOf(at)).toHaveLength(1);
});

test('who asks not to be counted is not, nor what failed, nor what the notice does not name', async () => {
  const at = await play();
  const recorder = recorderOf(at);
  visit(recorder, 9, { gpc: '1' });
  visit(recorder, 9, { dnt: '1' });
  visit(recorder, 9, { dnt: ' 1 ' });
  visit(recorder, 9, { status: 404 });
  visit(recorder, 9, { status: 500 });
  visit(recorder, 9, { status: Number.NaN });
  visit(recorder, 9, { url: '/unknown' });
  visit(recorder, 9, { method: 'POST' });
  visit(recorder, 9, { at: new Date(noon - 86_400_000) });
  visit(recorder, 9, { at: new Date(Number.NaN) });
  visit(recorder, 5, { gpc: '0', dnt: '0', status: 304 });
  recorder.end();
  expect(partsOf(at).flatMap(({ counters }) => counters.map(({ total }) => total))).toEqual([5]);
});

test('with too few clients nothing is written', async () => {
  const at = await play();
  const recorder = recorderOf(at);
  for (let round = 0; round < 100; round += 1) visit(recorder, 4);
  recorder.end();
  expect(readdirSync(at.home.paths.counts)).toEqual([]);
});

test('a day is closed at midnight by itself, and the next one begins from nothing', async () => {
  const at = await play();
  at.clock = Date.parse('2026-11-25T23:59:59.900Z');
  const recorder = recorderOf(at);
  visit(recorder, 6);
  at.clock = Date.parse('2026-11-26T00:00:00.100Z');
  await soon(() => partsOf(at).length === 1);
  visit(recorder, 4);
  at.clock = Date.parse('2026-11-27T01:00:00.000Z');
  await looks();
  visit(recorder, 7);
  recorder.end();
  expect(partsOf(at).map(({ day, counters }) => [day, counters[0]?.total, counters[0]?.hour])).toEqual([
    ['2026-11-25', 6, { '23': 6 }],
    ['2026-11-27', 7, { '01': 7 }],
  ]);
});

test('a clock that jumps back makes parts, and nothing else', async () => {
  const at = await play();
  const recorder = recorderOf(at);
  at.clock = noon + 86_400_000;
  await looks();
  visit(recorder, 6);
  at.clock = noon;
  await looks();
  visit(recorder, 8);
  recorder.end();
  expect(partsOf(at).map(({ day, counters }) => [day, counters[0]?.total])).toEqual([
    ['2026-11-25', 8],
    ['2026-11-26', 6],
  ]);
});

test('a withdrawal stops it soon, and nothing is left', async () => {
  const at = await play();
  const recorder = recorderOf(at);
  visit(recorder, 9);
  await withdraw(at.home.world, at.home.paths);
  await soon(() => recorder.state === 'over');
  visit(recorder, 9);
  recorder.end();
  expect(existsSync(at.home.paths.telemetry)).toBe(false);
  expect(holdsFolder(at)).toBe(false);
});

test('a withdrawal right before the end is seen at the end', async () => {
  const at = await play();
  const recorder = recorderOf(at);
  visit(recorder, 9);
  await withdraw(at.home.world, at.home.paths);
  mkdirSync(at.home.paths.counts, { recursive: true });
  recorder.end();
  expect(readdirSync(at.home.paths.counts)).toEqual([]);
});

test('a record that disappears is a no', async () => {
  const at = await play();
  const recorder = recorderOf(at);
  visit(recorder, 9);
  rmSync(at.home.paths.consent);
  await soon(() => recorder.state === 'over');
  expect(readdirSync(at.home.paths.counts)).toEqual([]);
});

test('a folder that was taken away is a no, also if another stands in its place', async () => {
  const at = await play();
  const recorder = recorderOf(at);
  visit(recorder, 9);
  renameSync(at.home.paths.telemetry, `${at.home.paths.telemetry}.gone-1`);
  mkdirSync(at.home.paths.counts, { recursive: true });
  recorder.end();
  expect(readdirSync(at.home.paths.counts)).toEqual([]);
  expect(readdirSync(`${at.home.paths.telemetry}.gone-1/counts`)).toEqual([]);
});

test('it counts from the end of the change on', async () => {
  const at = await play('interrupted');
  const recorder = recorderOf(at);
  expect(recorder.state).toBe('waiting');
  visit(recorder, 9);
  await finish(at.home);
  await soon(() => recorder.state === 'counting');
  visit(recorder, 5);
  recorder.end();
  expect(partsOf(at).map(({ counters }) => counters[0]?.total)).toEqual([5]);
});

test('another change ends it for good, whatever was answered', async () => {
  const at = await play();
  const recorder = recorderOf(at);
  visit(recorder, 9);
  await conduct(at.home, { change: 'reinstall', ends: 'finished', answer: { by: 'prompt', say: 'yes' } });
  mkdirSync(at.home.paths.counts, { recursive: true });
  await soon(() => recorder.state === 'over');
  recorder.end();
  expect(readdirSync(at.home.paths.counts)).toEqual([]);
});

test.each([
  ['a no', () => play('finished', 'no')],
  ['DO_NOT_TRACK', () => play('finished', 'yes', { DO_NOT_TRACK: '1' })],
])('%s: it waits, and holds and writes nothing', async (_, made) => {
  const at = await made();
  const recorder = recorderOf(at);
  visit(recorder, 9);
  expect(recorder.state).toBe('waiting');
  expect(holdsFolder(at)).toBe(false);
  recorder.end();
  expect(readdirSync(at.home.paths.counts)).toEqual([]);
});

test('it never makes the folder', async () => {
  const at = await play();
  rmSync(at.home.paths.telemetry, { recursive: true });
  const recorder = recorderOf(at);
  visit(recorder, 9);
  expect(recorder.state).toBe('waiting');
  recorder.end();
  expect(existsSync(at.home.paths.telemetry)).toBe(false);
});

test('a record half written is no reason to forget, and none to count', async () => {
  const at = await play();
  at.clock = Date.now();
  const recorder = recorderOf(at);
  visit(recorder, 6);
  const whole = readFileSync(at.home.paths.consent);
  writeFileSync(at.home.paths.consent, '{');
  await looks();
  visit(recorder, 9);
  expect(recorder.state).toBe('counting');
  writeFileSync(at.home.paths.consent, whole);
  await looks();
  recorder.end();
  expect(partsOf(at).map(({ counters }) => counters[0]?.total)).toEqual([6]);
});

test('a record that stays damaged is a no', async () => {
  const at = await play();
  at.clock = Date.now();
  const recorder = recorderOf(at);
  writeFileSync(at.home.paths.consent, '{');
  await soon(() => recorder.state === 'over');
});

test('nothing that a client could send makes it throw or stop', async () => {
  const at = await play();
  const recorder = recorderOf(at);
  const odd = ['', '\0', '%', '/%', '/api/email'.repeat(10_000), '//', '?', '__proto__'];
  for (const text of odd) {
    recorder.count({
      method: text,
      url: text,
      address: text,
      forwarded: [text],
      userAgent: text,
      hints: { brands: text },
      gpc: text,
      dnt: text,
      status: 200,
    });
    recorder.count(
      seen(1, {
        forwarded: [text, text],
        userAgent: text,
        address: '127.0.0.1',
        hints: { brands: text, mobile: text, platform: text },
      }),
    );
  }
  expect(recorder.state).toBe('counting');
});

test('parts older than the notice keeps them go when a day ends', async () => {
  const at = await play();
  const recorder = recorderOf(at);
  const kept = new Date(at.clock - 80 * 86_400_000).toISOString().slice(0, 10);
  for (const day of ['2020-01-01', kept]) {
    writeFileSync(join(at.home.paths.counts, `${day}.0123456789abcdef.json`), '{}');
  }
  recorder.end();
  expect(readdirSync(at.home.paths.counts)).toEqual([`${kept}.0123456789abcdef.json`]);
});
