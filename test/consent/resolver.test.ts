/** The pure decision: one valid acceptance, and then everything that can be wrong with it, alone and together. */
import { expect, test } from 'vitest';
import {
  type ConsentMark,
  type ConsentRecord,
  type LogView,
  type ResolverInput,
  resolve,
  type Standing,
} from '../../src/consent/resolver.ts';
import { asNoticeId } from '../../src/values.ts';
import { sure } from './support.ts';

const noticeId = sure(asNoticeId('n0123456789abcdef'));
const binding = { name: 'a', folder: 'b', machine: 'c' };
const at = '2026-11-23T12:00:00.000Z';

const standing: Standing = {
  n: 3,
  hash: 'h3',
  generation: 7,
  state: 'accepted',
  reason: 'not-asked',
  by: 'prompt',
  at,
  noticeId,
};
const lines = ['h1', 'h2', 'h3'].map((hash) => ({ hash }));
const newest = { generation: 7, key: 'k' };
const log: LogView = { whole: true, length: 3, lines, generation: newest, standing, tornNo: false };
const mark: ConsentMark = { format: 1, generation: 7, line: 3, hash: 'h3' };
const record: ConsentRecord = {
  format: 1,
  state: 'accepted',
  generation: 7,
  key: 'k',
  binding,
  noticeId,
  by: 'prompt',
  at,
  log: { length: 3, head: 'h3' },
};
const accepted: ResolverInput = {
  instance: { installed: true, noticeId, generation: 7, key: 'k', binding },
  unfinished: null,
  record,
  log,
  mark,
  storedNoticeId: noticeId,
  vetoed: false,
  now: new Date(at),
};

const withRecord = (changes: Partial<ConsentRecord>): ResolverInput => ({
  ...accepted,
  record: { ...record, ...changes },
});
const withLog = (changes: Partial<LogView>): ResolverInput => ({ ...accepted, log: { ...log, ...changes } });
const withStanding = (changes: Partial<Standing>): ResolverInput => withLog({ standing: { ...standing, ...changes } });
const withBoth = (changes: Partial<ConsentRecord & Standing>): ResolverInput => ({
  ...withStanding(changes),
  record: {
    ...record,
    ...(({ state, generation, noticeId: id, by }) => ({ state, generation, noticeId: id, by }))({
      ...record,
      ...changes,
    }),
  },
});
const later = (minutes: number): string => new Date(Date.parse(at) + minutes * 60_000).toISOString();

test('a valid acceptance collects', () => {
  expect(resolve(accepted)).toEqual({
    state: 'accepted',
    collecting: true,
    reason: 'accepted',
    noticeId,
    by: 'prompt',
    at,
    fault: null,
    running: null,
  });
});

test('no mark says nothing, and a log may go on behind the marked line', () => {
  expect(resolve({ ...accepted, mark: 'missing' }).collecting).toBe(true);
  expect(resolve({ ...accepted, mark: { ...mark, line: 2, hash: 'h2' } }).collecting).toBe(true);
});

const faults: [string, ResolverInput, string][] = [
  [
    'a yes for what is not installed',
    { ...accepted, instance: { installed: false, noticeId, generation: 7, key: 'k', binding } },
    'not-installed',
  ],
  ['no state file, but a record', { ...accepted, instance: null }, 'instance-unreadable'],
  ['a damaged state file', { ...accepted, instance: 'unreadable' }, 'instance-unreadable'],
  ['the record is gone', { ...accepted, record: 'missing' }, 'record-missing'],
  ['the record is damaged', { ...accepted, record: 'record-damaged' }, 'record-damaged'],
  ['the record is newer', { ...accepted, record: 'record-newer' }, 'record-newer'],
  ['the record can not be read', { ...accepted, record: 'record-unreadable' }, 'record-unreadable'],
  ["the record is somebody else's", { ...accepted, record: 'record-foreign' }, 'record-foreign'],
  ['another generation', withRecord({ generation: 6 }), 'record-earlier'],
  ['another key', withRecord({ key: 'other' }), 'record-earlier'],
  ['another name', withRecord({ binding: { ...binding, name: 'x' } }), 'record-elsewhere'],
  ['another folder', withRecord({ binding: { ...binding, folder: 'x' } }), 'record-elsewhere'],
  ['another machine', withRecord({ binding: { ...binding, machine: 'x' } }), 'record-elsewhere'],
  ['a record dated six minutes ahead', withRecord({ at: later(6) }), 'record-ahead'],
  ['a log line dated six minutes ahead', withStanding({ at: later(6) }), 'record-ahead'],
  ['a record without a time', withRecord({ at: 'yesterday' }), 'record-ahead'],
  ['no log', { ...accepted, log: 'missing' }, 'log-missing'],
  ['a log that can not be read', { ...accepted, log: 'log-unreadable' }, 'log-unreadable'],
  ["somebody else's log", { ...accepted, log: 'log-foreign' }, 'log-foreign'],
  ['a broken log', withLog({ whole: false }), 'log-broken'],
  ['a log of before', withLog({ generation: { generation: 6, key: 'k' } }), 'log-earlier'],
  ['a log of another key', withLog({ generation: { generation: 7, key: 'x' } }), 'log-earlier'],
  ['a log without a generation', withLog({ generation: null }), 'log-earlier'],
  ['a log that lost lines', withLog({ length: 2 }), 'log-short'],
  ['a log that ends before the marked line', { ...accepted, mark: { ...mark, line: 4, hash: 'h4' } }, 'log-of-before'],
  ['another line than the marked one', { ...accepted, mark: { ...mark, line: 2, hash: 'x' } }, 'log-of-before'],
  ['a mark that can not be read', { ...accepted, mark: 'mark-unreadable' }, 'mark-unreadable'],
  ['a log in which nothing stands', withLog({ standing: null }), 'log-disagrees'],
  ['a torn withdrawal behind it', withLog({ tornNo: true }), 'log-disagrees'],
  ['another line stands', withStanding({ n: 2 }), 'log-disagrees'],
  ['the line has another digest', withStanding({ hash: 'x' }), 'log-disagrees'],
  ['the log says declined', withStanding({ state: 'declined' }), 'log-disagrees'],
  ['the log names another notice', withStanding({ noticeId: 'n1111111111111111' }), 'log-disagrees'],
  ['the log names another way', withStanding({ by: 'flag' }), 'log-disagrees'],
  ['the log means another generation', withStanding({ generation: 6 }), 'log-disagrees'],
  ['accepted for another notice', withBoth({ noticeId: 'n1111111111111111' }), 'notice-other'],
  ['the stored notice is altered', { ...accepted, storedNoticeId: 'n1111111111111111' }, 'notice-altered'],
  ['the stored notice is gone', { ...accepted, storedNoticeId: null }, 'notice-altered'],
];

