/** The health checks of a release with their templates filled in: what health.ts carries out. Pure. */

import type { InstancePaths } from '../instance/paths.ts';
import { secretFile } from '../instance/secrets.ts';
import type { HealthCheck } from '../product/manifest.ts';
import { render, renderAll, type View } from '../product/template.ts';
import type { StoredRelease } from '../release/store.ts';

/** A user of the service and the file that holds the password. */
export interface Login {
  readonly user: string;
  readonly secretFile: string;
}

export interface HttpCheck {
  readonly kind: 'http';
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly login: Login | null;
  /** A regular expression that the body must match. */
  readonly body: string | null;
  readonly json: { readonly path: string; readonly equals: string | number | boolean | null } | null;
  /** Keys of the JSON answer, joined by dots, that lead to the served version. */
  readonly versionPath: string | null;
}

export interface SmtpCheck {
  readonly kind: 'smtp';
  readonly host: string;
  readonly port: number;
  /** A regular expression for the greeting's text behind its code. */
  readonly banner: string | null;
  /** A regular expression whose first group is the version that the greeting tells. */
  readonly version: string | null;
  /** A mail to this domain has to be accepted up to RCPT. */
  readonly domain: string | null;
}

export interface CommandCheck {
  readonly kind: 'command';
  readonly command: readonly string[];
  /** A regular expression for the output. */
  readonly stdout: string | null;
}

export type Check = HttpCheck | SmtpCheck | CommandCheck;

export const renderChecks = (stored: StoredRelease, view: View, paths: InstancePaths): Check[] =>
  stored.release.health.checks.map((check, index) => {
    const where = `health.checks.${index}`;
    if (check.kind === 'http') return httpCheck(check, view, where, check.login ? loginOf(stored, view, paths) : null);
    if (check.kind === 'smtp') return smtpCheck(check, view, where);
    const command = check.command.map((part) => render(part, view, where));
    return { kind: 'command', command, stdout: check.stdout ?? null };
  });

type Written<Kind> = Extract<HealthCheck, { kind: Kind }>;

const httpCheck = (check: Written<'http'>, view: View, where: string, login: Login | null): HttpCheck => ({
  kind: 'http',
  url: render(check.url, view, `${where}.url`),
  status: check.status,
  headers: renderAll(check.headers, view, `${where}.headers`),
  login,
  body: check.body ?? null,
  json: check.json ?? null,
  versionPath: check.version?.path ?? null,
});

const smtpCheck = (check: Written<'smtp'>, view: View, where: string): SmtpCheck => ({
  kind: 'smtp',
  host: render(check.host, view, `${where}.host`).replace(/^\[(.*)\]$/, '$1'),
  port: Number(typeof check.port === 'number' ? check.port : render(check.port, view, `${where}.port`)),
  banner: check.banner ?? null,
  version: check.version ?? null,
  domain: check.domain === undefined ? null : render(check.domain, view, `${where}.domain`),
});

/** The login that the product names, for checks that ask for it. */
export const loginOf = ({ product }: StoredRelease, view: View, paths: InstancePaths): Login | null =>
  product.login === undefined
    ? null
    : { user: render(product.login.user, view, 'login.user'), secretFile: secretFile(paths, product.login.secret) };
