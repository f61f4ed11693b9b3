/**
 * One run of the proof, from inside of the network that leads nowhere: the copy gets its answer, the sinks listen, `assent run` starts the server
 * under strace, the traffic is made, the server is watched for a while and stopped. What was seen comes back as plain data; whether that
 * is good is judged elsewhere (verdict.ts).
 *
 * At last a look-up and a connection are made on purpose, in the same way as the server's were looked at: means that do not see those
 * would not have seen the server's either.
 */

import { join } from 'node:path';
import { Failure } from '../../errors.ts';
import { type InstancePaths, instancePaths } from '../../instance/paths.ts';
import { type InstanceState, readState } from '../../instance/state.ts';
import { findStored, type StoredRelease } from '../../release/store.ts';
import { checkOnce } from '../../service/health/checks.ts';
import { consentOff, hostOf, type ServiceSpec, serviceSpec, viewOfService } from '../../service/spec.ts';
import { loginOf } from '../../service/spec-checks.ts';
import { type Child, startChild } from '../../system/child.ts';
import { deliver } from '../../system/deliver.ts';
import { readIfThere } from '../../system/files.ts';
import { listProcesses } from '../../system/process-table.ts';
import {
  identify,
  isAlive,
  minimalEnvironment,
  type ProcessIdentity,
  run,
  signalProcess,
  sleep,
} from '../../system/processes.ts';
import { byteSink, type Caught, httpSink, nameSink, type Sink } from '../../system/sink.ts';
import type { World } from '../../system/world.ts';
import type { InstanceName } from '../../values.ts';
import { sendReports } from '../send.ts';
import { answerInCopy, dayMs } from './answer-in-copy.ts';
import { type Calls, parseCalls, tracedCalls } from './calls.ts';
import { type CountedFile, countedFiles } from './counted.ts';
import { makeNames, type Names } from './names.ts';
import { makeTraffic, type Traffic } from './traffic.ts';

/** What a run is told, as JSON. */
export interface RunOrder {
  readonly home: string;
  readonly name: InstanceName;
  readonly say: 'yes' | 'no';
  /** The verified copy of Assent. */
  readonly program: { readonly node: string; readonly main: string };
  /** A folder for what the run leaves. */
  readonly out: string;
  readonly requests: readonly string[];
  readonly clients: number;
  /** How long to watch after the traffic. */
  readonly seconds: number;
  /** Where reports go, and what the control connects to. */
  readonly port: number;
  readonly traced: boolean;
}

export interface RunReport {
  /** Why the server did not become healthy; null where it did. */
  readonly ill: string | null;
  readonly traffic: Traffic;
  readonly lookups: readonly string[];
  /** Files of telemetry/ and reports/ when the server had ended, and what was made of them when everything had. */
  readonly counted: readonly CountedFile[];
  /** Name -> the address that it was given, the control's too. */
  readonly names: Readonly<Record<string, string>>;
  readonly caught: readonly Caught[];
  /** Null where strace was not there. */
  readonly calls: Calls | null;
  readonly control: {
    readonly name: string;
    readonly lookup: boolean;
    readonly caught: boolean;
    readonly call: boolean | null;
  };
}

/** Asked for and connected to on purpose, at the end. */
export const controlName = 'control.assent.invalid';

export const runInside = async (world: World, order: RunOrder): Promise<RunReport> => {
  const paths = instancePaths(order.home, order.name);
  const endpoint = `http://127.0.0.1:${order.port}/v1/metrics`;
  const before = readState(paths);
  if (before === undefined) throw new Failure('no-instance', `The copy of ${order.name} has no state.`, 'Try again.');
  const stored = storedOf(order.home, before);
  const answer = order.say === 'no' ? ({ say: 'no' } as const) : ({ say: 'yes', endpoint } as const);
  const state = await answerInCopy(world, paths, before, stored, answer);
  const spec = serviceSpec(hostOf(world, null), state, stored, paths, consentOff);
  const names = makeNames();
  const caught: Caught[] = [];
  const sinks = await openSinks(order, spec, names, caught);
  try {
    const served = await serve(order, spec, () => traffic(order, spec, state, stored));
    const counted = countedFiles(paths).filter(({ path }) => order.say === 'no' || !isEmptyYes(path));
    if (order.say === 'yes') await sendTomorrow(world, paths);
    const lookups = names.asked();
    const seen = caught.splice(0);
    const control = await makeControl(order, names, caught);
    const calls = order.traced ? callsIn(order, 'calls') : null;
    const given = [...lookups, controlName].flatMap((name) => {
      const address = names.addressOf(name);
      return address === undefined ? [] : [[name, address] as const];
    });
    return { ...served, counted, lookups, names: Object.fromEntries(given), caught: seen, calls, control };
  } finally {
    await Promise.all(sinks.map(({ close }) => close()));
  }
};

/** What a yes has by itself, before anything is counted. */
const isEmptyYes = (path: string): boolean => path === 'telemetry/window.json';

/** The real sender, a day later: only whole days are reported. Whether anything arrives is seen at the sink. */
const sendTomorrow = async (world: World, paths: InstancePaths): Promise<void> => {
  const later: World = { ...world, now: () => new Date(world.now().getTime() + dayMs) };
  await sendReports(later, paths, { deliver }, { scheduled: false });
};

