/** The follower on real files: what is done to logs while it reads. The recorder is a list; the clock stands still. */
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Recorder } from '../../../src/telemetry/counting/recorder.ts';
import type { Seen } from '../../../src/telemetry/counting/seen.ts';
import { follow } from '../../../src/telemetry/follow/follower.ts';
import { makeLineReader } from '../../../src/telemetry/follow/line.ts';
import { sandbox } from '../../support/sandbox.ts';

const now = new Date('2026-11-25T12:00:00.000Z');

const line = (what: string | number, time = '25/Nov/2026:12:00:01 +0000'): string =>
  `192.0.2.1 - - [${time}] "GET /${what} HTTP/1.1" 200 5 "-" "UA" "-" "-"\n`;

interface Play {
  readonly folder: string;
  readonly path: string;
  readonly seen: Seen[];
  readonly troubles: string[];
  state: Recorder['state'];
  /** The paths that were counted, once there are so many. */
  readonly counted: (count: number) => Promise<string[]>;
  /** Until it has looked at all that is there now. */
  readonly looked: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly done: Promise<void>;
}

interface Options {
  readonly state?: Recorder['state'];
  readonly name?: string;
  readonly prepare?: (folder: string) => void;
}

const play = ({ state = 'counting', name = 'access.log', prepare }: Options = {}): Play => {
  const folder = join(sandbox(), 'data');
  mkdirSync(folder, { recursive: true });
  prepare?.(folder);
  const [seen, troubles]: [Seen[], string[]] = [[], []];
  let current = state;
  const end = new AbortController();
  let asked = 0;
  const recorder = {
    count: (one: Seen) => void seen.push(one),
    get state() {
      asked += 1;
      return current;
    },
  };
  const done = follow({
    world: { now: () => now },
    recorder,
    read: makeLineReader({ format: 'combined', signals: true }, [{ routes: ['GET /*', 'GET /'] }]),
    path: join(folder, name),
    folder,
    until: end.signal,
    trouble: (why) => troubles.push(why),
  });
  const stop = () => {
    end.abort();
    return done;
  };
  onTestFinished(stop);
  // Before each look it asks once, and twice more where it has waited: behind the third time a look that began behind now is over, and the log is open.
  const looked = async (): Promise<void> => {
    const before = asked;
    await expect.poll(() => asked - before, { interval: 10 }).toBeGreaterThan(3);
  };
  const counted = async (count: number): Promise<string[]> => {
    for (let tries = 0; tries < 800 && seen.length < count; tries += 1) await sleep(25);
    await looked();
    return seen.map(({ url }) => url.slice(1));
  };
  return {
    folder,
    path: join(folder, name),
    seen,
    troubles,
    counted,
    looked,
    stop,
    done,
    get state() {
      return current;
    },
    set state(to) {
      current = to;
    },
  };
};

test('what was there before is never counted, nor the rest of a line that was begun before', async () => {
  const begun = line('begun');
  const at = play({
    prepare: (folder) => writeFileSync(join(folder, 'access.log'), line('before') + begun.slice(0, 30)),
  });
  await at.looked();
  appendFileSync(at.path, begun.slice(30) + line('after'));
  expect(await at.counted(1)).toEqual(['after']);
});

test('a line that is older than the beginning is not counted, wherever it turns up', async () => {
  const at = play();
  await at.looked();
  const old = line('old', '25/Nov/2026:11:59:59 +0000');
  writeFileSync(at.path, old + line('edge', '25/Nov/2026:12:00:00 +0000') + line('new'));
  expect(await at.counted(2)).toEqual(['edge', 'new']);
});

test('the line says the hour where it is of today, else now does', async () => {
  const at = play();
  writeFileSync(at.path, line(1, '25/Nov/2026:15:30:00 +0100') + line(2, '26/Nov/2026:00:00:00 +0000'));
  await at.counted(2);
  expect(at.seen.map(({ at: when }) => when?.toISOString())).toEqual(['2026-11-25T14:30:00.000Z', undefined]);
  expect('at' in (at.seen[1] as Seen)).toBe(false);
});

test('renamed: the rest of the old one is read, also what is written after the new one is there', async () => {
  const at = play({ prepare: (folder) => writeFileSync(join(folder, 'access.log'), '') });
  await at.looked();
  appendFileSync(at.path, line(1));
  renameSync(at.path, `${at.path}.1`);
  appendFileSync(`${at.path}.1`, line(2));
  await at.looked();
  appendFileSync(`${at.path}.1`, line(3));
  writeFileSync(at.path, line(4));
  await at.looked();
  appendFileSync(`${at.path}.1`, line(5));
  appendFileSync(at.path, line(6));
  expect((await at.counted(6)).sort()).toEqual(['1', '2', '3', '4', '5', '6']);
});

