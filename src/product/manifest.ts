/**
 * A product's manifest: parsed at the edge, so that everything behind it deals with valid products only.
 *
 * Every fault of a file is reported at once, each with line, column and remedy. What comes out is plain data (it can be
 * written as JSON and read again): settings as a list in the order of asking, releases in ascending order with the
 * defaults filled in. Nothing here touches the disk: a stored release carries its manifest without the lock folders.
 */

import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import type { Failure } from '../errors.ts';
import { isMap, type ProductName, type Version } from '../values.ts';
import { type Fault, faultsFailure, type LocatedYaml, type Path, type RawFault, readYaml } from './located-yaml.ts';
import { checkManifest, hintsOf } from './manifest-checks.ts';
import { type Part, withParts } from './parts.ts';
import type { Risk } from './risks.ts';
import { manifestSchema, type telemetry } from './schema.ts';
import type { doctorChecks } from './schema-doctor.ts';
import { faultsOf } from './schema-faults.ts';
import type { check, ownTelemetry } from './schema-health.ts';
import { completeRelease } from './schema-release.ts';
import type { Setting } from './settings.ts';

export type HealthCheck = z.output<typeof check>;
export type OwnTelemetry = z.output<typeof ownTelemetry>;
export type OwnTelemetryAction = OwnTelemetry['off'][number];
export type DoctorCheck = z.output<typeof doctorChecks>[number];
export type TelemetryDeclaration = z.output<typeof telemetry>;
export type AccessLog = NonNullable<TelemetryDeclaration['accessLog']>;
export type CounterDeclaration = TelemetryDeclaration['counters'][number];

type Complete = z.output<typeof completeRelease>;
export type ServiceDescription = Complete['service'];
export type ConfigFile = NonNullable<Complete['config']>[number];
export type RehearsalCopy = NonNullable<Complete['rehearsal']>['copy'];

/** A product at a version: all that is needed to fetch, run, check and undo it. */
export interface Release extends Omit<Complete, 'version' | 'runtime' | 'config' | 'source' | 'parts'> {
  readonly product: ProductName;
  readonly version: Version;
  /** Version of the private Node that it runs on; absent where it needs none. */
  readonly runtime?: Version;
  /** What it is made of; never empty. */
  readonly parts: readonly Part[];
  readonly config: readonly ConfigFile[];
}

export interface Product {
  readonly name: ProductName;
  readonly title: string;
  readonly summary: string;
  readonly homepage?: string;
  readonly license?: string;
  /** Absolute path of the folder in which manifest, locks and templates lie. */
  readonly folder: string;
  /** In the order of asking. */
  readonly settings: readonly Setting[];
  /** Name -> template of an address: `web`, `smtp`. */
  readonly urls: Readonly<Record<string, string>>;
  /** User (a template) and name of the secret setting with which people log in. */
  readonly login?: { readonly user: string; readonly secret: string };
  /** What settings bring about: to be accepted by id, or to be known. */
  readonly dangers?: readonly Risk[];
  readonly warnings?: readonly Risk[];
  readonly doctor?: readonly DoctorCheck[];
  /** Ascending by version; never empty. */
  readonly releases: readonly Release[];
  readonly telemetry?: TelemetryDeclaration;
}

export interface Inspected {
  /** Absent where there are faults. */
  readonly product?: Product;
  readonly faults: readonly Fault[];
  /** What is allowed and yet better said another way. */
  readonly hints: readonly Fault[];
}

/** Longest manifest that is read, in characters. */
const sizeLimit = 256 * 1024;

/** The product that a manifest describes. Throws 'usage-manifest', which lists every fault. `file` is for messages and for `folder`. */
export const parseManifest = (text: string, file: string): Product => {
  const { product, faults } = inspectManifest(text, file);
  if (product === undefined) throw manifestFailure(file, faults);
  return product;
};

export const manifestFailure = (file: string, faults: readonly Fault[]): Failure =>
  faultsFailure('usage-manifest', file, faults, `Correct these lines, then check again: assent products check ${file}`);

/** As `parseManifest`, but for those who want faults and hints as data. `further` adds checks of its own (files on disk). */
export const inspectManifest = (
  text: string,
  file: string,
  further: (product: Product) => RawFault[] = () => [],
): Inspected => {
  const yaml = readYaml(text, sizeLimit);
  if (yaml.value === undefined) return { faults: yaml.faults, hints: [] };
  const written = manifestSchema.safeParse(yaml.value);
  const broken = written.success ? [] : faultsOf(written.error, yaml.value);
  const { faults: incomplete, releases } = completeReleases(yaml.value);
  const structure = besides(locateAll(yaml, broken), locateAll(yaml, incomplete));
  const manifest = written.success ? written.data : withoutBroken(yaml.value, broken);
  if (manifest === undefined || incomplete.length > 0) return { faults: structure, hints: [] };
  const product = productOf(manifest, releases, resolve(dirname(file)));
  const faults = [...structure, ...locateAll(yaml, [...checkManifest(product), ...further(product)])];
  return faults.length > 0 ? { faults, hints: [] } : { product, faults, hints: locateAll(yaml, hintsOf(product)) };
};

