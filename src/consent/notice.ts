/**
 * The notice: what is shown before the question, and all that it promises, as plain data. Its words are part of it, so that what was
 * agreed to can be shown years later as it was, whatever a newer Assent would say.
 *
 * Made from the product's declaration and from whom the admin names as recipient: the version is not in it, so an unchanged notice keeps its id over
 * upgrades and a playbook that names it stays valid as long as nothing changes. Routes are in it: a counter that is fed by something else is another promise.
 */

import type { CounterDeclaration, OwnTelemetry, Product, Release, TelemetryDeclaration } from '../product/manifest.ts';
import type { Settings } from '../product/settings.ts';
import { asNoticeId, canonicalJson, endpointSetting, type Json, type NoticeId, type ProductName } from '../values.ts';
import { sha256 } from './digests.ts';
import { wordsOf } from './notice-words.ts';

export interface Notice {
  readonly format: 1;
  readonly product: ProductName;
  readonly title: string;
  readonly counters: readonly CounterDeclaration[];
  /** Always with `day`, in UTC. */
  readonly dimensions: readonly ('browser' | 'hour' | 'day')[];
  /** A number with fewer clients behind it is dropped before it is written. */
  readonly smallestGroup: number;
  /** How long one report covers, were there somebody to send it to. */
  readonly period: 'day' | 'week' | 'month';
  /** How long totals are kept on the server. */
  readonly retentionDays: number;
  readonly recipient: Recipient | null;
  /** What the server itself would send after a yes; null where a yes turns nothing of that kind on. */
  readonly ownTelemetry: OwnNotice | null;
  readonly words: NoticeWords;
}

export interface Recipient {
  readonly name: string;
  readonly endpoint: string;
  /** Null where it is the admin's own collector. */
  readonly policy: string | null;
}

export type OwnNotice = NonNullable<OwnTelemetry['notice']>;

/** The text itself, unwrapped. */
export interface NoticeWords {
  readonly heading: string;
  readonly rows: readonly { readonly label: string; readonly text: string }[];
  readonly closing: string;
}

/** The notice of this release, or null where there is nothing to consent to. Of the settings only the endpoint is a promise. */
export const makeNotice = (
  product: Pick<Product, 'name' | 'title' | 'telemetry'>,
  release: Pick<Release, 'ownTelemetry'>,
  settings: Settings = {},
): Notice | null => {
  const { telemetry } = product;
  const ownTelemetry = release.ownTelemetry?.notice ?? null;
  if (telemetry === undefined && ownTelemetry === null) return null;
  const promises = {
    format: 1,
    product: product.name,
    title: product.title,
    counters: (telemetry?.counters ?? []).map(({ name, title, routes }) => ({ name, title, routes })),
    dimensions: [...(telemetry?.dimensions ?? []), 'day'],
    smallestGroup: telemetry?.smallestGroup ?? 5,
    period: telemetry?.period ?? 'week',
    retentionDays: telemetry?.retentionDays ?? 90,
    recipient: telemetry === undefined ? null : recipientOf(telemetry.recipient, settings[endpointSetting]),
    ownTelemetry: ownTelemetry && { ...ownTelemetry },
  } as const satisfies Omit<Notice, 'words'>;
  const keptOff = release.ownTelemetry !== undefined && ownTelemetry === null;
  const refused = settings[endpointSetting] === 'none';
  return { ...promises, words: wordsOf(promises, { keptOff, refused }) };
};

const recipientOf = (
  declared: TelemetryDeclaration['recipient'],
  chosen: Settings[string] | undefined,
): Recipient | null => {
  if (chosen === 'none') return null;
  if (typeof chosen === 'string') return { name: 'a collector of your own', endpoint: chosen, policy: null };
  return declared === 'none' ? null : { ...declared };
};

/** Digest of the canonical JSON: another counter, another endpoint or another word makes another id. */
export const noticeId = (notice: Notice): NoticeId => idOfText(noticeJson(notice));

/** The one byte form of a notice. */
export const noticeJson = (notice: Notice): string => canonicalJson(notice as unknown as Json);

/** The id of the notice whose canonical JSON this is. */
export const idOfText = (text: string): NoticeId => {
  const id = asNoticeId(`n${sha256(text).slice(0, 16)}`);
  if (id === undefined) throw new Error('a digest is not hexadecimal');
  return id;
};
