/**
 * The gate: is this server, started just now, really healthy? What a change commits on, and what proves an undo.
 *
 * - It must be the new process: not the one of before, and the one that holds the ports, as far as that can be seen.
 * - It is asked every few milliseconds until it first answers well, so that a change is not longer than the server's own start.
 * - Then it has to stay good, without a restart and as the same process, for as long as the manifest says.
 * - A process that dies while it is watched is unhealthy at once: nobody waits for a timeout then.
 */

import { holdsSocket, listeningSockets } from '../system/process-table.ts';
import { isAlive, type ProcessIdentity, sleep } from '../system/processes.ts';
import { checkOnce, type HealthReport } from './health/checks.ts';
import type { ServiceSpec } from './spec.ts';
import type { Observation, Supervisor } from './supervisor.ts';
import { survivors } from './survivors.ts';

export interface GateOptions {
  /** The main process of before, which must not be taken for the new one. */
  readonly before?: ProcessIdentity | undefined;
  /** Told after each good look: how long it has been stable, and how long it must be. */
  readonly onStable?: (seconds: number, of: number) => void;
}

/** Milliseconds between two looks: before the first good one, and while it has to stay good; and how long one that no longer answers may take to be dead. */
const pace = { eager: 50, stable: 250, dying: 1000 } as const;

/** Watches a server that was just started. Never throws for what the server does; `reason` says what was wrong. */
export const gate = async (
  supervisor: Supervisor,
  spec: ServiceSpec,
  options: GateOptions = {},
): Promise<HealthReport> => {
  const began = performance.now();
  const first = await untilGood(supervisor, spec, options);
  const timed = (report: HealthReport): HealthReport => ({
    ...report,
    waitedMs: Math.round(performance.now() - began),
  });
  if (!first.report.healthy || first.main === undefined) return timed(first.report);
  const firstGoodMs = Math.round(performance.now() - began);
  return timed({ ...(await whileStable(supervisor, spec, first.main, first.observed, options)), firstGoodMs });
};

interface FirstGood {
  readonly report: HealthReport;
  readonly main?: ProcessIdentity;
  readonly observed: Observation;
}

const untilGood = async (supervisor: Supervisor, spec: ServiceSpec, { before }: GateOptions): Promise<FirstGood> => {
  const end = performance.now() + spec.startSeconds * 1000;
  const atFirst = await supervisor.observe(spec);
  for (let last: HealthReport | undefined; ; ) {
    const observed = await supervisor.observe(spec);
    const died = deathOf(observed, atFirst);
    if (died !== undefined) return { report: unhealthy(died, last), observed };
    const { main } = observed;
    if (main !== undefined && !sameProcess(main, before)) {
      const report = await lookAt(spec, main, end);
      if (!isAlive(main)) return { report: unhealthy('the server died', report), main, observed };
      if (report.healthy) return { report, main, observed };
      // What the end cut short knows less than the look before it.
      if (last === undefined || performance.now() < end) last = report;
    }
    if (performance.now() > end) return { report: unhealthy(lateReason(spec, main, before, last), last), observed };
    await sleep(pace.eager);
  }
};

/** One look, given up the moment the process dies. */
const lookAt = async (spec: ServiceSpec, main: ProcessIdentity, end: number): Promise<HealthReport> => {
  const left = Math.max(1000, Math.min(10_000, end - performance.now()));
  const looking = checkOnce(spec, left);
  let settled = false;
  const done = looking.then(() => {
    settled = true;
  });
  while (!settled && isAlive(main)) await Promise.race([done, sleep(pace.eager)]);
  const report = settled ? await looking : unhealthy('the server died', undefined);
  const strangers = report.healthy ? portOfStranger(spec, main) : undefined;
  return strangers === undefined ? report : unhealthy(strangers, report);
};

const whileStable = async (
  supervisor: Supervisor,
  spec: ServiceSpec,
  main: ProcessIdentity,
  since: Observation,
  { onStable }: GateOptions,
): Promise<HealthReport> => {
  const { stableSeconds } = spec.health;
  const began = performance.now();
  for (;;) {
    const report = await lookAt(spec, main, Number.POSITIVE_INFINITY);
    // A port is closed before its process is gone: who refuses may be dying, and that is what has to be said.
    if (!report.healthy) await napWhileAlive(main, pace.dying);
    const observed = await supervisor.observe(spec);
    const changed = changeOf(observed, main, since);
    if (changed !== undefined) return unhealthy(changed, report);
    if (!report.healthy) return report;
    const stable = (performance.now() - began) / 1000;
    onStable?.(Math.min(stable, stableSeconds), stableSeconds);
    if (stable >= stableSeconds) return report;
    await napWhileAlive(main, Math.min(pace.stable, (stableSeconds - stable) * 1000));
  }
};

const napWhileAlive = async (main: ProcessIdentity, ms: number): Promise<void> => {
  const end = performance.now() + ms;
  while (performance.now() < end && isAlive(main)) await sleep(Math.min(pace.eager, ms));
};

/** A restart, or a service that is not meant to run any more, is a death that was seen too late. */
const deathOf = (now: Observation, atFirst: Observation): string | undefined => {
  if (now.restarts > atFirst.restarts) return 'the server died and was started again';
  return now.state === 'running' ? undefined : `the server died (${now.state})`;
};

const changeOf = (now: Observation, main: ProcessIdentity, since: Observation): string | undefined =>
  now.main !== undefined && sameProcess(now.main, main) && now.restarts === since.restarts && isAlive(main)
    ? undefined
    : 'the server died while it was being watched';

const lateReason = (
  spec: ServiceSpec,
  main: ProcessIdentity | undefined,
  before: ProcessIdentity | undefined,
  last?: HealthReport,
): string => {
  const late = `not healthy within ${spec.startSeconds} s`;
  if (main !== undefined && sameProcess(main, before)) return `${late}: the process of before still runs (${main.pid})`;
  return last?.reason === undefined ? late : `${late}: ${last.reason}`;
};

/** Who answers must be ours: a port that another process holds answers for another server. Unseen descriptors are no proof of either. */
const portOfStranger = (spec: ServiceSpec, main: ProcessIdentity): string | undefined => {
  const ours = survivors(spec, main).map(({ pid }) => pid);
  for (const port of spec.ports) {
    const inodes = listeningSockets(port);
    const held = ours.map((pid) => holdsSocket(pid, inodes));
    if (inodes.size > 0 && held.length > 0 && held.every((holds) => holds === false)) {
      return `port ${port} is answered by another process than the server's`;
    }
  }
  return undefined;
};

const sameProcess = (one: ProcessIdentity, other: ProcessIdentity | undefined): boolean =>
  other !== undefined && one.pid === other.pid && one.startTime === other.startTime && one.bootId === other.bootId;

const unhealthy = (reason: string, last: HealthReport | undefined): HealthReport => ({
  waitedMs: 0,
  checks: [],
  ...last,
  healthy: false,
  reason,
});
