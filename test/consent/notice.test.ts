/** The notice: complete, true to the manifest, and with an id that every promise and every word changes. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeNotice, type Notice, noticeId } from '../../src/consent/notice.ts';
import { readNotice, storeNotice } from '../../src/consent/notice-file.ts';
import { noticeText, renderNotice } from '../../src/consent/notice-text.ts';
import type { OwnTelemetry, Product, TelemetryDeclaration } from '../../src/product/manifest.ts';
import { asProductName } from '../../src/values.ts';
import { sandbox } from '../support/sandbox.ts';
import { makeHome, sure, testWorld } from './support.ts';

const telemetry: TelemetryDeclaration = {
  counters: ['opened', 'sent', 'deleted', 'searched', 'replied', 'forwarded', 'printed', 'moved'].map((name) => ({
    name: `message-${name}`,
    title: `message ${name}`,
    routes: [`GET /api/${name}`],
  })),
  dimensions: ['browser', 'hour'],
  smallestGroup: 7,
  period: 'month',
  retentionDays: 30,
  recipient: { name: 'Example Ltd', endpoint: 'https://count.example.org/v1', policy: 'https://example.org/privacy' },
};

const own: OwnTelemetry = {
  summary: 'a ping a day',
  off: [{ kind: 'environment', name: 'PING', value: '0' }],
  readBack: {
    kind: 'http',
    url: 'http://127.0.0.1/',
    headers: {},
    login: false,
    json: { path: 'ping' },
    off: false,
    on: true,
  },
  notice: { sends: 'its version', to: 'Example Ltd', identifiers: 'an instance id', restart: true },
};

const product = (changes: Partial<Product> = {}): Pick<Product, 'name' | 'title' | 'telemetry'> => ({
  name: sure(asProductName('mail')),
  title: 'Mail Server',
  telemetry,
  ...changes,
});
const noticeOf = (changes: Partial<TelemetryDeclaration> = {}, release: { ownTelemetry?: OwnTelemetry } = {}): Notice =>
  sure(makeNotice(product({ telemetry: { ...telemetry, ...changes } }), release));

test('every promise is in it, and in the text that people see', () => {
  const text = renderNotice(noticeOf({}, { ownTelemetry: own }), 80)
    .join('\n')
    .replace(/\s+/g, ' ');
  for (const { title } of telemetry.counters) expect(text).toContain(title);
  for (const promise of [
    'browser family',
    'hour of day',
    'fewer than 7 people',
    'Example Ltd',
    'https://count.example.org/v1',
    'https://example.org/privacy',
    '30 days',
    'one report a month',
    'its version',
    'an instance id',
    'takes a restart',
    'assent telemetry off',
  ]) {
    expect(text).toContain(promise);
  }
  expect(noticeText(noticeOf())).toContain('message opened: GET /api/opened');
});

test('another counter, dimension, number, endpoint or word makes another id; the same makes the same', () => {
  const ids = [
    noticeOf(),
    noticeOf({ counters: telemetry.counters.slice(1) }),
    noticeOf({
      counters: telemetry.counters.with(0, {
        name: 'message-opened',
        title: 'message read',
        routes: ['GET /api/opened'],
      }),
    }),
    noticeOf({
      counters: telemetry.counters.with(0, {
        name: 'message-opened',
        title: 'message opened',
        routes: ['GET /api/all'],
      }),
    }),
    noticeOf({ dimensions: ['browser'] }),
    noticeOf({ smallestGroup: 8 }),
    noticeOf({ period: 'week' }),
    noticeOf({ retentionDays: 31 }),
    noticeOf({ recipient: 'none' }),
    noticeOf({
      recipient: {
        name: 'Example Ltd',
        endpoint: 'https://count.example.org/v2',
        policy: 'https://example.org/privacy',
      },
    }),
    noticeOf({}, { ownTelemetry: own }),
    noticeOf({}, { ownTelemetry: { ...own, notice: { ...sure(own.notice), to: 'others' } } }),
    { ...noticeOf(), words: { ...noticeOf().words, closing: 'Another word.' } },
  ].map(noticeId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(noticeId(noticeOf())).toBe(ids[0]);
  expect(ids[0]).toMatch(/^n[0-9a-f]{16}$/);
});

test('no telemetry, no notice; a server that sends by itself has one, and one that is kept off says so', () => {
  const none = { name: sure(asProductName('mail')), title: 'Mail Server' };
  expect(makeNotice(none, {})).toBeNull();
  const { notice: _, ...keptOff } = own;
  expect(makeNotice(none, { ownTelemetry: keptOff })).toBeNull();
  const itself = sure(makeNotice(none, { ownTelemetry: own }));
  expect(renderNotice(itself, 200).join('\n')).toMatch(
    /itself\s+Mail Server has a telemetry of its own, off now; a yes turns it on/,
  );
  expect(itself.counters).toEqual([]);
  expect(renderNotice(noticeOf({}, { ownTelemetry: keptOff }), 200).join('\n')).toContain(
    'it is kept off, whatever you answer',
  );
});

test('the text fits the width, label by label, and no word is lost', () => {
  const words = renderNotice(noticeOf(), 1_000).join(' ').split(/\s+/);
  for (const width of [30, 40, 60, 80, 120]) {
    const lines = renderNotice(noticeOf(), width);
    const long = lines.filter(
      (line) =>
        line.length > width &&
        line
          .trim()
          .split(' ')
          .filter((word) => word !== '').length > 2,
    );
    expect(long, `width ${width}`).toEqual([]);
    expect(lines.join(' ').split(/\s+/)).toEqual(words);
  }
});

test('the same notice again is not written again, unless what stands there is not as it has to be', () => {
  const { world, paths } = makeHome(sandbox());
  mkdirSync(paths.folder, { recursive: true });
  const file = join(paths.notices, `${storeNotice(world, paths, noticeOf(), null)}.json`);
  const { ino } = statSync(file);
  storeNotice(world, paths, noticeOf(), null);
  expect(statSync(file).ino).toBe(ino);
  const whole = readFileSync(file, 'utf8');
  writeFileSync(file, whole.slice(1));
  storeNotice(world, paths, noticeOf(), null);
  expect(readFileSync(file, 'utf8')).toBe(whole);
  chmodSync(file, 0o666);
  storeNotice(world, paths, noticeOf(), null);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('the stored copy is read back only as long as not a byte of it has changed', () => {
  const home = makeHome(sandbox());
  mkdirSync(home.paths.folder, { recursive: true });
  const id = storeNotice(testWorld(), home.paths, noticeOf(), null);
  expect(readNotice(home.paths, id)).toEqual(noticeOf());
  const file = join(home.paths.notices, `${id}.json`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const text = readFileSync(file, 'utf8');
  for (const altered of [
    text.replace('message', 'massage'),
    text.trimEnd(),
    `${text}\n`,
    ` ${text}`,
    JSON.stringify(JSON.parse(text), null, 1),
    '',
  ]) {
    writeFileSync(file, altered);
    expect(readNotice(home.paths, id)).toBeUndefined();
  }
});
