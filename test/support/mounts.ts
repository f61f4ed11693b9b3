/**
 * Filesystems of their own for a test: they need root, and a kernel that lets us mount. Where that is missing the test is skipped, saying why.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { sandbox } from './sandbox.ts';

type Skip = (note: string) => unknown;

/** Mounts a tmpfs on a new folder for the rest of the test. `options` as for mount -o: `size=1m`. */
export const mountTmpfs = (skip: Skip, point: string, options: string): void =>
  mount(skip, point, ['-t', 'tmpfs', '-o', options, 'tmpfs', point]);

/** The same folder at a second place: one device number, but a mount of its own. */
export const mountBind = (skip: Skip, from: string, point: string): void => mount(skip, point, ['--bind', from, point]);

/** Runs something on a disk of one megabyte. */
export const withTinyDisk = <T>(skip: Skip, use: (disk: string) => T): T => {
  const disk = join(sandbox(), 'disk');
  mkdirSync(disk);
  mountTmpfs(skip, disk, 'size=1m,mode=0755');
  return use(disk);
};

const mount = (skip: Skip, point: string, args: string[]): void => {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) skip(`mounting is not possible here: ${stderr.trim()}`);
  onTestFinished(() => {
    spawnSync('umount', ['--lazy', point]);
  });
};
