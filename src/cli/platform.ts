/** Assent is for Linux with glibc, on x64 and arm64. Elsewhere it says so in one sentence and does nothing. */

import { Failure } from '../errors.ts';
import type { World } from '../system/world.ts';

/** Throws 'refused-platform'. Which C library it is costs a look at the disk, and is asked only where something is going to be changed. */
export const refuseForeignPlatform = (world: Pick<World, 'platform' | 'arch' | 'libc'>, changes: boolean): void => {
  const known = world.platform === 'linux' && ['x64', 'arm64'].includes(world.arch);
  if (known && (!changes || world.libc === 'glibc')) return;
  const here = known ? 'Linux without glibc' : `${world.platform} on ${world.arch}`;
  throw new Failure(
    'refused-platform',
    `Assent runs on Linux with glibc, on x64 and arm64, and this is ${here}.`,
    'Nothing was changed. Use it on a server of that kind.',
  );
};
