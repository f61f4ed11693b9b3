/**
 * What must stand about telemetry on either side of a change that something happened to. A yes belongs to one finished installation: the new side has what a run that nothing happened to
 * leaves; the old side its own, but an acceptance is over (`not-asked`) as soon as the change has begun, and a no that was said with the change stands whatever becomes of it.
 */

import assert from 'node:assert/strict';
import type { Document } from '../support/scenario.ts';
import type { Stage } from './stage.ts';
import { name } from './stage.ts';

export interface Consent {
  readonly state: string;
  readonly collecting: boolean;
  readonly reason: string;
}

export interface Consents {
  /** Null where nothing is installed. */
  readonly old: Consent | null;
  readonly fresh: Consent | null;
  /** What the change says. */
  readonly said: 'on' | 'off' | 'nothing';
  /**
   * What else may have come of it. `noes`: somebody said a no beside the change, so that one stands. `unwritten`: the disk may have refused what was to be recorded, and that is a no,
   * whatever it is called.
   */
  readonly but?: 'noes' | 'unwritten';
}

export const consentOf = async (stage: Stage): Promise<Document> =>
  (await stage.world.json(['telemetry', 'status', name])).document.consent;

/** As much of it as is compared. */
export const consentSeen = async (stage: Stage): Promise<Consent | null> => seenIn(await consentOf(stage));

export const seenIn = (consent: Document): Consent | null =>
  consent ? { state: consent.state, collecting: consent.collecting, reason: consent.reason } : null;

export const saidIn = (args: readonly string[]): Consents['said'] => {
  const said = args.find((arg) => /^--telemetry=(on|off)$/.test(arg));
  return said === undefined ? 'nothing' : said === '--telemetry=on' ? 'on' : 'off';
};

/** `begun`: the generation is another than before. */
export const consentHolds = (now: Consent | null, all: Consents, side: 'old' | 'new', begun: boolean): void => {
  const right = side === 'new' ? [all.fresh] : begun ? [undone(all)] : unbegun(all);
  if (now === null || right.includes(null)) {
    assert.deepEqual([now], right, 'nothing is installed');
    return;
  }
  assert.equal(now.collecting, now.state === 'accepted', JSON.stringify(now));
  const isRight = right.some((one) => JSON.stringify(one) === JSON.stringify(now));
  if (isRight && all.but !== 'noes') return;
  const told = `${JSON.stringify(now)} on the ${side} side, ${begun ? '' : 'not '}begun, and not ${JSON.stringify(right)}`;
  assert.ok(all.but === 'noes' ? isNo(now) : all.but === 'unwritten' && !now.collecting, told);
};

const isNo = ({ state }: Consent): boolean => state === 'declined' || state === 'withdrawn';

const declined = { state: 'declined', collecting: false, reason: 'declined' } as const;
const withdrawn = { state: 'withdrawn', collecting: false, reason: 'withdrawn' } as const;
const disbelieved = { state: 'invalid', collecting: false, reason: 'record-invalid' } as const;
const over = { state: 'not-asked', collecting: false, reason: 'change-undone' } as const;

const undone = ({ old, said }: Consents): Consent | null => {
  if (old === null) return null;
  if (said === 'off') return declined;
  return old.state === 'accepted' ? over : old;
};

/** A no is recorded before the change begins, in the log first: a record that does not have it yet is not believed any more. */
const unbegun = ({ old, said }: Consents): (Consent | null)[] =>
  old !== null && said === 'off' && !isNo(old) ? [old, withdrawn, disbelieved] : [old];
