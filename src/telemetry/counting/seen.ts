/**
 * What is looked at of a finished request, whoever saw it: the module inside a Node server, or a line of an access log. It lives as long as the call
 * that counts it. Of all this only a counter, a family of browsers, an hour and a keyed digest of the client stay in memory.
 */

export interface Seen {
  readonly method: string;
  /** The path as the client wrote it, with its query. */
  readonly url: string;
  /** Address of the peer. */
  readonly address: string | undefined;
  /** The headers by which proxies tell of themselves and of whom they serve: those that came along. Access logs have none. */
  readonly forwarded?: readonly string[];
  readonly userAgent?: string | undefined;
  readonly hints?: Hints;
  /** `Sec-GPC` and `DNT`. */
  readonly gpc?: string | undefined;
  readonly dnt?: string | undefined;
  readonly status: number;
  /** When, for whoever learns of it later: counted only if it is of the day that is open. Default: now. */
  readonly at?: Date;
}

/** Client hints as they came: `Sec-CH-UA`, `Sec-CH-UA-Mobile`, `Sec-CH-UA-Platform`. */
export interface Hints {
  readonly brands?: string | undefined;
  readonly mobile?: string | undefined;
  readonly platform?: string | undefined;
}
