/**
 * Everything of a server that still runs, and how it is ended: also what left its process group, and what a supervisor
 * that was killed left behind.
 *
 * A process belongs to the server if it is in the session or group that the main process leads, descends from it, or carries the
 * server's environment: HOME is the data folder and PATH begins in our runtimes, which is true of nobody's shell. As root only processes of the
 * server's own account count: whatever a file says, root signals nobody else's.
 */

import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { environmentOf, listProcesses, ownerOf, type ProcessEntry } from '../system/process-table.ts';
import { identify, isAlive, type ProcessIdentity, signalProcess, sleep } from '../system/processes.ts';
import type { ServiceSpec } from './spec.ts';

/** The processes of the server; `main` is its main process, where it is known. */
export const survivors = (spec: ServiceSpec, main: ProcessIdentity | null): ProcessIdentity[] => {
  const uid = spec.account?.uid ?? spec.host.uid;
  const table = listProcesses().filter((entry) => ownerOf(entry.pid) === uid);
  const family = main !== null && leads(main) ? familyOf(table, main.pid) : new Set<number>();
  return table
    .filter((entry) => family.has(entry.pid) || (entry.terminal === 0 && carriesOurs(entry, spec)))
    .map((entry) => identify(entry.pid))
    .filter((identity) => identity !== undefined);
};

/**
 * Ends the server: its own stop signal to all of it, KILL for what is left after its time. Returns when nothing is left;
 * Failure 'refused-check' where something survives KILL for ten seconds (a process that hangs in the kernel).
 */
export const endServer = async (spec: ServiceSpec, main: ProcessIdentity | null): Promise<void> => {
  const known = new Map<number, ProcessIdentity>();
  const signalled = new Set<string>();
  const look = (): ProcessIdentity[] => {
    for (const identity of survivors(spec, main)) known.set(identity.pid, identity);
    return [...known.values()].filter(isAlive);
  };
  const signalNew = (signal: NodeJS.Signals): void => {
    for (const identity of look()) {
      const key = `${signal} ${identity.pid} ${identity.startTime}`;
      if (!signalled.has(key) && signalProcess(identity, signal)) signalled.add(key);
    }
  };
  const gone = async (signal: NodeJS.Signals, seconds: number): Promise<boolean> => {
    signalNew(signal);
    const end = performance.now() + seconds * 1000;
    for (let pause = 2; performance.now() < end; pause = Math.min(pause * 1.5, 25)) {
      if (![...known.values()].some(isAlive) && look().length === 0) return true;
      await sleep(pause);
      if (signal === 'SIGKILL') signalNew(signal);
    }
    return look().length === 0;
  };
  if (await gone(spec.stopSignal, spec.stopSeconds)) return;
  if (await gone('SIGKILL', 10)) return;
  const left = look().map((identity) => identity.pid);
  throw new Failure(
    'refused-check',
    `Processes of ${spec.title} survive even KILL: ${left.join(', ')}.`,
    'They hang in the kernel (a dead network mount, a broken disk). Look at them with: ps -o pid,stat,wchan:30,args -p PID',
  );
};

/**
 * Whether session and group of that number are still the main process's own. After its death, too: the kernel gives a number away
 * again only when no group or session bears it any more, and then a new process has it.
 */
const leads = (main: ProcessIdentity): boolean =>
  isAlive(main) || (identify(main.pid) === undefined && identify(1)?.bootId === main.bootId);

const familyOf = (table: readonly ProcessEntry[], leader: number): Set<number> => {
  const family = new Set(
    table.filter(({ pid, group, session }) => [pid, group, session].includes(leader)).map(({ pid }) => pid),
  );
  for (let size = -1; size !== family.size; ) {
    size = family.size;
    for (const { pid, parent } of table) if (family.has(parent)) family.add(pid);
  }
  return family;
};

const carriesOurs = ({ pid }: ProcessEntry, { paths }: ServiceSpec): boolean => {
  const { HOME, PATH } = environmentOf(pid);
  return HOME === paths.data && PATH?.startsWith(join(paths.home, 'runtimes', '/')) === true;
};
