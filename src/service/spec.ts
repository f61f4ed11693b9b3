/**
 * ServiceSpec: everything there is to know to run a server, as plain data: rendered commands, the whole environment, checks.
 *
 * Pure. It is made from the instance's state and the stored release alone (the host tells only whose machine it is), so unit
 * file, detached supervisor and foreground run agree, and the spec of the release before can be made at any time.
 * A secret is never in it: logins name the file that holds it.
 */

import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { InstancePaths } from '../instance/paths.ts';
import type { Account, InstanceState, SupervisorKind } from '../instance/state.ts';
import { tripletOf } from '../product/machine-names.ts';
import type { Product, ServiceDescription } from '../product/manifest.ts';
import { listensWide, render, renderAll, type View, viewOf } from '../product/template.ts';
import type { StoredRelease } from '../release/store.ts';
import type { World } from '../system/world.ts';
import type { InstanceName, ProductName, Version } from '../values.ts';
import { type Check, renderChecks } from './spec-checks.ts';
import { type Companions, companionsOf } from './spec-companions.ts';
import { renderOwnTelemetry, type ServiceTelemetry } from './spec-telemetry.ts';
import { userUnitsOf } from './unit-environment.ts';

/** The verified copy of Assent (its Node and its main file) that whatever outlives the command executes. */
export interface Program {
  readonly node: string;
  readonly main: string;
}

/** What consent says to whoever starts the server. Off wherever that is not certain. */
export interface SpecConsent {
  /** Whether the server's own telemetry may follow a yes. */
  readonly own: boolean;
  /** Whether what counts is loaded into the server: an acceptance is on record. */
  readonly counting: boolean;
}

export const consentOff: SpecConsent = { own: false, counting: false };

/** For whom services run on this machine, and with which Assent. */
export interface ServiceHost {
  /** Null only where nothing is going to be installed or started detached (`assent run` itself). */
  readonly program: Program | null;
  /** The module that counts inside of a Node server. */
  readonly preload: string;
  /** Where Debian's libraries lie on it: `x86_64-linux-gnu`. */
  readonly triplet: string;
  readonly uid: number;
  readonly gid: number;
  /** The user's own HOME, for processes of ours; servers have their data folder. */
  readonly home: string;
  /** Where user units lie if their manager does not tell: `$XDG_CONFIG_HOME/systemd/user` of whoever types. */
  readonly userUnits: string;
}

export interface ServiceSpec {
  readonly instance: InstanceName;
  readonly product: ProductName;
  readonly supervisor: SupervisorKind;
  /** `MailDev 3.0.0 (mail)`. */
  readonly title: string;
  readonly version: Version;
  /** Digest of the stored release. */
  readonly digest: string;
  readonly generation: number;
  /** It is meant to run: a boot starts it. */
  readonly runs: boolean;
  readonly command: readonly string[];
  /** The whole environment, but for what stands in the file below. */
  readonly environment: Readonly<Record<string, string>>;
  /** Path of a file of KEY=value lines, where secrets are in the environment. */
  readonly environmentFile: string | null;
  readonly directory: string;
  /** Null where Assent is not run by root: then the server runs as the same user. */
  readonly account: Account | null;
  readonly stopSignal: ServiceDescription['stopSignal'];
  readonly stopSeconds: number;
  readonly startSeconds: number;
  readonly prepare: readonly (readonly string[])[];
  /** True for V8 and its like: memory is written and then executed. */
  readonly jit: boolean;
  readonly ownTelemetry: ServiceTelemetry | null;
  readonly companions: Companions;
  readonly health: { readonly stableSeconds: number; readonly checks: readonly Check[] };
  readonly paths: InstancePaths;
  readonly host: ServiceHost;
  /** The private Node of the release; null where it needs none. */
  readonly node: string | null;
  readonly ports: readonly number[];
  /** True if the server listens on more than loopback. */
  readonly listensWide: boolean;
}

export const hostOf = (world: World, program: Program | null): ServiceHost => {
  const home = world.env.HOME ?? '/';
  const dist = program === null ? join(world.program, 'dist') : dirname(program.main);
  const preload = join(dist, 'count-preload.mjs');
  const triplet = tripletOf(world.arch);
  const { uid, gid } = world.user;
  return { program, preload, triplet, uid, gid, home, userUnits: userUnitsOf(world) };
};

