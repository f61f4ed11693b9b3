/**
 * A thread that unpacks archives and seals trees, one job at a time, so that the progress display of the main thread lives on
 * while thousands of small files are written with synchronous calls.
 */
import { parentPort } from 'node:worker_threads';
import { type Sealed, type SealJob, seal } from './seal.ts';
import { type Unpacked, type UnpackJob, unpack } from './unpack.ts';
import { type UnpackDebsJob, unpackDebs } from './unpack-debs.ts';

export type ReleaseJob =
  | ({ readonly job: 'unpack' } & UnpackJob)
  | ({ readonly job: 'unpack-debs' } & UnpackDebsJob)
  | ({ readonly job: 'seal' } & SealJob);
export type ReleaseAnswer =
  | { readonly unpacked: Unpacked }
  | { readonly sealed: Sealed }
  | { readonly error: { message: string; code?: string } };

const answer = (job: ReleaseJob): ReleaseAnswer => {
  try {
    if (job.job === 'unpack') return { unpacked: unpack(job) };
    return job.job === 'unpack-debs' ? { unpacked: unpackDebs(job) } : { sealed: seal(job) };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { error: { message, ...(code === undefined ? {} : { code }) } };
  }
};

parentPort?.on('message', (job: ReleaseJob) => parentPort?.postMessage(answer(job)));
