/**
 * Free space, per filesystem: plans add up what goes to one device, whatever its folders are called.
 */
import { realpathSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { codeOf } from './files.ts';
import { listMounts, mountPointOf } from './mounts.ts';

export interface FreeSpace {
  /** Number of the device: equal for paths of one filesystem. */
  readonly device: number;
  readonly mount: string;
  /** Bytes that we can still use: without the blocks reserved for root. */
  readonly bytes: number;
  /** Files and folders that can still be made; null where the filesystem has no such limit. */
  readonly inodes: number | null;
}

/** Of the filesystem that the path is on, or would be on: the nearest folder above it that exists counts. */
export const freeSpace = (path: string): FreeSpace => {
  const folder = nearestExisting(resolve(path));
  const { bavail, bsize, files, ffree } = statfsSync(folder, { bigint: true });
  return {
    device: statSync(folder).dev,
    mount: mountPointOf(folder, listMounts()),
    bytes: Number(bavail * bsize),
    inodes: files === 0n ? null : Number(ffree),
  };
};

const nearestExisting = (path: string): string => {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '') || path === '/') throw error;
    return nearestExisting(dirname(path));
  }
};
