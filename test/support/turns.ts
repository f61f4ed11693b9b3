/** What tests do one after the other, also those of other processes. */

import { waitLock } from '../../src/system/lock.ts';

/** Does the work while it holds the lock of that path. Throws, naming the process, where another one holds it for ten minutes. */
export const inTurn = async <T>(path: string, step: string, work: () => Promise<T>): Promise<T> => {
  const holder = { pid: process.pid, command: 'vitest', step, startedAt: new Date().toISOString() };
  const attempt = await waitLock(path, holder, patienceMs);
  if (!('lock' in attempt)) throw new Error(`${path} is held by process ${attempt.heldBy?.pid} for long`);
  try {
    return await work();
  } finally {
    attempt.lock.release();
  }
};

/** As long as a hook may take. */
const patienceMs = 590_000;
