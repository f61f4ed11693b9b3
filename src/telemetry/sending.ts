/** What sending is given, and what it tells of a run. */

import type { Recipient } from '../consent/notice.ts';
import type { Delivery, DeliveryRequest } from '../system/deliver.ts';
import type { Outcome, ReportName } from './sent.ts';

export interface SendPorts {
  readonly deliver: (request: DeliveryRequest) => Promise<Delivery>;
}

export interface SentReport extends ReportName, Outcome {
  readonly bytes: number;
}

/** Why nothing more was to be done. */
export type Idle =
  | { readonly why: 'consent'; readonly reason: string }
  | { readonly why: 'no-recipient' | 'nothing-to-send' | 'not-due' | 'pausing' | 'stopped' }
  /** Another sender is at it; only for `scheduled`. */
  | { readonly why: 'busy' };

export interface Sending {
  readonly recipient: Recipient | null;
  /** What was settled in this run. */
  readonly sent: readonly SentReport[];
  /** Reports that the spool's limit cost. */
  readonly dropped: readonly string[];
  readonly waiting: number;
  /** Null where something was sent or tried, and nothing stopped it. */
  readonly idle: Idle | null;
  readonly trouble: Trouble | null;
}

/** A delivery that ended without anything taken, and when it is tried again. */
export interface Trouble {
  readonly message: string;
  readonly retryAt: string;
  /** The report that reached the recipient all the same; null where none left the machine. */
  readonly refused: SentReport | null;
}

export interface SendOptions {
  /** Only what is due, and not during a pause; without it all whole days, now. */
  readonly scheduled: boolean;
  /** Once aborted, the report that is on its way is brought to its end, and no other is begun. */
  readonly until?: AbortSignal;
}
