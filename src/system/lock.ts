/**
 * Locks that die with their holder, however it dies. The lock file is opened here, and `flock -x -n` locks the descriptor that
 * it inherits: the lock belongs to the open file, so it stays when flock has ended, and is gone the moment our process is.
 *
 * The file is never deleted, where its name is used again: two processes could hold locks on two files of one name. Children never get the descriptor (it is
 * opened close-on-exec), else the lock would outlive us. Who holds it is written into the file, in place, and only for people.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { Failure } from '../errors.ts';
import { codeOf, readIfThere, statIfThere } from './files.ts';
import { identify, isAlive, minimalEnvironment, type ProcessIdentity, sleep } from './processes.ts';

export interface LockHolder {
  readonly pid: number;
  /** The command line, for people. */
  readonly command: string;
  readonly step: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
}

export interface Lock {
  readonly path: string;
  /** Writes down what is being done now, for whoever finds the lock taken. */
  note(step: string): void;
  /** Once more does nothing. */
  release(): void;
}

export type LockAttempt = { readonly lock: Lock } | { readonly heldBy: LockHolder | undefined };

/** Takes the lock, or tells who has it (undefined where that can't be read). Failure where the file can't be trusted. */
export const tryLock = (path: string, holder: LockHolder): LockAttempt => {
  for (;;) {
    const fd = openLockFile(path);
    let locked = false;
    try {
      if (!flock(fd)) return { heldBy: readHolder(path) };
      locked = isStillAt(fd, path);
    } finally {
      if (!locked) closeSync(fd);
    }
    if (locked) return { lock: makeLock(fd, path, holder) };
  }
};

/** The same, but waits for its turn. After the time is over the answer is who has it. */
export const waitLock = async (path: string, holder: LockHolder, timeoutMs: number): Promise<LockAttempt> => {
  const end = performance.now() + timeoutMs;
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 100)) {
    const attempt = tryLock(path, holder);
    if ('lock' in attempt || performance.now() >= end) return attempt;
    await sleep(Math.min(pause, Math.max(1, end - performance.now())));
  }
};

/** Whether anybody has it now, be it one who can't be seen from here. */
export const isLocked = (path: string): boolean => {
  if (statIfThere(path) === undefined) return false;
  const fd = openLockFile(path);
  try {
    return !flock(fd);
  } finally {
    closeSync(fd);
  }
};

const openLockFile = (path: string): number => {
  const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;
  try {
    const fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
    const stat = fstatSync(fd);
    const isOurs = stat.isFile() && stat.nlink <= 1 && stat.uid === process.geteuid?.() && (stat.mode & 0o022) === 0;
    if (isOurs) return fd;
    closeSync(fd);
  } catch (error) {
    if (!['ELOOP', 'EACCES', 'EISDIR', 'ENXIO'].includes(codeOf(error) ?? '')) throw error;
    throw strangeLockFile(path, error);
  }
  throw strangeLockFile(path);
};

const strangeLockFile = (path: string, cause?: unknown): Failure => {
  const stat = statIfThere(path);
  const found = stat
    ? `a ${stat.kind} of the user with the number ${stat.uid}, mode ${stat.mode.toString(8)}`
    : 'not there';
  return new Failure(
    'refused-permission',
    `The lock file ${path} is not a file that only this user can write: it is ${found}.`,
    'Run assent as the user that owns the folder. If nothing of assent is running, look at the file, and remove it if it is not meant to be there.',
    cause,
  );
};

const flock = (fd: number): boolean => {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { status, error, stderr } = spawnSync('flock', ['-x', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
    env: minimalEnvironment,
    encoding: 'utf8',
  });
  if (codeOf(error) === 'ENOENT') {
    throw new Failure('refused-check', 'The command "flock" is missing.', 'Install the package util-linux.', error);
  }
  if (status === 0) return true;
  // 1 is "somebody else has it"; everything else is flock's own trouble, and no lock.
  if (status === 1 && !error) return false;
  throw error ?? new Error(`flock failed with code ${status}: ${stderr.trim()}`);
};

/** Whoever removed the whole folder while we waited has left us a lock on nothing. */
const isStillAt = (fd: number, path: string): boolean => {
  const held = fstatSync(fd);
  const there = statIfThere(path);
  return there !== undefined && there.dev === held.dev && there.ino === held.ino;
};

const makeLock = (fd: number, path: string, holder: LockHolder): Lock => {
  let open = true;
  const write = (step: string) => {
    // The new line first, the cut second: a reader in between finds a whole first line.
    const line = Buffer.from(`${JSON.stringify({ ...holder, step, process: identify(process.pid) })}\n`);
    try {
      writeSync(fd, line, 0, line.length, 0);
      ftruncateSync(fd, line.length);
    } catch {
      // The note is for people only: on a full disk there is a lock all the same.
    }
  };
  write(holder.step);
  return {
    path,
    note: (step) => {
      if (open) write(step);
    },
    release: () => {
      if (!open) return;
      open = false;
      try {
        // Names nobody any more, also where the file can't be cut.
        writeSync(fd, '\n', 0);
        ftruncateSync(fd, 0);
      } catch {
        // As above; and whoever releases a lock is at an end that this must not make another one.
      } finally {
        closeSync(fd);
      }
    },
  };
};

/** Who has noted in the lock file that he holds it, and lives. Only the lock itself is proof; this is for a word in time. */
export const notedHolder = (path: string): LockHolder | undefined => {
  const noted = parseHolder(readIfThere(path));
  return noted && isAlive(noted.identity) ? noted.holder : undefined;
};

/** Between the lock and the note there are some milliseconds, on a busy machine many, in which nobody is named yet. */
const readHolder = (path: string): LockHolder | undefined => {
  for (let attempt = 0; attempt < 30; attempt++) {
    const holder = notedHolder(path);
    if (holder !== undefined) return holder;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  return undefined;
};

const parseHolder = (text: string | undefined): { holder: LockHolder; identity: ProcessIdentity } | undefined => {
  try {
    const { process: identity, ...holder } = JSON.parse(text?.split('\n')[0] ?? '') as Record<string, unknown>;
    return isHolder(holder) && isIdentity(identity) ? { holder, identity } : undefined;
  } catch {
    return undefined;
  }
};

const isHolder = (value: Record<string, unknown>): value is Record<string, unknown> & LockHolder =>
  typeof value.pid === 'number' && ['command', 'step', 'startedAt'].every((key) => typeof value[key] === 'string');

const isIdentity = (value: unknown): value is ProcessIdentity =>
  typeof value === 'object' && value !== null && 'pid' in value && 'startTime' in value && 'bootId' in value;
