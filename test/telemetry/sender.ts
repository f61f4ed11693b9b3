/** An instance with a yes in force, a notice that names a recipient, and parts that were counted: all written by the code that writes them for people. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeNotice, type Notice, noticeId } from '../../src/consent/notice.ts';
import { storeNotice } from '../../src/consent/notice-file.ts';
import { writeWindow } from '../../src/consent/window.ts';
import type { TelemetryDeclaration } from '../../src/product/manifest.ts';
import { type DeliveryRequest, deliver } from '../../src/system/deliver.ts';
import type { World } from '../../src/system/world.ts';
import type { Part } from '../../src/telemetry/part.ts';
import { sendReports } from '../../src/telemetry/send.ts';
import type { Sending, SendOptions } from '../../src/telemetry/sending.ts';
import { asProductName } from '../../src/values.ts';
import { finish, type Home, inMemory, makeHome, open, raiseOf, sure, testWorld } from '../consent/support.ts';
import { sandbox } from '../support/sandbox.ts';

export interface Sender extends Home {
  readonly notice: Notice;
  /** Sets the clock. */
  at(time: string): void;
  /** Writes a part of that day; `count` requests of as many clients. */
  count(day: string, count?: number): string;
  send(options?: Partial<SendOptions>, request?: Partial<DeliveryRequest>): Promise<Sending>;
  names(folder: 'spool' | 'reports' | 'counts'): string[];
}

export interface SenderOptions {
  readonly endpoint: string | null;
  readonly period?: 'day' | 'week' | 'month';
  readonly folder?: string;
  readonly since?: string;
}

/** Consent since Sunday, 1 November 2026; the clock stands at Wednesday, the 25th. */
export const sender = async ({ endpoint, period = 'week', folder, since }: SenderOptions): Promise<Sender> => {
  let now = new Date('2026-11-01T12:00:00.000Z');
  const world: World = testWorld({ now: () => now, env: {} });
  const home = makeHome(folder ?? sandbox(inMemory), { world });
  const { paths } = home;
  mkdirSync(paths.folder, { recursive: true });
  const notice = noticeFor(endpoint, period);
  storeNotice(world, paths, notice, null);
  const raise = raiseOf(home, {
    change: 'install',
    version: '2.2.1',
    notice,
    answer: { say: 'yes', by: 'flag', noticeId: noticeId(notice) },
    since: 0,
    generation: 1,
  });
  await open(home, 'install', raise, undefined);
  await finish(home);
  mkdirSync(paths.counts, { recursive: true });
  writeWindow(paths, { generation: 1, since: since ?? '2026-11-01T12:00:00.000Z' });
  now = new Date('2026-11-25T12:00:00.000Z');
  let parts = 0;
  return {
    ...home,
    notice,
    at: (time) => {
      now = new Date(time);
    },
    count: (day, count = 7) => {
      parts += 1;
      const file = join(paths.counts, `${day}.${parts.toString(16).padStart(16, '0')}.json`);
      writeFileSync(file, JSON.stringify(partOf(notice, day, count)));
      return file;
    },
    send: (options = {}, request = {}) =>
      sendReports(
        world,
        paths,
        { deliver: (one) => deliver({ ...one, timeoutMs: 20_000, ...request }) },
        { scheduled: false, ...options },
      ),
    names: (name) => {
      try {
        return readdirSync(paths[name]).sort();
      } catch {
        return [];
      }
    },
  };
};

export const partOf = (notice: Notice, day: string, count: number): Part => ({
  format: 1,
  noticeId: noticeId(notice),
  day,
  counters: [{ name: 'mailbox-opened', total: count, browser: { firefox: count }, hour: { '09': count } }],
});

const noticeFor = (endpoint: string | null, period: 'day' | 'week' | 'month'): Notice => {
  const telemetry: TelemetryDeclaration = {
    counters: [{ name: 'mailbox-opened', title: 'mailbox opened', routes: ['GET /api/email'] }],
    dimensions: ['browser', 'hour'],
    smallestGroup: 5,
    period,
    retentionDays: 90,
    recipient: endpoint === null ? 'none' : { name: 'Example', endpoint, policy: 'https://example.org/policy' },
  };
  return sure(makeNotice({ name: sure(asProductName('maildev')), title: 'MailDev', telemetry }, {}));
};

export const outcomeOf = ({ paths }: Home, name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(paths.reports, `${name}.outcome.json`), 'utf8'));