test.each(faults)('%s: invalid, and nothing is told of a decision', (_, input, fault) => {
  expect(resolve(input)).toMatchObject({
    state: 'invalid',
    collecting: false,
    reason: 'record-invalid',
    fault,
    by: null,
    at: null,
  });
});

test('four minutes ahead is a clock, six minutes are a fault', () => {
  expect(
    resolve({ ...withRecord({ at: later(4) }), log: { ...log, standing: { ...standing, at: later(4) } } }).collecting,
  ).toBe(true);
  expect(resolve(withRecord({ at: later(6) })).collecting).toBe(false);
});

test('only the one valid combination of all inputs collects', () => {
  let collecting = 0;
  const inputs = [accepted, ...faults.map(([, input]) => input)];
  for (const input of inputs) {
    for (const vetoed of [false, true]) {
      for (const unfinished of [null, { running: true }, { running: false }]) {
        for (const telemetry of [true, false]) {
          const facts = typeof input.instance === 'object' ? input.instance : null;
          const instance = facts && !telemetry ? { ...facts, noticeId: null } : input.instance;
          if (resolve({ ...input, vetoed, unfinished, instance }).collecting) collecting += 1;
        }
      }
    }
  }
  expect(collecting).toBe(1);
});

test('reasons come in the order of the rule', () => {
  const everything = {
    ...withBoth({ state: 'declined', noticeId: null }),
    vetoed: true,
    unfinished: { running: false },
  };
  const noTelemetry = { ...sure(typeof accepted.instance === 'object' ? accepted.instance : null), noticeId: null };
  expect(resolve({ ...everything, instance: noTelemetry }).reason).toBe('no-telemetry');
  expect(resolve({ ...everything, record: 'record-damaged' })).toMatchObject({
    reason: 'change-unfinished',
    running: false,
  });
  expect(resolve({ ...everything, unfinished: { running: true } })).toMatchObject({
    reason: 'change-unfinished',
    running: true,
  });
  expect(resolve({ ...everything, unfinished: null, record: 'record-damaged' }).reason).toBe('record-invalid');
  expect(resolve({ ...everything, unfinished: null }).reason).toBe('declined');
  expect(resolve({ ...withBoth({ state: 'withdrawn' }), vetoed: true }).reason).toBe('withdrawn');
  for (const reason of ['change-undone', 'notice-not-confirmed', 'not-asked'] as const) {
    const input = withBoth({ state: 'not-asked', by: null });
    const view = { ...log, standing: { ...standing, state: 'not-asked' as const, by: null, reason } };
    expect(resolve({ ...input, log: view, vetoed: true }).reason).toBe(reason);
  }
  expect(resolve({ ...accepted, vetoed: true })).toMatchObject({
    state: 'accepted',
    reason: 'do-not-track',
    collecting: false,
  });
});

test('nothing on record and nothing in the log: nobody was asked', () => {
  const nothing = { ...accepted, record: 'missing', log: 'missing' } as const;
  expect(resolve(nothing)).toMatchObject({ state: 'not-asked', reason: 'not-asked', fault: null });
  expect(resolve({ ...nothing, instance: null })).toMatchObject({ state: 'not-asked', collecting: false });
});

test('a missing record is nothing wrong where the log knows of no decision, and its reason is a line of the log', () => {
  const undecided = {
    ...log,
    standing: { ...standing, state: 'not-asked', reason: 'change-undone', by: null },
  } as const;
  expect(resolve({ ...accepted, record: 'missing', log: undecided })).toMatchObject({
    state: 'not-asked',
    reason: 'change-undone',
  });
  expect(resolve({ ...accepted, record: 'missing', log: { ...undecided, tornNo: true } }).state).toBe('invalid');
});

test('between two generations of an open change nobody has answered yet', () => {
  const lagging = { ...withLog({ generation: { generation: 8, key: 'new' } }), unfinished: { running: true } };
  expect(resolve(lagging)).toMatchObject({ state: 'not-asked', reason: 'change-unfinished' });
});
