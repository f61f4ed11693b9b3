/**
 * What a change needs of each filesystem, added up from real sizes, and whether that is there: before anything changes,
 * and again before the switch.
 */

import { Failure } from '../errors.ts';
import { scratchFolder } from '../instance/scratch.ts';
import { homePaths } from '../release/layout.ts';
import { freeSpace } from '../system/space.ts';
import type { SpaceNeed } from './plan.ts';
import type { Survey } from './survey.ts';
import type { Target } from './target.ts';

export interface Amount {
  readonly path: string;
  readonly bytes: number;
  readonly inodes: number;
}

/** For journal, state, logs and whatever a server writes at its first start. */
const slack = { bytes: 16 * 1024 ** 2, inodes: 200 };
const runtimeSize = { bytes: 190 * 1024 ** 2, inodes: 4000 };
const programSize = { bytes: 130 * 1024 ** 2, inodes: 200 };
/** File systems round up; compilers leave more than they were given. */
const margin = 1.1;

/** The amounts by the folder they go to. `rehearses`: the data is copied once more, and goes again before the change. */
export const amountsOf = (home: string, target: Target, found: Survey, rehearses = false): Amount[] => {
  const { releases, runtimes, cache } = homePaths(home);
  const { size } = target.release;
  const fetches = target.kind !== 'uninstall' && found.stored === undefined;
  const copied = found.data?.size;
  const stale = found.data?.stale ?? { bytes: 0, files: 0 };
  return [
    { path: target.paths.folder, ...slack },
    ...(fetches ? [{ path: releases, bytes: size.installed * margin, inodes: size.files * margin }] : []),
    ...(fetches ? [{ path: cache, bytes: size.download * margin, inodes: 1000 }] : []),
    ...(found.runtimeThere || target.kind === 'uninstall' ? [] : [{ path: runtimes, ...runtimeSize }]),
    ...(found.programThere ? [] : [{ path: runtimes, ...programSize }]),
    // On the filesystem of the runtimes it is second names only.
    ...(found.recoveryThere || isOneFilesystem(runtimes, target.paths.folder)
      ? []
      : [{ path: target.paths.folder, ...programSize }]),
    ...(copied ? [copyOf(target.paths.folder, copied)] : []),
    ...(rehearses
      ? [{ path: scratchFolder(home), bytes: (copied?.bytes ?? 0) * margin, inodes: (copied?.files ?? 0) + 100 }]
      : []),
    // Goes before the new copy is made.
    { path: target.paths.folder, bytes: -stale.bytes, inodes: -stale.files },
  ];
};

const copyOf = (path: string, { bytes, files }: { bytes: number; files: number }): Amount => ({
  path,
  bytes: bytes * margin,
  inodes: files,
});

/** What lacks for a change that needs nothing but a copy of data of that size in the folder; undefined where there is enough. */
export const lackingForCopy = (folder: string, size: { bytes: number; files: number }): string | undefined => {
  const lacking = spaceNeeds([{ path: folder, ...slack }, copyOf(folder, size)]).filter(lacks);
  return lacking.length === 0 ? undefined : lacking.map(describe).join('; ');
};

const isOneFilesystem = (one: string, other: string): boolean => freeSpace(one).device === freeSpace(other).device;

/** One need per filesystem. */
export const spaceNeeds = (amounts: readonly Amount[]): SpaceNeed[] => {
  const needs = new Map<number, SpaceNeed>();
  for (const { path, bytes, inodes } of amounts) {
    const free = freeSpace(path);
    const before = needs.get(free.device);
    needs.set(free.device, {
      mount: free.mount,
      bytes: Math.ceil((before?.bytes ?? 0) + bytes),
      inodes: Math.ceil((before?.inodes ?? 0) + inodes),
      freeBytes: free.bytes,
      freeInodes: free.inodes,
    });
  }
  return [...needs.values()].map((need) => ({
    ...need,
    bytes: Math.max(0, need.bytes),
    inodes: Math.max(0, need.inodes),
  }));
};

export const isEnough = (needs: readonly SpaceNeed[]): boolean => !needs.some(lacks);

/** Throws 'refused-space', naming every filesystem that lacks something. */
export const refuseWithoutSpace = (needs: readonly SpaceNeed[]): void => {
  const lacking = needs.filter(lacks);
  if (lacking.length === 0) return;
  throw new Failure(
    'refused-space',
    `There is not enough space: ${lacking.map(describe).join('; ')}.`,
    'Nothing was changed. Make room there, or choose another place with --home DIR.',
  );
};

const lacks = (need: SpaceNeed): boolean =>
  need.bytes > need.freeBytes || (need.freeInodes !== null && need.inodes > need.freeInodes);

const describe = (need: SpaceNeed): string =>
  need.bytes > need.freeBytes
    ? `${need.mount} has ${megabytes(need.freeBytes)} free, ${megabytes(need.bytes)} are needed`
    : `${need.mount} has ${need.freeInodes} inodes free, ${need.inodes} are needed`;

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;
