/**
 * What a run of the command finds around it. Made once, by main, and handed to everybody as an argument: no other room asks the
 * clock, the environment, the terminal or chance by itself, so that all of them can be run in any world.
 *
 * Members are worked out when they are first looked at: `status` needs few of them.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isTerminal } from './terminal.ts';

export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  now(): Date;
  random(bytes: number): Buffer;
  /** `login` is who typed the command: SUDO_USER under sudo, else the name. A user without a name goes by the number. */
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string; readonly login: string };
  /** 64 hex digits that stay the same on this machine. They never leave it. */
  readonly machineId: string;
  readonly cwd: string;
  /** `x64`, `arm64` or another of Node's names. */
  readonly arch: string;
  /** `linux` or another of Node's names. */
  readonly platform: string;
  readonly libc: 'glibc' | 'other';
  readonly terminal: Terminal;
  /** The folder of the running program: holds bin/, dist/, products/, package.json. */
  readonly program: string;
  readonly pid: number;
}

export interface Terminal {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** 80 and 24 where there is no terminal. Looked up anew each time: windows change their size. */
  readonly columns: number;
  readonly rows: number;
}

export const realWorld = (): World => {
  const machineId = once(findMachineId);
  const user = once(findOurUser);
  const libc = once(findLibc);
  const program = once(() => findProgram(dirname(fileURLToPath(import.meta.url))));
  return {
    env: process.env,
    now: () => new Date(),
    random: (bytes) => process.getBuiltinModule('node:crypto').randomBytes(bytes),
    get user() {
      return user();
    },
    get machineId() {
      return machineId();
    },
    cwd: process.cwd(),
    arch: process.arch,
    platform: process.platform,
    get libc() {
      return libc();
    },
    terminal: realTerminal(),
    get program() {
      return program();
    },
    pid: process.pid,
  };
};

const realTerminal = (): Terminal => {
  const [stdin, stdout, stderr] = [isTerminal(0), isTerminal(1), isTerminal(2)];
  const shown = () => (stdout ? process.stdout : stderr ? process.stderr : undefined);
  return {
    stdin,
    stdout,
    stderr,
    get columns() {
      return shown()?.columns || 80;
    },
    get rows() {
      return shown()?.rows || 24;
    },
  };
};

const findOurUser = (): World['user'] => {
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  const name = ourName() ?? String(uid);
  const { SUDO_USER } = process.env;
  const login = uid === 0 && SUDO_USER && /^[\w.@-]{1,64}$/.test(SUDO_USER) ? SUDO_USER : name;
  return { uid, gid, name, login };
};

/** A container's user often has no entry in the list of users; then the system has no name for it. */
const ourName = (): string | undefined => {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
};

/** Containers and images that were never booted have no id of their own: there the host's name and the number of its root's device do. */
const findMachineId = (): string => {
  const id = ['/etc/machine-id', '/var/lib/dbus/machine-id'].map(readFirst).find((text) => /^[0-9a-f]{32}$/.test(text));
  const source = id ?? `${hostname()} ${statSync('/').dev}`;
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(source).digest('hex');
};

/** Which C library this very process runs on: Alpine's Node maps musl even where a compatibility layer pretends to be glibc. */
const findLibc = (): 'glibc' | 'other' => {
  const maps = readFirst('/proc/self/maps');
  if (/\/ld-musl-/.test(maps)) return 'other';
  return /\/libc\.so\.6\b|\/libc-2\.\d+\.so\b/.test(maps) ||
    existsSync('/lib64/ld-linux-x86-64.so.2') ||
    existsSync('/lib/ld-linux-aarch64.so.1')
    ? 'glibc'
    : 'other';
};

/** /etc/machine-id may be a link, so it is read through whatever it points at. */
const readFirst = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};

/** The nearest folder above this code that holds a package.json: the same for sources, the bundle and its chunks. */
const findProgram = (folder: string): string => {
  if (existsSync(join(folder, 'package.json')) || folder === '/') return folder;
  return findProgram(dirname(folder));
};

const once = <T>(find: () => T): (() => T) => {
  let found: { value: T } | undefined;
  return () => {
    found ??= { value: find() };
    return found.value;
  };
};
