/** A server that did not become healthy: why, and apart from that the end of its log, so that whoever tells of two of them tells one log. */

import { messageOf } from '../errors.ts';

export class Unhealthy extends Error {
  override readonly name = 'Unhealthy';
  readonly reason: string;
  readonly log: string;

  constructor(reason: string, log: string) {
    super(withLog(reason, log));
    this.reason = reason;
    this.log = log;
  }
}

/** A text, and the end of a server's log behind it where there is any. */
export const withLog = (text: string, log: string): string =>
  log === '' ? text : `${text}\nThe end of its log:\n${log}`;

/** What went wrong, without a server's log. */
export const reasonOf = (error: unknown): string => (error instanceof Unhealthy ? error.reason : messageOf(error));
