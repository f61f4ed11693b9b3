/**
 * The child process that works in trees for tree.ts: one job, asked for as JSON on stdin, answered by lines of JSON on stdout:
 * `{progress}` about ten times a second, at last `{answer}` or `{error}` with the system's code and a path that people can read.
 *
 * It becomes the user whose tree it is before it looks at anything. When whoever asked is gone it ends: that is looked at before every file and every
 * quarter of a megabyte.
 */
import { readFileSync, writeSync } from 'node:fs';
import { codeOf, type Owner, syncTree } from './files.ts';
import { copyInto, updateInto } from './tree-copy.ts';
import { type DigestChoice, digestOf } from './tree-digest.ts';
import { measure } from './tree-measure.ts';
import { removeTop } from './tree-remove.ts';
import { readable, type Tally, type TreeLeft } from './tree-walk.ts';

export type { TreeLeft } from './tree-walk.ts';

export type TreeRequest =
  | { readonly job: 'copy' | 'update'; readonly from: string; readonly to: string }
  | { readonly job: 'remove'; readonly path: string; readonly keepTop: boolean }
  | { readonly job: 'measure'; readonly path: string }
  | ({ readonly job: 'digest'; readonly path: string } & DigestChoice);

/** What comes on stdin. */
export interface TreeOrder {
  readonly request: TreeRequest;
  /** Whom to become; only root can. */
  readonly as: Owner | undefined;
  /** The process that asks: when it is no longer our parent, nobody waits for us. */
  readonly parent: number;
}

export interface TreeAnswer {
  readonly bytes: number;
  readonly files: number;
  readonly left: readonly TreeLeft[];
  /** Of a measuring only. */
  readonly changedMs?: number;
  /** Of a digest only: 64 hex digits. */
  readonly digest?: string;
}

const main = (): void => {
  const { request, as, parent } = JSON.parse(readFileSync(0, 'utf8')) as TreeOrder;
  const tally = makeTally(parent);
  try {
    if (as) become(as);
    const digest = perform(request, tally);
    const { bytes, files, left, changedMs } = tally;
    say({ answer: { bytes, files, left, changedMs, ...(digest === undefined ? {} : { digest }) } });
  } catch (error) {
    const { message, ...rest } = readable(error);
    say({ error: { message, ...rest, code: codeOf(error) } });
    process.exitCode = 1;
  }
};

/** All groups first, the user last: afterwards there is no right left to do either, and no way back. */
const become = ({ uid, gid }: Owner): void => {
  process.setgroups?.([]);
  process.setgid?.(gid);
  process.setuid?.(uid);
};

const perform = (request: TreeRequest, tally: Tally): string | undefined => {
  switch (request.job) {
    case 'copy':
    case 'update':
      (request.job === 'copy' ? copyInto : updateInto)(request.from, request.to, tally);
      syncTree(request.to);
      return undefined;
    case 'remove':
      removeTop(request.path, request.keepTop, tally);
      return undefined;
    case 'measure':
      measure(request.path, tally);
      return undefined;
    case 'digest':
      return digestOf(request.path, request, tally);
  }
};

const makeTally = (parent: number): Tally => {
  const tally = { bytes: 0, files: 0, changedMs: 0, left: [] as TreeLeft[], count: (_bytes: number, _files = 1) => {} };
  let said = performance.now();
  tally.count = (bytes, files = 1) => {
    if (process.ppid !== parent) process.exit(1);
    tally.bytes += bytes;
    tally.files += files;
    const now = performance.now();
    if (now - said < 100) return;
    said = now;
    say({ progress: { bytes: tally.bytes, files: tally.files } });
  };
  return tally;
};

const say = (line: object): void => {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
};

main();
