/**
 * What a delivery means for the report: settled, or to be tried again. Pure. Only what never left, and an answer that says that nothing was taken (429,
 * 503), lets it be tried again; whatever may have been taken counts as sent.
 */

import type { Delivery } from '../system/deliver.ts';
import type { Outcome } from './sent.ts';

export type Judged = Outcome | Again;

export interface Again {
  readonly again: string;
  /** Of an answer; null where nothing left the machine. */
  readonly status: number | null;
  readonly retryAfter: string | undefined;
}

export const judge = (delivery: Delivery): Judged => {
  if (delivery.kind === 'unsent') return { again: delivery.why, status: null, retryAfter: undefined };
  if (delivery.kind === 'withheld')
    return { again: 'the attempt could not be written down', status: null, retryAfter: undefined };
  if (delivery.kind === 'uncertain') {
    const detail = `${delivery.why}; it may have arrived, so it is not sent again`;
    return { outcome: 'uncertain', status: null, detail };
  }
  const { status } = delivery;
  if (status === 429 || status === 503)
    return { again: `the recipient takes nothing now (${status})`, status, retryAfter: delivery.retryAfter };
  if (status >= 200 && status < 300) return { outcome: 'sent', status, detail: 'the recipient took it' };
  if (status >= 300 && status < 400)
    return { outcome: 'discarded', status, detail: 'the recipient sends elsewhere, and redirects are not followed' };
  if (status >= 400 && status < 500) return { outcome: 'discarded', status, detail: 'the recipient does not want it' };
  return {
    outcome: 'uncertain',
    status,
    detail: 'the recipient failed; it may have taken it, so it is not sent again',
  };
};