/** What is at fault already is not told again as a consequence: neither the same place, nor what lies in it. */
const besides = (told: readonly Fault[], more: readonly Fault[]): Fault[] => [
  ...told,
  ...more.filter(({ where }) => !told.some((fault) => where === fault.where || isWithin(where, fault.where))),
];

const isWithin = (inner: string, outer: string): boolean =>
  inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);

/** For keys that nothing else in a manifest refers to. */
const standIns: Readonly<Record<string, unknown>> = { format: 1, name: 'name', title: 'title', summary: 'summary' };
const referredTo: readonly unknown[] = ['settings', 'urls', 'login', 'defaults', 'releases'];

/** The manifest as far as it is sound, so that the rest is checked, too; undefined where what is broken is referred to by the rest. */
const withoutBroken = (value: unknown, faults: readonly RawFault[]): Manifest | undefined => {
  const keys = new Set(faults.map(({ path }) => path[0]));
  if (referredTo.some((key) => keys.has(key as string))) return undefined;
  const sound = Object.entries(value as object).filter(([key]) => !keys.has(key));
  const replaced = Object.entries(standIns).filter(([key]) => keys.has(key));
  return manifestSchema.safeParse(Object.fromEntries([...sound, ...replaced])).data;
};

type Manifest = z.output<typeof manifestSchema>;
interface WrittenManifest {
  readonly defaults?: Record<string, unknown>;
  readonly releases: Record<string, unknown>[];
}

/** What is no list of maps is the schema's to tell. */
const completeReleases = (value: unknown): { faults: RawFault[]; releases: Complete[] } => {
  const faults: RawFault[] = [];
  const releases: Complete[] = [];
  const { defaults, releases: all } = (value ?? {}) as Partial<WrittenManifest>;
  for (const [at, own] of Array.isArray(all) ? all.entries() : []) {
    if (!isMap(own)) continue;
    const merged = { ...defaultsFor(own, isMap(defaults) ? defaults : {}), ...own };
    const parsed = completeRelease.safeParse(merged);
    const wrong = sourceFault(merged, ['releases', at]);
    if (wrong !== undefined) faults.push(orUnderDefaults(wrong));
    if (parsed.success) releases.push(parsed.data);
    else faults.push(...faultsOf(parsed.error, merged, ['releases', at]).map(orUnderDefaults));
  }
  return { faults, releases };
};

/** `source` and `parts` are two ways to say one thing: a release's own takes the place of either. */
const defaultsFor = (own: object, defaults: Record<string, unknown> = {}): Record<string, unknown> => {
  if (!('source' in own || 'parts' in own)) return defaults;
  const { source: _, parts: __, ...rest } = defaults;
  return rest;
};

const sourceFault = (release: object, path: Path): RawFault | undefined => {
  const both = 'source' in release && 'parts' in release;
  if (both)
    return { path: [...path, 'parts'], what: 'stands beside "source"', remedy: 'keep one of the two for a release' };
  if ('source' in release || 'parts' in release) return undefined;
  return { path: [...path, 'source'], what: 'is missing', remedy: 'add "source: ..." or "parts: ..." here' };
};

const orUnderDefaults = (fault: RawFault): RawFault => ({ ...fault, remedy: `${fault.remedy}, or under "defaults"` });

const productOf = (manifest: Manifest, releases: Complete[], folder: string): Product => {
  const { format: _, defaults: __, settings, name, releases: ___, ...rest } = manifest;
  const product = name as ProductName;
  return {
    ...rest,
    name: product,
    folder,
    settings: Object.entries(settings).map(([key, setting]) => ({
      ...setting,
      name: key,
      required: setting.required ?? true,
    })),
    releases: releases.map((release) => releaseOf(product, release)),
  };
};

const releaseOf = (product: ProductName, release: Complete): Release => {
  const { runtime, ...rest } = withParts(release);
  return {
    ...rest,
    product,
    version: release.version as Version,
    ...(runtime === undefined ? {} : { runtime: runtime as Version }),
    config: release.config ?? [],
  };
};

/** Located, and once each: what stands in `defaults` is at fault once, not once a release. */
const locateAll = (yaml: LocatedYaml, raw: readonly RawFault[]): Fault[] => {
  const seen = new Map<string, Fault>();
  for (const fault of raw.map((one) => yaml.locate(inDefaults(yaml, one)))) {
    seen.set(`${fault.line}:${fault.column}:${fault.what}`, fault);
  }
  return [...seen.values()];
};

/** The path where a key of a release is really written. */
const inDefaults = (yaml: LocatedYaml, fault: RawFault): RawFault => {
  const [head, at, key, ...rest] = fault.path;
  if (head !== 'releases' || typeof at !== 'number' || typeof key !== 'string') return fault;
  const { defaults, releases } = yaml.value as WrittenManifest;
  const own: unknown = releases[at];
  const moved = isMap(own) && !(key in own) && isMap(defaults) && key in defaults;
  return moved ? { ...fault, path: ['defaults', key, ...rest] } : fault;
};
