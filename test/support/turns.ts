/** What tests, also of other processes, do one after the other. */

import { join } from 'node:path';
import { waitLock } from '../../src/system/lock.ts';
import { repository } from './seed.ts';

/**
 * First installations of root: two of them at once may choose one number for their system users, and then one of them is refused. Beside the test store, which
 * is there before any of them.
 */
export const firstInTurn = async <T>(install: () => Promise<T>): Promise<T> => {
  const holder = { pid: process.pid, command: 'vitest', step: 'installing', startedAt: new Date().toISOString() };
  const attempt = await waitLock(join(repository, '.test-store/users.lock'), holder, patienceMs);
  if (!('lock' in attempt)) throw new Error(`Process ${attempt.heldBy?.pid} has been installing as root for long`);
  try {
    return await install();
  } finally {
    attempt.lock.release();
  }
};

const patienceMs = 240_000;
