/**
 * Whole trees: copied, brought up to date, removed, measured, digested.
 *
 * The work is done in a child process (tree-child.ts): with synchronous calls, which are ten times as fast for many small files, while
 * the progress display here lives on; and as the user who can write there. Root itself never works in a folder of another
 * user: where `as` is not said, the folder's owner does it. The child loads its code as we are and becomes that user before it touches
 * anything, so the user need not be able to read our program. It ends when we are gone, so that a recovery never meets it.
 *
 * Links are never followed, other filesystems never entered: what was left out is named in the result.
 */
import { existsSync, rmdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../errors.ts';
import type { Sha256 } from '../values.ts';
import { codeOf, makeFolder, type Owner, removeFile, statIfThere } from './files.ts';
import { minimalEnvironment } from './processes.ts';
import type { TreeAnswer, TreeLeft, TreeOrder, TreeRequest } from './tree-child.ts';

export interface TreeOptions {
  /** Who does it; counts only where we are root. Default: the folder's owner. */
  readonly as?: Owner;
  readonly onProgress?: (done: { readonly bytes: number; readonly files: number }) => void;
}

export interface TreeSize {
  /** On disk for a measured tree, copied for a copy. */
  readonly bytes: number;
  /** Files, folders and links: what takes an inode. */
  readonly files: number;
  /** What was not entered or not copied. */
  readonly left: readonly TreeLeft[];
}

/**
 * Copies the tree to `to`, which may exist empty: modes, times, links and, as root for root, owners; reflinks where the filesystem has them;
 * sockets, pipes and devices are left out. Written out to disk at the end. After an error what was copied so far stays.
 */
export const copyTree = async (from: string, to: string, options: TreeOptions = {}): Promise<TreeSize> => {
  const as = worker(from, options);
  if (as && !statIfThere(to)) makeFolder(to, { mode: 0o700, owner: as });
  return sizeOf(await ask({ job: 'copy', from: resolve(from), to: resolve(to) }, as, options));
};

/**
 * Makes the copy equal to `from` again, which nothing may change meanwhile. Only what changed since is copied: told by size, mode, owner and time,
 * and whatever changed within two seconds of being copied is copied again, since times are not fine enough to tell.
 */
export const updateTree = async (from: string, to: string, options: TreeOptions = {}): Promise<TreeSize> => {
  const as = worker(from, options);
  return sizeOf(await ask({ job: 'update', from: resolve(from), to: resolve(to) }, as, options));
};

/** Removes the tree; nothing happens where it is gone. What is mounted inside is left alone and named, with the folders above it. */
export const removeTree = async (
  path: string,
  options: TreeOptions = {},
): Promise<{ readonly left: readonly TreeLeft[] }> => {
  const stat = statIfThere(path);
  if (!stat) return { left: [] };
  if (stat.kind !== 'folder') {
    removeFile(path);
    return { left: [] };
  }
  const as = worker(path, options);
  const request: TreeRequest = { job: 'remove', path: resolve(path), keepTop: as !== undefined };
  for (let round = 1; ; round += 1) {
    const { left } = await ask(request, as, options);
    // The user may empty the folder, but not take it out of ours. Who fills it again meanwhile does not win by being quick once.
    if (as === undefined || left.length > 0 || removeEmptied(path)) return { left };
    if (round === 3) throw disturbed(new Error(`${path} is filled again while it is emptied`), as);
  }
};

/** What the tree takes on disk; files of several names count once. `changedMs`: when anything in it was last changed, in milliseconds of the epoch. */
export const measureTree = async (
  path: string,
  options: TreeOptions = {},
): Promise<TreeSize & { readonly changedMs: number }> => {
  const answer = await ask({ job: 'measure', path: resolve(path) }, worker(path, options), options);
  return { ...sizeOf(answer), changedMs: answer.changedMs ?? 0 };
};

/**
 * Sha256 over the tree's contents, sorted by the bytes of their paths: path, kind, mode, uid:gid, size and the file's sha256 or the link's target. The
 * folder itself is not in it, nor is what `except` names (paths relative to it). Throws for sockets, pipes, devices and mounts.
 */
export const digestTree = async (
  path: string,
  options: TreeOptions & { readonly except?: readonly string[] } = {},
): Promise<Sha256> => {
  const request: TreeRequest = { job: 'digest', path: resolve(path), except: options.except ?? [], asCopied: false };
  return (await ask(request, worker(path, options), options)).digest as Sha256;
};

/** The same for what a copy would have of it (no sockets, pipes, devices and mounts), and how much that is: bytes of contents, and entries. */
export const digestCopied = async (
  path: string,
  options: TreeOptions = {},
): Promise<{ readonly digest: Sha256; readonly bytes: number; readonly files: number }> => {
  const request: TreeRequest = { job: 'digest', path: resolve(path), except: [], asCopied: true };
  const { digest, bytes, files } = await ask(request, worker(path, options), options);
  return { digest: digest as Sha256, bytes, files };
};

const sizeOf = ({ bytes, files, left }: TreeAnswer): TreeSize => ({ bytes, files, left });

/** The user who does the work, where that isn't ourselves. */
const worker = (path: string, options: TreeOptions): Owner | undefined => {
  if (process.geteuid?.() !== 0) return undefined;
  const owner = options.as ?? statIfThere(path);
  return owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : undefined;
};

/** False where it is not empty. */
const removeEmptied = (path: string): boolean => {
  try {
    rmdirSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOTEMPTY') return false;
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  return true;
};

/** What happens to the work where another user changes the tree under it: that user's doing, and no bug of ours. */
const races: ReadonlySet<unknown> = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR', 'ELOOP']);

const disturbed = (error: Error, { uid }: Owner): Failure =>
  new Failure(
    'refused-check',
    `Something changes these files meanwhile: ${error.message}.`,
    `Look at what runs as user ${uid}, and end what does not belong there: ps -U ${uid} -o pid,args`,
    error,
  );

const ask = (request: TreeRequest, as: Owner | undefined, options: TreeOptions): Promise<TreeAnswer> => {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const command = ['--no-warnings', ownChild()];
  return new Promise((resolvePromise, reject) => {
    // In a session of its own: Ctrl-C is ours to hear.
    const child = spawn(process.execPath, command, {
      cwd: '/',
      env: minimalEnvironment,
      detached: true,
      stdio: 'pipe',
    });
    const heard = listen(child.stdout, options.onProgress);
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-4000);
    });
    child.on('error', reject);
    child.stdin.on('error', () => {}); // It died early: the end of its output tells more.
    child.on('close', (code, signal) => {
      const { answer, error } = heard();
      if (error) reject(as && races.has(codeOf(error)) ? disturbed(error, as) : error);
      else if (answer && code === 0) resolvePromise(answer);
      else if (signal !== null) reject(endedBy(signal, request));
      else reject(new Error(`${nameOf(request)} broke off (code ${code}). ${complaint.trim()}`));
    });
    child.stdin.end(JSON.stringify({ request, as, parent: process.pid } satisfies TreeOrder));
  });
};