test('a log that gets its name back is not read twice', async () => {
  const at = play({ prepare: (folder) => writeFileSync(join(folder, 'access.log'), '') });
  await at.looked();
  appendFileSync(at.path, line(1));
  await at.counted(1);
  renameSync(at.path, `${at.path}.1`);
  writeFileSync(at.path, line(2));
  await at.counted(2);
  renameSync(`${at.path}.1`, at.path);
  await at.looked();
  appendFileSync(at.path, line(3));
  expect(await at.counted(3)).toEqual(['1', '2', '3']);
});

test('truncated, deleted and made anew, not there at first', async () => {
  const at = play();
  await at.looked();
  writeFileSync(at.path, line(1) + line(2));
  await at.counted(2);
  truncateSync(at.path, 0);
  await at.looked();
  appendFileSync(at.path, line(3));
  await at.counted(3);
  rmSync(at.path);
  await at.looked();
  writeFileSync(at.path, line(4));
  expect(await at.counted(4)).toEqual(['1', '2', '3', '4']);
  expect(at.troubles).toEqual([`${at.path} is not there`]);
});

test('links that lead out are not followed', async () => {
  const outside = sandbox();
  writeFileSync(join(outside, 'access.log'), '');
  const file = play({ prepare: (folder) => symlinkSync(join(outside, 'access.log'), join(folder, 'access.log')) });
  const below = play({ name: 'sub/access.log', prepare: (folder) => symlinkSync(outside, join(folder, 'sub')) });
  const inside = play({
    name: 'sub/access.log',
    prepare: (folder) => {
      mkdirSync(join(folder, 'real'));
      symlinkSync('real', join(folder, 'sub'));
    },
  });
  for (const each of [file, below, inside]) await each.looked();
  appendFileSync(join(outside, 'access.log'), line(1));
  writeFileSync(join(inside.folder, 'real/access.log'), line(2));
  expect(await inside.counted(1)).toEqual(['2']);
  expect([file.seen, below.seen]).toEqual([[], []]);
  expect([...file.troubles, ...below.troubles]).toEqual([
    `${file.path} is a link`,
    `${below.path} does not lie in ${below.folder}`,
  ]);
  mkdirSync(join(inside.folder, 'x'));
  expect(play({ name: 'x', prepare: (folder) => mkdirSync(join(folder, 'x')) }).troubles[0]).toMatch(
    /is no plain file/,
  );
});

test('what is written while it waits for a yes is passed over', async () => {
  const at = play({ state: 'waiting', prepare: (folder) => writeFileSync(join(folder, 'access.log'), '') });
  appendFileSync(at.path, line('waiting'));
  await at.looked();
  appendFileSync(at.path, line('waiting still'));
  at.state = 'counting';
  await at.looked();
  appendFileSync(at.path, line('counting'));
  expect(await at.counted(1)).toEqual(['counting']);
});

test('it stops for good soon once consent has ended', async () => {
  const at = play({ prepare: (folder) => writeFileSync(join(folder, 'access.log'), '') });
  await at.looked();
  appendFileSync(at.path, line(1));
  await at.counted(1);
  at.state = 'over';
  await at.done;
  appendFileSync(at.path, line(2));
  at.state = 'counting';
  await sleep(250);
  expect(at.seen).toHaveLength(1);
});

test('torn lines are put together, endless ones are passed over', async () => {
  const at = play({ prepare: (folder) => writeFileSync(join(folder, 'access.log'), '') });
  await at.looked();
  for (const byte of line('torn')) appendFileSync(at.path, byte);
  await at.counted(1);
  appendFileSync(at.path, 'x'.repeat(1_000_000));
  await at.looked();
  appendFileSync(at.path, `${'x'.repeat(300_000)}${line('in it')}${line('after')}`);
  const exact = 'a'.repeat(1000);
  appendFileSync(at.path, line('x').replace('UA', exact.repeat(17)) + line(exact));
  expect(await at.counted(3)).toEqual(['torn', 'after', exact]);
});

test('thirty thousand lines through all kinds of rotation: each is counted once', async () => {
  const at = play({ prepare: (folder) => writeFileSync(join(folder, 'access.log'), '') });
  await at.looked();
  const kinds = ['rename', 'truncate', 'delete', 'nothing'];
  let written = 0;
  for (let round = 0; round < 12; round += 1) {
    for (let part = 0; part < 5; part += 1) {
      const lines = Array.from({ length: 500 }, (_, each) => line(written + each));
      appendFileSync(at.path, lines.join(''));
      written += 500;
      // A file has to stay for longer than the follower's pause to be seen at all.
      await (part === 0 ? at.looked() : sleep(5));
    }
    const kind = kinds[round % kinds.length];
    // Whoever truncates or deletes takes along what nobody has read yet.
    if (kind === 'truncate' || kind === 'delete') await at.counted(written);
    if (kind === 'truncate') truncateSync(at.path, 0);
    if (kind === 'delete') rmSync(at.path);
    if (kind === 'rename') renameSync(at.path, `${at.path}.${round}`);
    if (kind === 'truncate') await at.looked();
  }
  const counted = await at.counted(written);
  expect(counted).toHaveLength(written);
  expect(new Set(counted).size).toBe(written);
});
