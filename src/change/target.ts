/**
 * What a request means here: which instance, which product and release, from which state. Nothing is changed and little is
 * read; what can't be done at all is refused, with the nearest thing that can.
 */

import { resolve } from 'node:path';
import { Failure, messageOf } from '../errors.ts';
import { nameRule, pickInstance } from '../instance/find.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { instancePaths } from '../instance/paths.ts';
import type { InstanceState, Previous, ReleaseRef } from '../instance/state.ts';
import { readState } from '../instance/state.ts';
import { unfinished } from '../instance/unfinished.ts';
import { isManifestPath, loadProduct, parseProductReference, pickRelease } from '../product/catalogue.ts';
import type { Product, Release } from '../product/manifest.ts';
import { releaseDigest } from '../product/release-digest.ts';
import { compareVersions } from '../product/versions.ts';
import { findStored } from '../release/store.ts';
import { statIfThere } from '../system/files.ts';
import type { InstanceName } from '../values.ts';
import { asInstanceName } from '../values.ts';
import { changedMeanwhile, firstDigest } from './digest.ts';
import { readJournal } from './journal.ts';
import { keptProduct } from './kept-product.ts';
import type { ChangeKind } from './plan.ts';
import type { ChangeRequest, Ports } from './request.ts';
import { wayBack } from './way-back.ts';

export interface Target {
  readonly kind: ChangeKind;
  readonly paths: InstancePaths;
  readonly before: InstanceState | null;
  /** Of state and configuration, taken before either was read: what anybody changes from then on is not in it. */
  readonly stateDigest: string;
  readonly product: Product;
  /** The release that will run; for an uninstall the one that runs. */
  readonly release: Release;
  readonly from: ReleaseRef | null;
  readonly to: ReleaseRef;
  /** Absolute path of a manifest of one's own, or null. */
  readonly manifest: string | null;
  /** What a rollback goes back to. */
  readonly restore: Previous | null;
}

export const defaultProduct = 'maildev';

/** The instance that a request is about, before anything else of it is looked at. */
export const targetInstance = async (ports: Ports, request: ChangeRequest): Promise<InstanceName> => {
  const kept = keptInstance(ports, request);
  if (kept !== undefined) return kept;
  if (request.kind !== 'install') return pickInstance(ports.home, request.instance);
  const wanted = request.name ?? (await productName(ports, request));
  const name = asInstanceName(wanted);
  if (name !== undefined) return name;
  throw new Failure('usage-name', `"${wanted}" is not a name for an instance.`, nameRule);
};

/** Throws 'instance-busy' while a change is running, 'change-interrupted' while one waits for `recover`, 'refused-state-damaged' where that could not end it. */
export const refuseUnfinished = (paths: InstancePaths): void => {
  const open = unfinished(paths);
  if (open === null) return;
  if (open.running) {
    throw new Failure(
      'instance-busy',
      `Another run holds ${paths.name}: ${open.kind}, pid ${open.process?.pid}, at step "${open.step}" since ${open.at}.`,
      'Wait until it has ended. Nothing was changed.',
    );
  }
  readJournal(paths);
  throw new Failure(
    'change-interrupted',
    `The ${open.kind} of ${paths.name} was interrupted at step "${open.step}" (${open.at}).`,
    `End it first: assent recover ${paths.name}. status, logs and telemetry still work.`,
  );
};

/** Throws 'refused-changed-meanwhile' where the request is about another installation than there is. */
export const resolveTarget = async (ports: Ports, request: ChangeRequest, name: InstanceName): Promise<Target> => {
  const paths = instancePaths(ports.home, name);
  const stateDigest = firstDigest(paths);
  const before = readState(paths) ?? null;
  if (request.judged !== undefined && before?.changedAt !== request.judged) throw changedMeanwhile(paths);
  return { ...(await targets[request.kind](ports, request, paths, before)), stateDigest };
};

type Resolved = Omit<Target, 'stateDigest'>;

type Resolver = (
  ports: Ports,
  request: ChangeRequest,
  paths: InstancePaths,
  before: InstanceState | null,
) => Promise<Resolved>;

