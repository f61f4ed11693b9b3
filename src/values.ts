/**
 * The primitives that the rest of the house speaks in: branded strings that only their parser makes, and
 * canonical JSON, the one byte form that digests are taken of.
 *
 * Pure: no effects, no dependencies. The consent resolver, which also runs inside servers, may import this file and nothing else.
 */

declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Lower-case name of an instance: a letter, then letters, digits and hyphens, 32 characters at most. */
export type InstanceName = Brand<string, 'InstanceName'>;
/** Name of a product in the catalogue: same alphabet as an instance's. */
export type ProductName = Brand<string, 'ProductName'>;
/** An exact semantic version, without a leading `v`. */
export type Version = Brand<string, 'Version'>;
/** 64 lower-case hex digits. */
export type Sha256 = Brand<string, 'Sha256'>;
/** Subresource integrity: `sha512-` and base64, as in npm's lockfiles, or `sha256-` and base64. */
export type Integrity = Brand<string, 'Integrity'>;
/** Digest of a notice's canonical JSON: `n` and 16 hex digits. */
export type NoticeId = Brand<string, 'NoticeId'>;
/** 64 hex digits of randomness that belong to one generation of one instance and never leave the machine. */
export type GenerationKey = Brand<string, 'GenerationKey'>;

/** The one setting that every product with counters has without declaring it: whom reports go to (product/endpoint-setting.ts). */
export const endpointSetting = 'telemetry.endpoint';

/** What JSON and YAML call an object or a map: no list, and not null. */
export const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const namePattern = /^[a-z][a-z0-9-]{0,31}$/;
const versionPattern = /^\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]{1,64})?(?:\+[0-9A-Za-z.-]{1,64})?$/;

/** The value as an instance's name, or undefined where it is none. */
export const asInstanceName = (value: string): InstanceName | undefined =>
  namePattern.test(value) ? (value as InstanceName) : undefined;

export const asProductName = (value: string): ProductName | undefined =>
  namePattern.test(value) ? (value as ProductName) : undefined;

export const asVersion = (value: string): Version | undefined =>
  versionPattern.test(value) ? (value as Version) : undefined;

export const asSha256 = (value: string): Sha256 | undefined =>
  /^[0-9a-f]{64}$/.test(value) ? (value as Sha256) : undefined;

/** Of a sha512 alone: npm's lockfiles have weaker ones beside it. */
export const asIntegrity = (value: string): Integrity | undefined =>
  /^sha512-[A-Za-z0-9+/]{86}==$/.test(value) ? (value as Integrity) : undefined;

/** The same hash as the cache and the unpacking know it. */
export const integrityOf = (digest: Sha256): Integrity =>
  `sha256-${Buffer.from(digest, 'hex').toString('base64')}` as Integrity;

export const asNoticeId = (value: string): NoticeId | undefined =>
  /^n[0-9a-f]{16}$/.test(value) ? (value as NoticeId) : undefined;

export const asGenerationKey = (value: string): GenerationKey | undefined =>
  /^[0-9a-f]{64}$/.test(value) ? (value as GenerationKey) : undefined;

/** JSON with keys sorted by code unit and no white space: equal values give equal bytes. */
export const canonicalJson = (value: Json): string => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const object = value as { readonly [key: string]: Json };
  const members = Object.keys(object)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key] as Json)}`);
  return `{${members.join(',')}}`;
};
