/** A server's own telemetry with its templates filled in: what keeps it off (or follows a yes), and how it is read back. Pure. */

import type { InstancePaths } from '../instance/paths.ts';
import type { OwnTelemetry } from '../product/manifest.ts';
import { render, renderAll, type View } from '../product/template.ts';
import type { StoredRelease } from '../release/store.ts';
import type { Json } from '../values.ts';
import { type Login, loginOf } from './spec-checks.ts';

/** Values to stand in a JSON file; keys are paths joined by dots. */
export interface JsonEdit {
  readonly file: string;
  readonly set: Readonly<Record<string, Json>>;
}

export interface ReadBack {
  readonly from:
    | { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly login: Login | null }
    | { readonly file: string };
  /** Keys joined by dots. */
  readonly path: string;
  readonly off: Json;
  /** Undefined where nothing turns it on. */
  readonly on: Json | undefined;
}

export interface ServiceTelemetry {
  /** What the server itself would send, and to whom. */
  readonly summary: string;
  /** Which way this spec goes: true only where the notice has a section of its own for it and a yes is in force. */
  readonly on: boolean;
  /** Files to put in order before every start, for that way. */
  readonly edits: readonly JsonEdit[];
  /** Variables of the server's environment, for that way. */
  readonly environment: Readonly<Record<string, string>>;
  readonly readBack: ReadBack;
  /** Whether turning it off takes effect only after a restart. */
  readonly restart: boolean;
}

export const renderOwnTelemetry = (
  stored: StoredRelease,
  view: View,
  paths: InstancePaths,
  consentOn: boolean,
): ServiceTelemetry | null => {
  const own = stored.release.ownTelemetry;
  if (own === undefined) return null;
  const on = consentOn && own.notice !== undefined && own.on !== undefined;
  const actions = (on ? own.on : own.off) ?? [];
  const edits = actions.flatMap((action) =>
    action.kind === 'json' ? [{ file: render(action.file, view, 'ownTelemetry.file'), set: action.set }] : [],
  );
  const variables = actions.flatMap((action) =>
    action.kind === 'environment' ? [[action.name, render(action.value, view, 'ownTelemetry.value')] as const] : [],
  );
  return {
    summary: own.summary,
    on,
    edits,
    environment: Object.fromEntries(variables),
    readBack: readBackOf(own.readBack, stored, view, paths),
    // Environments change only with a restart, whatever the manifest says.
    restart: own.notice?.restart === true || own.off.some(({ kind }) => kind === 'environment'),
  };
};

const readBackOf = (
  written: OwnTelemetry['readBack'],
  stored: StoredRelease,
  view: View,
  paths: InstancePaths,
): ReadBack => {
  const expected = { path: written.json.path, off: written.off, on: written.on };
  if (written.kind === 'json-file') {
    return { from: { file: render(written.file, view, 'ownTelemetry.readBack.file') }, ...expected };
  }
  const url = render(written.url, view, 'ownTelemetry.readBack.url');
  const headers = renderAll(written.headers, view, 'ownTelemetry.readBack.headers');
  return { from: { url, headers, login: written.login ? loginOf(stored, view, paths) : null }, ...expected };
};
