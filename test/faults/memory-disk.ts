/** Filesystems in memory. They need root; outside of vitest's hooks, so whoever mounts takes care of the end. */

import { spawnSync } from 'node:child_process';
import { makeSandbox, removeSandbox } from '../support/sandbox.ts';

/** Why none can be mounted here. */
export const cannotMount = (): string | undefined => {
  const point = makeSandbox();
  try {
    const problem = mountTmpfs(point, 'size=1m');
    if (problem === undefined) unmount(point);
    return problem;
  } finally {
    removeSandbox(point);
  }
};

/** Mounts an empty one on the folder; what is wrong where that fails. `options` as for mount -o: `size=1m,nr_inodes=100`. */
export const mountTmpfs = (point: string, options: string): string | undefined => {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', point], { encoding: 'utf8' });
  return status === 0 ? undefined : `mounting is not possible here: ${stderr.trim()}`;
};

/** Gives a mounted one another size. */
export const resizeTmpfs = (point: string, options: string): void => {
  const { status, stderr } = spawnSync('mount', ['-o', `remount,${options}`, point], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
};

export const unmount = (point: string): void => void spawnSync('umount', ['--lazy', point]);

/** Has temporary folders made in memory meanwhile, at the point that `work` is told, where that can be mounted: a sync of everything then waits for nobody else's writing. */
export const inMemory = async (work: (point: string | undefined) => Promise<void>): Promise<void> => {
  const point = makeSandbox();
  const before = process.env.TMPDIR;
  const isMounted = mountTmpfs(point, 'mode=0755,size=4g') === undefined;
  if (isMounted) process.env.TMPDIR = point;
  try {
    await work(isMounted ? point : undefined);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    if (isMounted) unmount(point);
    removeSandbox(point);
  }
};
