/** What is followed for an instance: the log that its installed release names, and the counters of the notice that was agreed to. */

import { join } from 'node:path';
import { readNotice } from '../../consent/notice-file.ts';
import type { InstancePaths } from '../../instance/paths.ts';
import { readState } from '../../instance/state.ts';
import type { AccessLog, CounterDeclaration } from '../../product/manifest.ts';
import { findStored } from '../../release/store.ts';

export interface Followed {
  readonly log: AccessLog;
  readonly path: string;
  /** Whether `path` is a socket of ours, to which the server sends. */
  readonly isSocket: boolean;
  /** Where it has to lie. */
  readonly folder: string;
  readonly counters: readonly CounterDeclaration[];
}

/** Undefined where nothing is to be followed: another kind of product, or a release or notice that is not there. */
export const followedOf = (paths: InstancePaths): Followed | undefined => {
  const state = readState(paths);
  if (state === undefined || state.noticeId === null) return undefined;
  const { product, version, digest } = state.release;
  const log = findStored(paths.home, product, version, digest)?.product.telemetry?.accessLog;
  const notice = readNotice(paths, state.noticeId);
  if (log === undefined || notice === undefined) return undefined;
  const { counters } = notice;
  if (log.file === undefined) return { log, isSocket: true, folder: paths.counts, path: paths.requests, counters };
  const [, below = ''] = /^\{\{data\}\}\/(.+)$/.exec(log.file) ?? [];
  return { log, isSocket: false, folder: paths.data, path: join(paths.data, below), counters };
};
