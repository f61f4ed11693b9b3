/**
 * A few threads that unpack and seal (release-worker.ts), started for one piece of work and ended with it.
 *
 * Jobs are taken in the order they are given, each by the first thread that is free. A thread that dies fails the job that it had;
 * a job that throws there throws here, with the system's error code.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { ReleaseAnswer, ReleaseJob } from './release-worker.ts';
import type { Sealed, SealJob } from './seal.ts';
import type { Unpacked, UnpackJob } from './unpack.ts';
import type { UnpackDebsJob } from './unpack-debs.ts';

export interface ReleaseWorkers {
  unpack(job: UnpackJob): Promise<Unpacked>;
  unpackDebs(job: UnpackDebsJob): Promise<Unpacked>;
  seal(job: SealJob): Promise<Sealed>;
}

interface Waiting {
  readonly job: ReleaseJob;
  readonly resolve: (answer: ReleaseAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs `work` with that many threads and ends them, whatever comes of it. */
export const withReleaseWorkers = async <T>(
  count: number,
  work: (workers: ReleaseWorkers) => Promise<T>,
): Promise<T> => {
  const pool = startPool(count);
  try {
    return await work({
      unpack: async (job) => {
        const answer = await pool.ask({ job: 'unpack', ...job });
        if ('unpacked' in answer) return answer.unpacked;
        throw errorOf(answer);
      },
      unpackDebs: async (job) => {
        const answer = await pool.ask({ job: 'unpack-debs', ...job });
        if ('unpacked' in answer) return answer.unpacked;
        throw errorOf(answer);
      },
      seal: async (job) => {
        const answer = await pool.ask({ job: 'seal', ...job });
        if ('sealed' in answer) return answer.sealed;
        throw errorOf(answer);
      },
    });
  } finally {
    await pool.end();
  }
};

/** How many processors there are to share the work. */
export const processorCount = (): number => availableParallelism();

const startPool = (count: number) => {
  const queue: Waiting[] = [];
  const idle: Worker[] = [];
  const busy = new Map<Worker, Waiting>();
  const all = new Set<Worker>();
  const next = (): void => {
    const waiting = queue[0];
    if (waiting === undefined) return;
    const worker = idle.pop() ?? (all.size < count ? start() : undefined);
    if (worker === undefined) return;
    queue.shift();
    busy.set(worker, waiting);
    worker.postMessage(waiting.job);
  };
  const finish = (worker: Worker, how: (waiting: Waiting) => void): void => {
    const waiting = busy.get(worker);
    busy.delete(worker);
    if (waiting) how(waiting);
    next();
  };
  const start = (): Worker => {
    const worker = new Worker(workerFile(), { stdout: false, stderr: false });
    all.add(worker);
    worker.on('message', (answer: ReleaseAnswer) => {
      idle.push(worker);
      finish(worker, (waiting) => waiting.resolve(answer));
    });
    worker.on('error', (error) => {
      all.delete(worker);
      finish(worker, (waiting) => waiting.reject(error));
    });
    return worker;
  };
  const ask = (job: ReleaseJob): Promise<ReleaseAnswer> =>
    new Promise((resolve, reject) => {
      queue.push({ job, resolve, reject });
      next();
    });
  const end = async (): Promise<void> => {
    queue.length = 0;
    await Promise.all([...all].map((worker) => worker.terminate()));
  };
  return { ask, end };
};

const errorOf = (answer: ReleaseAnswer): Error => {
  const { message, ...rest } = 'error' in answer ? answer.error : { message: 'the thread answered something else' };
  return Object.assign(new Error(message), rest);
};

/** Beside this code: the source in the tests; in the bundle this code may lie in a chunk, a folder below. */
const workerFile = (): string => {
  const here = dirname(fileURLToPath(import.meta.url));
  const candidates = [
    join(here, 'release-worker.ts'),
    join(here, 'release-worker.mjs'),
    join(dirname(here), 'release-worker.mjs'),
  ];
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`release-worker is missing beside ${here}`);
  return found;
};