const targets = {
  install: async (ports, request, paths, before) => {
    const { product, manifest, version } = await requestedProduct(ports, request, before);
    if (before !== null && before.product !== product.name) {
      throw new Failure(
        'usage-exists',
        `${paths.name} ${before.installed ? 'is' : 'was'} ${before.title}${before.installed ? '' : ', and its data is kept'}.`,
        `Install ${product.title} under another name: --name ${product.name}-2. Or remove the other for good: assent uninstall ${paths.name} --purge.`,
      );
    }
    const installed = before?.installed === true ? before : null;
    const release = pickRelease(product, version ?? installed?.release.version);
    return target('install', paths, before, product, release, manifest, null);
  },
  reinstall: async (ports, _request, paths, before) => {
    const state = mustBeInstalled(paths, before);
    const { product, release, isStored } = await productOfState(ports, paths, state);
    return target(
      'reinstall',
      paths,
      state,
      product,
      release,
      state.manifest,
      null,
      isStored ? state.release : undefined,
    );
  },
  upgrade: async (ports, request, paths, before) => {
    const state = mustBeInstalled(paths, before);
    const product = await loadProduct(ports.world, state.manifest ?? state.product);
    const release = pickRelease(product, request.to);
    if (compareVersions(release.version, state.release.version) < 0) {
      throw new Failure(
        'usage-option',
        `${product.title} ${release.version} is older than ${state.release.version}, which is installed: that is no upgrade.`,
        state.previous?.release.version === release.version
          ? `Go back with: assent rollback ${paths.name}`
          : 'Only the release before can be gone back to: assent rollback.',
      );
    }
    return target('upgrade', paths, state, product, release, state.manifest, null);
  },
  rollback: async (_ports, _request, paths, before) => {
    const state = mustBeInstalled(paths, before);
    const { previous, stored } = wayBack(paths, state);
    return target('rollback', paths, state, stored.product, stored.release, state.manifest, previous, previous.release);
  },
  uninstall: async (ports, request, paths, before) => {
    const isKept = request.purge === true && before?.installed === false;
    const state = isKept ? before : mustBeInstalled(paths, before);
    const { product, release } = isKept ? keptProduct(state, paths.folder) : await productOfState(ports, paths, state);
    return target('uninstall', paths, state, product, release, state.manifest, null, state.release);
  },
} satisfies Record<ChangeKind, Resolver>;

const target = (
  kind: ChangeKind,
  paths: InstancePaths,
  before: InstanceState | null,
  product: Product,
  release: Release,
  manifest: string | null,
  restore: Previous | null,
  to: ReleaseRef = { product: product.name, version: release.version, digest: releaseDigest(product, release) },
): Resolved => ({
  kind,
  paths,
  before,
  product,
  release,
  from: before?.installed === true ? before.release : null,
  to,
  manifest,
  restore,
});

/** A purge also finds what an uninstall has kept. */
const keptInstance = ({ home }: Ports, { kind, purge, instance }: ChangeRequest): InstanceName | undefined => {
  const name = kind === 'uninstall' && purge === true && instance !== undefined ? asInstanceName(instance) : undefined;
  // Whatever is there, readable or not: a no that comes with it is heard first.
  return name !== undefined && statIfThere(instancePaths(home, name).state) !== undefined ? name : undefined;
};

const productName = async (ports: Ports, request: ChangeRequest): Promise<string> => {
  const { product } = parseProductReference(request.product ?? defaultProduct);
  // What can't be a name is no product either, and the catalogue says so better than the rule of names.
  const isName = !isManifestPath(product) && asInstanceName(product) !== undefined;
  return isName ? product : (await loadProduct(ports.world, product)).name;
};

const requestedProduct = async (
  ports: Ports,
  request: ChangeRequest,
  before: InstanceState | null,
): Promise<{ product: Product; manifest: string | null; version: string | undefined }> => {
  const reference = parseProductReference(request.product ?? before?.manifest ?? before?.product ?? defaultProduct);
  const product = await loadProduct(ports.world, reference.product);
  const manifest = isManifestPath(reference.product) ? resolve(ports.world.cwd, reference.product) : null;
  return { product, manifest, version: reference.version };
};

/** The catalogue's product where it still has the release, else the stored copy: what runs can always be installed anew. */
const productOfState = async (
  ports: Ports,
  paths: InstancePaths,
  state: InstanceState,
): Promise<{ product: Product; release: Release; isStored: boolean }> => {
  const { product: name, version, digest } = state.release;
  try {
    const product = await loadProduct(ports.world, state.manifest ?? name);
    const release = product.releases.find((one) => one.version === version);
    if (release !== undefined) return { product, release, isStored: false };
  } catch (error) {
    ports.events.note(`The catalogue does not help (${messageOf(error)}): the stored release is used.`);
  }
  const stored = findStored(paths.home, name, version, digest);
  if (stored !== undefined) return { product: stored.product, release: stored.release, isStored: true };
  throw new Failure(
    'no-release',
    `${state.title} ${version} is neither in the catalogue nor in the store.`,
    'Upgrade to a release that is: assent upgrade.',
  );
};

const mustBeInstalled = (paths: InstancePaths, state: InstanceState | null): InstanceState => {
  if (state?.installed === true) return state;
  throw new Failure(
    'no-instance',
    `${paths.name} is not installed.`,
    `Install it: assent install --name ${paths.name}.`,
  );
};