export const serviceSpec = (
  host: ServiceHost,
  state: InstanceState,
  stored: StoredRelease,
  paths: InstancePaths,
  consent: SpecConsent,
): ServiceSpec => {
  const { product, release, node = null } = stored;
  const { service } = release;
  const view = viewOfService(host, state, stored, paths);
  const list = (command: readonly string[], where: string): string[] =>
    command.map((part) => render(part, view, where));
  const ownTelemetry = renderOwnTelemetry(stored, view, paths, consent.own);
  const command = list(service.command, 'service.command');
  return {
    instance: state.name,
    product: product.name,
    supervisor: state.supervisor,
    title: `${product.title} ${release.version} (${state.name})`,
    version: release.version,
    digest: stored.digest,
    generation: state.generation,
    runs: state.running,
    command: consent.counting ? withCounting(command, stored, host, paths) : command,
    environment: {
      LANG: 'C.UTF-8',
      NODE_ENV: 'production',
      ...renderAll(service.environment, view, 'service.environment'),
      ...ownTelemetry?.environment,
      ...(consent.counting ? countingEnvironment(product, paths) : {}),
      ...ourMark(node, paths),
      ...(state.veto === null ? {} : { DO_NOT_TRACK: state.veto }),
    },
    environmentFile: service.environmentFile === undefined ? null : join(paths.config, service.environmentFile),
    directory: render(service.directory, view, 'service.directory'),
    account: state.account,
    stopSignal: service.stopSignal,
    stopSeconds: service.stopSeconds,
    startSeconds: service.startSeconds,
    prepare: service.prepare.map((command) => list(command, 'service.prepare')),
    jit: service.jit,
    ownTelemetry,
    companions: companionsOf(product, state.settings, paths),
    health: { stableSeconds: release.health.stableSeconds, checks: renderChecks(stored, view, paths) },
    paths,
    host,
    node,
    ports: product.settings
      .filter(({ type }) => type === 'port')
      .map(({ name }) => Number(state.settings[name]))
      .filter(Boolean),
    listensWide: listensWide(product, state.settings),
  };
};

/**
 * Only Node servers, and only where the product counts requests by itself: `node --import URL script ...`. All that the module needs to know
 * stands in its address, for the environment is the server's, and its children's.
 */
const withCounting = (
  [program = '', ...rest]: readonly string[],
  { node, product: { telemetry } }: StoredRelease,
  { preload }: ServiceHost,
  { home, name }: InstancePaths,
): string[] => {
  const counts = telemetry !== undefined && telemetry.accessLog === undefined && program === node;
  const about = new URLSearchParams({ home, name }).toString();
  return counts ? [program, '--import', `${pathToFileURL(preload).href}?${about}`, ...rest] : [program, ...rest];
};

/** Where a server that writes no log hands over its requests; it is told of it only where an acceptance is on record. */
const countingEnvironment = (
  { telemetry }: Pick<Product, 'telemetry'>,
  { requests }: InstancePaths,
): Record<string, string> => {
  const variable = telemetry?.accessLog?.socket;
  return variable === undefined ? {} : { [variable]: requests };
};

/** What commands, environments and checks may name. */
export const viewOfService = (
  { triplet }: Pick<ServiceHost, 'triplet'>,
  state: InstanceState,
  stored: StoredRelease,
  paths: InstancePaths,
): View =>
  viewOf(stored.product, state.settings, {
    name: state.name,
    version: stored.release.version,
    triplet,
    ...(stored.node === undefined ? {} : { node: stored.node }),
    release: stored.folder,
    config: paths.config,
    data: paths.data,
    logs: paths.logs,
    secrets: paths.secrets,
  });

/** By these survivors.ts knows a server's processes again, so no manifest has a say in them. Without a Node PATH begins with a folder that is never there. */
const ourMark = (node: string | null, { data, home }: InstancePaths): Record<string, string> => ({
  PATH: `${node === null ? join(home, 'runtimes', 'none') : dirname(node)}:/usr/local/bin:/usr/bin:/bin`,
  HOME: data,
});
