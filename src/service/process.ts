/**
 * The process supervisor: `assent run NAME --detached`, started from the verified copy of the program, for machines without systemd.
 *
 * What it does while it lives is in run.ts; this is how others deal with it. The kernel lock that it holds is what makes a second
 * one impossible; its record says who is who. If it was killed and its server lives on, start and stop end that server first.
 * It does not come back after a reboot, which is a warning of its own.
 */

import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { makeFolder, readIfThere, removeFile, statIfThere } from '../system/files.ts';
import { isLocked } from '../system/lock.ts';
import { argumentsOf, ownerOf } from '../system/process-table.ts';
import { isAlive, type ProcessIdentity, signalProcess, sleep, startDetached, waitGone } from '../system/processes.ts';
import { readLog, serverLog } from './log-rotation.ts';
import { type ProcessRecord, readRecord, removeRecord, supervisorLock } from './process-record.ts';
import type { ServiceSpec } from './spec.ts';
import type { Observation, ServiceWarning, Supervisor } from './supervisor.ts';
import { endServer, survivors } from './survivors.ts';

export const processSupervisor: Supervisor = {
  kind: 'process',
  mustBeOurs: async () => {},
  install: async () => {},
  atBoot: async () => {},
  remove: (spec) => stopDetached(spec),
  start: (spec) => startDetachedRun(spec),
  stop: (spec) => stopDetached(spec),
  observe: (spec) => Promise.resolve(observeRun(spec)),
  logs: (spec, options) => readLog(serverLog(spec.paths.logs), options),
  describe: async () => [],
  warnings: (spec) => [notAfterReboot(spec)],
};

/** Starts the detached run, unless the very same one runs already. */
export const startDetachedRun = async (spec: ServiceSpec): Promise<void> => {
  if (await runsAlready(spec)) return;
  await stopDetached(spec);
  const log = supervisorLog(spec);
  makeFolder(spec.paths.run);
  removeFile(log);
  const supervisor = startDetached(runCommand(spec), {
    cwd: spec.paths.folder,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: spec.host.home, LANG: 'C.UTF-8' },
    stdout: log,
    stderr: log,
  });
  await untilStarted(spec, supervisor);
};

/** Whether this very server has a living supervisor. One that is just starting it is waited for: between making a server and writing it down it names none. */
const runsAlready = async (spec: ServiceSpec): Promise<boolean> => {
  const end = performance.now() + startPatience(spec);
  for (;;) {
    const record = recordOf(spec);
    if (record?.digest !== spec.digest || record.generation !== spec.generation) return false;
    if (!isAlive(record.supervisor)) return false;
    if (record.phase !== 'starting') return record.child !== null && isAlive(record.child);
    if (performance.now() > end) return false;
    await sleep(5);
  }
};

/** Milliseconds until a supervisor has made its first attempt: it may have to end what another one left behind first. */
const startPatience = ({ startSeconds }: ServiceSpec): number => (startSeconds + 15) * 1000;

/**
 * Ends supervisor and server; what a killed supervisor left behind as well. Failure 'instance-busy' where somebody runs it who can't be seen from here, and so
 * can't be ended: the lock lies in the home, and so holds over containers that share it.
 */
export const stopDetached = async (spec: ServiceSpec): Promise<void> => {
  await untilSeen(spec);
  const record = recordOf(spec);
  if (record !== undefined && ownerOf(record.supervisor.pid) === spec.host.uid)
    await endSupervisor(spec, record.supervisor);
  await endServer(spec, record?.child ?? null);
  removeRecord(spec.paths);
};

/** A record is enough to tell; no signal and no lock is needed to look. Root sees what others run in homes of theirs: their record is theirs. */
export const observeRun = (spec: ServiceSpec): Observation => {
  const owner = statIfThere(spec.paths.folder)?.uid ?? spec.host.uid;
  const record = readRecord(spec.paths, owner);
  const restarts = record?.restarts ?? 0;
  const child = childOf(spec, record, owner) ?? (record === undefined ? null : strayOf(spec));
  if (child !== null) return { state: 'running', main: child, restarts };
  return { state: record === undefined ? 'stopped' : 'failed', restarts };
};

/** Where the detached run says why it could not start. */
export const supervisorLog = ({ paths }: ServiceSpec): string => join(paths.run, 'supervisor.log');

const recordOf = (spec: ServiceSpec): ProcessRecord | undefined => readRecord(spec.paths, spec.host.uid);

const childOf = (spec: ServiceSpec, record: ProcessRecord | undefined, owner: number): ProcessIdentity | null => {
  const child = record?.child ?? null;
  const uid = spec.account?.uid ?? owner;
  return child !== null && isAlive(child) && ownerOf(child.pid) === uid ? child : null;
};

/** A server that the record does not know: its supervisor was killed before it could write, or lives in another pid namespace. */
const strayOf = (spec: ServiceSpec): ProcessIdentity | null =>
  survivors(spec, null).find(({ pid }) => argumentsOf(pid).join('\0') === spec.command.join('\0')) ?? null;

const runCommand = ({ host, instance, paths }: ServiceSpec): string[] => {
  if (host.program === null) throw new Error('a detached run needs the verified copy of the program');
  return [host.program.node, host.program.main, 'run', instance, '--home', paths.home, '--detached'];
};

/** Until the record is the new supervisor's and its first attempt was made: the gate sees whether that one is any good. */
const untilStarted = async (spec: ServiceSpec, supervisor: ProcessIdentity): Promise<void> => {
  const end = performance.now() + startPatience(spec);
  while (performance.now() < end) {
    const record = recordOf(spec);
    if (record?.supervisor.pid === supervisor.pid && record.phase !== 'starting') return;
    if (!isAlive(supervisor)) break;
    await sleep(5);
  }
  const said = (readIfThere(supervisorLog(spec)) ?? '').trim().slice(-2000);
  throw new Failure(
    'refused-check',
    `The supervisor of ${spec.title} did not start${said === '' ? '.' : `: ${said}`}`,
    `Try it in the foreground: assent run ${spec.instance}`,
  );
};

/** A supervisor has the lock before it is on record. */
const untilSeen = async (spec: ServiceSpec): Promise<void> => {
  const end = performance.now() + 5000;
  while (isLocked(supervisorLock(spec.paths))) {
    const supervisor = recordOf(spec)?.supervisor;
    if (supervisor !== undefined && isAlive(supervisor)) return;
    if (performance.now() > end) throw runsElsewhere(spec);
    await sleep(50);
  }
};

const runsElsewhere = ({ instance, paths }: ServiceSpec): Failure =>
  new Failure(
    'instance-busy',
    `${instance} is run by somebody who can't be seen from here: ${supervisorLock(paths)} is held, as by a container that shares this home.`,
    'Stop it there first.',
  );

const endSupervisor = async (spec: ServiceSpec, supervisor: ProcessIdentity): Promise<void> => {
  if (!signalProcess(supervisor, 'SIGTERM')) return;
  if (await waitGone(supervisor, (spec.stopSeconds + 15) * 1000)) return;
  signalProcess(supervisor, 'SIGKILL');
  await waitGone(supervisor, 10_000);
};

const notAfterReboot = ({ instance }: ServiceSpec): ServiceWarning => ({
  id: 'not-after-reboot',
  message: 'systemd does not run here, so the server does not come back after a reboot by itself.',
  remedy: `After a reboot: assent start ${instance}`,
});
