/** Which notice is meant: that of an instance as it is, of an instance at another version or with other settings, or of a product in the catalogue. */

import { defaultProduct } from '../change/target.ts';
import type { Notice } from '../consent/notice.ts';
import { makeNotice } from '../consent/notice.ts';
import { readNotice } from '../consent/notice-file.ts';
import { Failure } from '../errors.ts';
import { listInstances, pickInstance } from '../instance/find.ts';
import { instancePaths } from '../instance/paths.ts';
import type { InstanceState } from '../instance/state.ts';
import { readState } from '../instance/state.ts';
import { loadProduct, parseProductReference, pickRelease } from '../product/catalogue.ts';
import { type GivenSettings, resolveSettings } from '../product/resolve-settings.ts';
import { findStored, type StoredRelease } from '../release/store.ts';
import type { World } from '../system/world.ts';

export interface Meant {
  readonly version: string;
  /** Null where the product declares no telemetry. */
  readonly notice: Notice | null;
}

export const noticeAbout = async (
  world: World,
  home: string,
  given: string | undefined,
  to: string | undefined,
  other: Pick<GivenSettings, 'given' | 'places'>,
): Promise<Meant> => {
  const state = await instanceMeant(home, given);
  if (state !== undefined && to === undefined && Object.keys(other.given).length === 0) {
    const stored = state.noticeId === null ? null : readNotice(instancePaths(home, state.name), state.noticeId);
    if (stored !== undefined) return { version: state.release.version, notice: stored };
  }
  const { product: name, version } = parseProductReference(given ?? defaultProduct);
  if (to !== undefined && version !== undefined) {
    throw new Failure('usage-option', `Both "@${version}" and --to ${to} name a version.`, 'Give one of them.');
  }
  const wanted = to ?? version ?? state?.release.version;
  const { product, release } = await fromCatalogue(
    world,
    state === undefined ? name : (state.manifest ?? state.product),
    wanted,
  ).catch((error: unknown) => {
    const stored = state === undefined ? undefined : storedOf(home, state, wanted);
    if (stored === undefined) throw error;
    return stored;
  });
  const { settings } = resolveSettings(product, {
    ...other,
    ...(state === undefined ? {} : { before: state.settings }),
  });
  return { version: release.version, notice: makeNotice(product, release, settings) };
};

type Found = Pick<StoredRelease, 'product' | 'release'>;

const fromCatalogue = async (world: World, name: string, version: string | undefined): Promise<Found> => {
  const product = await loadProduct(world, name);
  return { product, release: pickRelease(product, version) };
};

/** What a reinstall or a rollback would run although the catalogue has it no more. */
const storedOf = (home: string, { release, previous }: InstanceState, version: string | undefined): Found | undefined =>
  [release, ...(previous === null ? [] : [previous.release])]
    .filter((one) => one.version === version)
    .map((one) => findStored(home, one.product, one.version, one.digest))
    .find((found) => found !== undefined);

/** The installed instance of that name; without a name the only one there is, and none where nothing is installed. Throws 'usage-name' where several are. */
const instanceMeant = async (home: string, given: string | undefined): Promise<InstanceState | undefined> => {
  const names = listInstances(home);
  const meant = given === undefined && names.length > 0 ? await pickInstance(home, given) : given;
  const name = names.find((one) => one === meant);
  const state = name === undefined ? undefined : readState(instancePaths(home, name));
  return state?.installed === true ? state : undefined;
};