const storedOf = (home: string, { release }: InstanceState): StoredRelease => {
  const stored = findStored(home, release.product, release.version, release.digest);
  if (stored !== undefined) return stored;
  throw new Failure(
    'refused-check',
    `The release ${release.product} ${release.version} is missing in the store.`,
    'Store it again with: assent reinstall',
  );
};

/** Not on the server's own ports; what is sent elsewhere is seen all the same, and refused. */
const openSinks = (order: RunOrder, { ports }: ServiceSpec, names: Names, caught: Caught[]): Promise<Sink[]> =>
  Promise.all([
    ...(ports.includes(53) ? [] : [nameSink(53, names.answer)]),
    ...(ports.includes(80) ? [] : [httpSink(80, caught)]),
    ...[25, 443, 465, 587].filter((port) => !ports.includes(port)).map((port) => byteSink(port, caught)),
    httpSink(order.port, caught),
  ]);

const noTraffic: Traffic = { requests: 0, clients: 0, mails: 0, failed: [] };

const serve = async (
  order: RunOrder,
  spec: ServiceSpec,
  talk: () => Promise<Traffic>,
): Promise<Pick<RunReport, 'ill' | 'traffic'>> => {
  let said = '';
  const { node, main } = order.program;
  const child = await startChild(traced(order, 'calls', [node, main, 'run', order.name, '--home', order.home]), {
    directory: '/',
    environment: { ...minimalEnvironment, HOME: spec.host.home },
    output: (bytes) => {
      said = (said + bytes.toString('utf8')).slice(-2000);
    },
  });
  let ended = false;
  const exited = child.exited.then(() => {
    ended = true;
  });
  try {
    const ill = await untilWell(spec, () => ended);
    if (ill !== null)
      return { ill: `${ill}${said === '' ? '' : `; it said: ${said.trim().slice(-600)}`}`, traffic: noTraffic };
    const traffic = await talk();
    for (let left = order.seconds * 10; left > 0 && !ended; left -= 1) await sleep(100);
    return {
      ill: ended ? `the server ended while it was watched; it said: ${said.trim().slice(-600)}` : null,
      traffic,
    };
  } finally {
    await stop(order, spec, child, exited, () => ended);
  }
};

/** io_uring, whose work strace does not see, is refused as by a kernel without it: then all calls are seen. */
const traced = (order: RunOrder, file: string, command: readonly string[]): readonly string[] =>
  order.traced
    ? [
        ...['strace', '-f', '--seccomp-bpf', '-y', '-qq', '-s', '512', '-e', 'signal=none'],
        ...['-e', `trace=${tracedCalls}`, '-e', 'inject=?io_uring_setup:error=ENOSYS'],
        ...['-o', join(order.out, file), ...command],
      ]
    : command;

/** Being traced makes everything slower. */
const patience = ({ traced: slow }: RunOrder): number => (slow ? 3 : 1);

const untilWell = async (spec: ServiceSpec, ended: () => boolean): Promise<string | null> => {
  const end = performance.now() + spec.startSeconds * 3000;
  for (let reason = 'it was not looked at'; ; await sleep(100)) {
    if (ended()) return 'the server ended before it was healthy';
    const report = await checkOnce(spec, 5000);
    if (report.healthy) return null;
    reason = report.reason ?? reason;
    if (performance.now() > end) return `the server is not healthy: ${reason}`;
  }
};

/** Ends `assent run` as a person would, so that the server ends as it always does; strace ends when nothing is left to trace. */
const stop = async (
  order: RunOrder,
  spec: ServiceSpec,
  child: Child,
  exited: Promise<void>,
  ended: () => boolean,
): Promise<void> => {
  const assent = order.traced ? childOf(child.pid) : child.identity;
  if (assent !== undefined) signalProcess(assent, 'SIGTERM');
  const end = performance.now() + (spec.stopSeconds * patience(order) + 15) * 1000;
  while (!ended() && performance.now() < end) await Promise.race([exited, sleep(100)]);
  for (const left of ended() ? [] : [assent, child.identity]) if (left && isAlive(left)) signalProcess(left, 'SIGKILL');
  await Promise.race([exited, sleep(5000)]);
};

const childOf = (parent: number): ProcessIdentity | undefined => {
  const found = listProcesses().find((entry) => entry.parent === parent);
  return found && identify(found.pid);
};

const traffic = (order: RunOrder, spec: ServiceSpec, state: InstanceState, stored: StoredRelease): Promise<Traffic> => {
  const login = loginOf(stored, viewOfService(spec.host, state, stored, spec.paths), spec.paths);
  const { requests, clients } = order;
  return makeTraffic(spec, { web: state.urls['web'] ?? null, login, requests, clients });
};

const makeControl = async (order: RunOrder, names: Names, caught: readonly Caught[]): Promise<RunReport['control']> => {
  const script = `fetch('http://${controlName}:${order.port}/').then((answer) => answer.text()).catch(() => {})`;
  await run(traced(order, 'control', [order.program.node, '-e', script]), { timeoutMs: 20_000 });
  const address = names.addressOf(controlName);
  const calls = order.traced ? callsIn(order, 'control') : null;
  return {
    name: controlName,
    lookup: names.asked().includes(controlName),
    caught: caught.some((one) => one.address === address),
    call: calls === null ? null : calls.reached.some((one) => one.address === address && one.port === order.port),
  };
};

const callsIn = ({ out }: RunOrder, file: string): Calls => parseCalls(readIfThere(join(out, file)) ?? '');
