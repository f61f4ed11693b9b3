/**
 * What /proc tells about processes of this machine: who belongs to whom, with which arguments, as whom, listening where.
 *
 * Everything here is a look at one moment. A process may be gone by the time it is signalled, so entries carry the start time,
 * and signals go out through signalProcess, which looks again. What can't be seen (another user's environment) is simply not told.
 */

import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** 0 where the process has no controlling terminal. */
  readonly terminal: number;
  /** As in ProcessIdentity. */
  readonly startTime: string;
}

/** Every process that is more than a zombie. */
export const listProcesses = (): ProcessEntry[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processEntry(Number(name)))
    .filter((entry) => entry !== undefined);

export const processEntry = (pid: number): ProcessEntry | undefined => {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command's name is in parentheses and may hold anything, so fields are counted from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const at = (index: number): number => Number(fields[index]);
  return { pid, parent: at(1), group: at(2), session: at(3), terminal: at(4), startTime: String(fields[19]) };
};

/** When the process was started, in milliseconds since 1970. The kernel counts it from the boot, in hundredths of a second. */
export const startedAt = (now: Date, { startTime }: Pick<ProcessEntry, 'startTime'>): number => {
  const upSeconds = Number((readProc('/proc/uptime') ?? '').split(' ')[0]);
  return now.getTime() - upSeconds * 1000 + Number(startTime) * 10;
};

/** How many files and connections a process may have open; undefined where that can't be seen, infinite where there is no limit. */
export const openFilesLimit = (pid: number): number | undefined => {
  const soft = /^Max open files\s+(\S+)/m.exec(readProc(`/proc/${pid}/limits`) ?? '')?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
};

/** The arguments, the program's name first; empty where they can't be seen. */
export const argumentsOf = (pid: number): string[] => splitZero(readProc(`/proc/${pid}/cmdline`));

/** The environment that the process was started with; empty where it can't be seen. */
export const environmentOf = (pid: number): Record<string, string> =>
  Object.fromEntries(
    splitZero(readProc(`/proc/${pid}/environ`)).map((entry) => {
      const at = entry.indexOf('=');
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );

/** Whether some process but ours holds something open at or below one of these paths, also what was deleted since. What we may not look into counts as closed. */
export const isHeldOpen = (paths: readonly string[]): boolean =>
  listProcesses().some(
    ({ pid }) => pid !== process.pid && openPaths(pid).some((open) => paths.some((path) => open.startsWith(path))),
  );

const openPaths = (pid: number): string[] => {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
};

/** The user that the process runs as, or undefined where it is gone. */
export const ownerOf = (pid: number): number | undefined => {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return undefined;
  }
};

/** Inodes of the sockets that listen on a TCP port, whatever the address. */
export const listeningSockets = (port: number): Set<string> => {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (readProc(table) ?? '').split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === '0A' && local?.endsWith(`:${wanted}`) && inode !== undefined) inodes.add(inode);
    }
  }
  return inodes;
};

/** Whether the process holds one of the sockets: undefined where its descriptors can't be seen. */
export const holdsSocket = (pid: number, inodes: ReadonlySet<string>): boolean | undefined => {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    });
  } catch {
    return undefined;
  }
};

const linkOf = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};

const splitZero = (text: string | undefined): string[] => (text === undefined ? [] : text.split('\0').slice(0, -1));

const readProc = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};