/** Not by us: by whoever types `kill`, or by the kernel that has run out of memory. */
const endedBy = (signal: NodeJS.Signals, request: TreeRequest): Failure =>
  new Failure(
    'refused-check',
    `${nameOf(request)} was broken off by ${signal}.`,
    'Somebody has ended it, or the machine has run out of memory (journalctl -k tells). Mend the cause and try again.',
  );

const nameOf = (request: TreeRequest): string =>
  'path' in request ? `To ${request.job} ${request.path}` : `To ${request.job} ${request.from} to ${request.to}`;

/** Lines of JSON: progress as it comes, at last an answer or an error. */
const listen = (output: NodeJS.ReadableStream, onProgress: TreeOptions['onProgress']) => {
  let rest = '';
  let answer: TreeAnswer | undefined;
  let error: Error | undefined;
  output.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const said = JSON.parse(line) as { progress?: TreeAnswer; answer?: TreeAnswer; error?: { message: string } };
      if (said.progress) onProgress?.(said.progress);
      if (said.answer) answer = said.answer;
      if (said.error) error = Object.assign(new Error(said.error.message), said.error);
    }
  });
  return () => ({ answer, error });
};

/** Beside this code: the source in the tests; in the bundle this code may lie in a chunk, a folder below. */
const ownChild = (): string => {
  const here = dirname(fileURLToPath(import.meta.url));
  const candidates = [join(here, 'tree-child.ts'), join(here, 'tree-child.mjs'), join(dirname(here), 'tree-child.mjs')];
  const found = candidates.find((path) => existsSync(path));
  if (!found) throw new Error(`tree-child is missing beside ${here}`);
  return found;
};
