/**
 * One UTC day of one recorder: the tally, the key that tells clients apart, the browsers that were met. All of it goes with the day.
 *
 * Decides what of a request is counted at all: nothing of somebody who asks not to be (`Sec-GPC: 1`, `DNT: 1`), nothing that failed, nothing that the notice does
 * not name.
 */

import type { Notice } from '../../consent/notice.ts';
import type { NoticeId } from '../../values.ts';
import type { Part } from '../part.ts';
import { makeBrowserReader } from './browser.ts';
import { makeClients } from './clients.ts';
import type { Match } from './routes.ts';
import type { Seen } from './seen.ts';
import { suppress } from './suppress.ts';
import { makeTally } from './tally.ts';

export interface Day {
  /** `2026-11-25`. */
  readonly name: string;
  /** Whether the time lies in this day. */
  has(at: Date): boolean;
  /** Counts it, unless it is of another day. Throws for nothing that a client could have written. */
  add(seen: Seen, now: Date): void;
  /** What may be written; undefined where nothing may. */
  part(): Part | undefined;
}

/** What stays the same from day to day. */
export interface Promises {
  readonly id: NoticeId;
  readonly notice: Notice;
  readonly match: Match;
}

/** `key`: 16 random bytes, drawn for this day. */
export const makeDay = (name: string, { id, notice, match }: Promises, key: Uint8Array): Day => {
  const tally = makeTally(notice.smallestGroup);
  const clientOf = makeClients(key);
  const browserOf = makeBrowserReader();
  const begin = Date.parse(`${name}T00:00:00.000Z`);
  const has = (at: Date): boolean => at.getTime() >= begin && at.getTime() < begin + dayMs;
  const hourOf = remembering((at: Date) => (has(at) ? at.getUTCHours() : undefined));
  return {
    name,
    has,
    add: (seen, now) => {
      if (objects(seen) || !(seen.status >= 100 && seen.status < 400)) return;
      const hour = hourOf(seen.at ?? now);
      if (hour === undefined) return;
      const counter = match(seen.method, seen.url);
      if (counter === undefined) return;
      const browser = browserOf(seen.userAgent, seen.hints);
      tally.add(counter, browser, hour, () => clientOf(seen.address, seen.forwarded));
    },
    part: () => {
      const counters = notice.counters.map((counter, at) => suppress(counter.name, tally.atomsOf(at), notice));
      const left = counters.filter((counter) => counter !== undefined);
      return left.length === 0 ? undefined : { format: 1, noticeId: id, day: name, counters: left };
    },
  };
};

const dayMs = 86_400_000;

/** Many requests share one reading of the clock. */
const remembering = <From, To>(work: (from: From) => To): ((from: From) => To) => {
  let last: { readonly from: From; readonly to: To } | undefined;
  return (from) => {
    if (last === undefined || last.from !== from) last = { from, to: work(from) };
    return last.to;
  };
};

/** The UTC day of a time. */
export const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

const objects = ({ gpc, dnt }: Seen): boolean => gpc?.trim() === '1' || dnt?.trim() === '1';
