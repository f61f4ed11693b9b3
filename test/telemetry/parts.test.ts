/** Parts are written by an account that nobody has to trust: whatever it leaves there, what is read is parts of the notice or nothing. */
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { noticeId } from '../../src/consent/notice.ts';
import { type InstancePaths, instancePaths } from '../../src/instance/paths.ts';
import { partLimit } from '../../src/telemetry/part.ts';
import { readParts } from '../../src/telemetry/parts.ts';
import type { InstanceName } from '../../src/values.ts';
import { makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { exampleNotice, exampleNoticeId } from './example-notice.ts';

let folder: string;
let paths: InstancePaths;
const uid = process.getuid?.() ?? 0;
const good = (day = '2026-11-24', more: object = {}) => ({
  format: 1,
  noticeId: exampleNoticeId,
  day,
  counters: [{ name: 'mailbox-opened', total: 40, browser: { firefox: 40 }, hour: { '09': 40 } }],
  ...more,
});
const counter = (more: object) => ({
  counters: [{ name: 'mailbox-opened', total: 40, browser: {}, hour: {}, ...more }],
});
const fileName = (day = '2026-11-24', digit = 'a') => `${day}.${digit.repeat(16)}.json`;
const put = (content: unknown, name = fileName()) => {
  const path = join(paths.counts, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const read = (notice = exampleNotice) => readParts(paths, notice, uid);

beforeEach(() => {
  folder = makeSandbox();
  paths = instancePaths(folder, 'one' as InstanceName);
  mkdirSync(paths.counts, { recursive: true });
});
afterEach(() => removeSandbox(folder));

it('reads parts of the notice, by day, and touches nothing', () => {
  put(good('2026-11-25'), fileName('2026-11-25', 'b'));
  put(good());
  put(good(), fileName('2026-11-24', 'c'));
  expect(read().map(({ day, file }) => [day, file])).toEqual([
    ['2026-11-24', fileName()],
    ['2026-11-24', fileName('2026-11-24', 'c')],
    ['2026-11-25', fileName('2026-11-25', 'b')],
  ]);
  expect(read()[0]).toEqual({ ...good(), file: fileName() });
  expect(readdirSync(paths.counts)).toHaveLength(3);
});

it('finds nothing where there is no folder, and none where a link or a file stands in its place', () => {
  put(good());
  const elsewhere = join(folder, 'elsewhere');
  execFileSync('mv', [paths.counts, elsewhere]);
  expect(read()).toEqual([]);
  symlinkSync(elsewhere, paths.counts);
  expect(read()).toEqual([]);
  rmSync(paths.counts);
  writeFileSync(paths.counts, '');
  expect(read()).toEqual([]);
});

it.each<[string, unknown, string?]>([
  ['another notice', good(undefined, { noticeId: 'n0123456789abcdef' })],
  ['another day than its name', good('2026-11-23')],
  ['a name that is not a part', good(), '2026-11-24.json'],
  ['a name of upper case', good(), '2026-11-24.AAAAAAAAAAAAAAAA.json'],
  ['a day that no calendar has', good('2026-02-30'), fileName('2026-02-30')],
  ['a newer format', good(undefined, { format: 2 })],
  ['no JSON', '{"format":1'],
  ['no object', '[]'],
  ['a number below the smallest group', good(undefined, counter({ browser: { firefox: 4 } }))],
  ['a total below the smallest group', good(undefined, counter({ total: 4 }))],
  ['a counter twice', good(undefined, { counters: [...good().counters, ...good().counters] })],
])('leaves out %s', (_, content, name) => {
  put(content, name);
  put(good(), fileName('2026-11-24', 'f'));
  expect(read().map(({ file }) => file)).toEqual([fileName('2026-11-24', 'f')]);
});

it('drops counters, browsers, hours and dimensions that the notice does not name', () => {
  const [first] = good().counters;
  put(
    good(undefined, {
      counters: [
        { ...first, browser: { firefox: 40, 'Mozilla/5.0 (secret)': 9 }, hour: { '09': 40, '24': 9, __proto__: 9 } },
        { name: 'password', total: 99, browser: {}, hour: {} },
      ],
    }),
  );
  expect(read()[0]?.counters).toEqual(good().counters);
  const plain = { ...exampleNotice, dimensions: ['day'] as const };
  put(good(undefined, { noticeId: noticeId(plain) }), fileName('2026-11-24', 'd'));
  expect(read(plain).map(({ counters }) => counters)).toEqual([
    [{ name: 'mailbox-opened', total: 40, browser: {}, hour: {} }],
  ]);
});

it('follows no link, waits for no pipe, and reads no file with another name, no folder and nothing too large', () => {
  const outside = join(folder, 'outside.json');
  writeFileSync(outside, JSON.stringify(good()));
  symlinkSync(outside, join(paths.counts, fileName(undefined, '1')));
  linkSync(outside, join(paths.counts, fileName(undefined, '2')));
  execFileSync('mkfifo', [join(paths.counts, fileName(undefined, '3'))]);
  mkdirSync(join(paths.counts, fileName(undefined, '4')));
  put(JSON.stringify(good()) + ' '.repeat(partLimit), fileName(undefined, '5'));
  symlinkSync('/dev/zero', join(paths.counts, fileName(undefined, '6')));
  expect(read()).toEqual([]);
  expect(existsSync(outside)).toBe(true);
});

it.skipIf(uid !== 0)('reads nothing of another account (not root: nothing can be given away)', () => {
  const path = put(good());
  chownSync(path, 65534, 65534);
  expect(read()).toEqual([]);
  expect(readParts(paths, exampleNotice, 65534)).toHaveLength(1);
});
