/**
 * Processes: who they are, and how they are started.
 *
 * A pid alone is nobody: numbers are used again. A process is told by pid, start time and boot. Zombies are gone: they only wait
 * to be counted. What we run gets an argument array, never a shell, and exactly the environment it is given; it runs in a
 * session of its own, so that a Ctrl-C at the terminal reaches only us and the step under way can finish.
 *
 * Light at the top: `status` comes here to identify a process. Running commands loads more, when it happens.
 */
import { closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { codeOf, type Owner } from './files.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the process's start, in digits. */
  readonly startTime: string;
  readonly bootId: string;
}

export interface DetachedOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Files that its output is appended to: made with mode 0640 for the owner, never reached through a link. */
  readonly stdout: string;
  readonly stderr: string;
  readonly owner?: Owner;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Exactly this, nothing of ours is added. Default: minimalEnvironment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** Who runs it; another than ourselves needs root. No other groups are kept. */
  readonly owner?: Owner;
  /** Of each output stream; default 16 MiB. The command is ended when it writes more. */
  readonly maxBytes?: number;
}

export interface RunResult {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** It wrote more than `maxBytes`. */
  readonly truncated: boolean;
}

/** What a command gets that needs nothing of the environment that we were started in. */
export const minimalEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
};

/** Source: /proc/PID/stat. Undefined when there is no such process, or only its remains. */
export const identify = (pid: number): ProcessIdentity | undefined => {
  const stat = readStat(pid);
  return stat && !stat.dead ? stat.identity : undefined;
};

/** Whether this very process still runs; a new one that got its number is another. */
export const isAlive = ({ pid, startTime, bootId }: ProcessIdentity): boolean => {
  const now = identify(pid);
  return now !== undefined && now.startTime === startTime && now.bootId === bootId;
};

/** Sends the signal if it is still that process; with `group` to the whole group that it leads. False when nobody was there to get it. */
export const signalProcess = (
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  { group = false }: { readonly group?: boolean } = {},
): boolean => {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(group ? -identity.pid : identity.pid, signal);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    throw error;
  }
};

/** Whether it was gone before the time was over. */
export const waitGone = async (identity: ProcessIdentity, timeoutMs: number): Promise<boolean> => {
  const end = performance.now() + timeoutMs;
  for (let pause = 5; isAlive(identity); pause = Math.min(pause * 2, 50)) {
    if (performance.now() >= end) return false;
    await sleep(pause);
  }
  return true;
};

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts a process that outlives us, leading a session and group of its own. Throws where it can't be started. */
export const startDetached = (command: readonly string[], options: DetachedOptions): ProcessIdentity => {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const [file, ...args] = parts(command);
  const outputs = [openOutput(options.stdout, options.owner), openOutput(options.stderr, options.owner)] as const;
  try {
    const { cwd, env, owner } = options;
    const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', ...outputs], ...owner });
    // Where it failed to start, the event comes later and says no more than the missing pid does.
    child.once('error', () => {});
    child.unref();
    // Even if it died at once: nobody has collected it yet, so it can still be read.
    const stat = child.pid === undefined ? undefined : readStat(child.pid);
    if (!stat) throw new Error(`Could not start ${file}: is it there, and may it be executed?`);
    return stat.identity;
  } finally {
    for (const fd of outputs) closeSync(fd);
  }
};

/**
 * Runs a command to its end. A code other than 0 is a result, not an error; a command that can't be started throws the system's error (ENOENT, EACCES).
 * After `timeoutMs` its whole group is ended: SIGTERM, two seconds later SIGKILL.
 */
export const run = async (command: readonly string[], options: RunOptions = {}): Promise<RunResult> => {
  const { execa } = await import('execa');
  const [file, ...args] = parts(command);
  const { cwd, env = minimalEnvironment, input, timeoutMs, owner, maxBytes = defaultMaxBytes } = options;
  const child = execa(file, args, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    ...owner,
    env,
    extendEnv: false,
    detached: true,
    reject: false,
    stripFinalNewline: false,
    maxBuffer: maxBytes,
  });
  const deadline = endGroupAfter(child.pid, timeoutMs);
  const result = await child.finally(() => deadline.clear());
  if (result.exitCode === undefined && result.signal === undefined && !result.isMaxBuffer) {
    throw result.cause instanceof Error ? result.cause : new Error(`Could not start ${file}`);
  }
  return {
    code: result.exitCode ?? null,
    signal: result.signal ?? null,
    stdout: result.stdout ?? '',
    stderr: result.stderr ?? '',
    timedOut: deadline.passed(),
    truncated: result.isMaxBuffer,
  };
};

/** The same while everything else waits, for paths that must stay light. Only the process itself is ended at the timeout. */
export const runSync = (command: readonly string[], options: RunOptions = {}): RunResult => {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const [file, ...args] = parts(command);
  const { cwd, env = minimalEnvironment, input, timeoutMs, owner, maxBytes = defaultMaxBytes } = options;
  const result = spawnSync(file, args, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? {} : { input }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: 'SIGKILL' as const }),
    ...owner,
    env,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    maxBuffer: maxBytes,
    encoding: 'utf8',
  });
  const failure = codeOf(result.error);
  if (result.error && failure !== 'ETIMEDOUT' && failure !== 'ENOBUFS') throw result.error;
  const { status, signal, stdout, stderr } = result;
  return { code: status, signal, stdout, stderr, timedOut: failure === 'ETIMEDOUT', truncated: failure === 'ENOBUFS' };
};

const defaultMaxBytes = 16 * 1024 * 1024;

const parts = (command: readonly string[]): [string, ...string[]] => {
  const [file, ...args] = command;
  if (file === undefined) throw new Error('No command to run');
  return [file, ...args];
};

const endGroupAfter = (pid: number | undefined, timeoutMs: number | undefined) => {
  let passed = false;
  let timer: NodeJS.Timeout | undefined;
  const end = (signal: 'SIGTERM' | 'SIGKILL') => {
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // It ended by itself in this very moment.
    }
  };
  if (timeoutMs !== undefined) {
    timer = setTimeout(() => {
      passed = true;
      end('SIGTERM');
      timer = setTimeout(end, 2000, 'SIGKILL');
    }, timeoutMs);
  }
  return { clear: () => clearTimeout(timer), passed: () => passed };
};

const openOutput = (path: string, owner: Owner | undefined): number => {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o640);
  const stat = fstatSync(fd);
  // The log's folder may belong to the server's user, who could have put another name of somebody else's file there.
  const isOurs = stat.isFile() && stat.nlink === 1;
  if (!isOurs) {
    closeSync(fd);
    throw new Error(`Not a regular file with one name: ${path}`);
  }
  if (owner && (stat.uid !== owner.uid || stat.gid !== owner.gid)) fchownSync(fd, owner.uid, owner.gid);
  if ((stat.mode & 0o027) !== 0) fchmodSync(fd, 0o640);
  return fd;
};

interface ProcessStat {
  readonly identity: ProcessIdentity;
  readonly dead: boolean;
}

/** The second field is the command in parentheses, and may hold spaces and parentheses itself: the rest begins after the last one. */
const readStat = (pid: number): ProcessStat | undefined => {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const text = readProc(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const [state, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const startTime = rest[18];
  if (startTime === undefined) return undefined;
  const dead = state === 'Z' || state === 'X' || state === 'x';
  return { identity: { pid, startTime, bootId: bootId() }, dead };
};

let knownBootId: string | undefined;

const bootId = (): string => {
  knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return knownBootId;
};

/** A process that ends while it is read gives ESRCH. */
const readProc = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
};
