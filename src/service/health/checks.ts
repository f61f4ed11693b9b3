/** All checks of a server, once: the closed table of kinds, and the report that everyone reads. */

import { messageOf } from '../../errors.ts';
import type { ServiceSpec } from '../spec.ts';
import type { Check } from '../spec-checks.ts';
import { probeCommand, titleOfCommand } from './command.ts';
import { probeHttp, titleOfHttp } from './http.ts';
import type { Finding, Probe } from './probe.ts';
import { probeSmtp, titleOfSmtp } from './smtp.ts';

export interface CheckResult {
  readonly title: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly ms: number;
}

export interface HealthReport {
  readonly healthy: boolean;
  readonly checks: readonly CheckResult[];
  /** From the beginning of the watching to its end; the first good answer came after `firstGoodMs`. */
  readonly waitedMs: number;
  readonly firstGoodMs?: number;
  /** The version that the server itself tells. */
  readonly version?: string;
  /** Why it is not healthy. */
  readonly reason?: string;
}

type Kinds = {
  readonly [Kind in Check['kind']]: {
    readonly probe: Probe<Extract<Check, { kind: Kind }>>;
    readonly title: (check: Extract<Check, { kind: Kind }>) => string;
  };
};

const kinds = {
  http: { probe: probeHttp, title: titleOfHttp },
  smtp: { probe: probeSmtp, title: titleOfSmtp },
  command: { probe: probeCommand, title: titleOfCommand },
} as const satisfies Kinds;

/** Looks at the server with every check at once. Never throws. */
export const checkOnce = async (spec: ServiceSpec, timeoutMs = 10_000): Promise<HealthReport> => {
  const began = performance.now();
  const looked = await Promise.all(spec.health.checks.map((check) => look(check, spec, timeoutMs)));
  const told = looked.find(({ finding }) => finding.version !== undefined)?.finding.version;
  const bad = looked.find(({ finding }) => !finding.ok);
  const reason = bad === undefined ? wrongVersion(spec, told) : `${bad.result.title}: ${bad.result.detail}`;
  return {
    healthy: reason === undefined,
    checks: looked.map(({ result }) => result),
    waitedMs: performance.now() - began,
    ...(told === undefined ? {} : { version: told }),
    ...(reason === undefined ? {} : { reason }),
  };
};

const look = async (
  check: Check,
  spec: ServiceSpec,
  timeoutMs: number,
): Promise<{ finding: Finding; result: CheckResult }> => {
  const began = performance.now();
  const { probe, title } = kinds[check.kind] as Kinds[keyof Kinds] & {
    probe: Probe<Check>;
    title: (check: Check) => string;
  };
  const looking = probe(check, { spec, timeoutMs }).catch((error: unknown) => ({
    ok: false,
    detail: messageOf(error),
  }));
  const finding = await inTime(looking, timeoutMs);
  return {
    finding,
    result: { title: title(check), ok: finding.ok, detail: finding.detail, ms: Math.round(performance.now() - began) },
  };
};

/** Milliseconds beyond its time in which a probe may end by itself: a command that does not heed TERM is killed after two seconds. */
const graceMs = 4000;

/**
 * Who waits for a look holds a change open. A command is over when its output is closed, and what it has started in a session of its own, where no signal to
 * its group reaches, may keep that open for ever.
 */
const inTime = async (looking: Promise<Finding>, timeoutMs: number): Promise<Finding> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    const detail = `no end within ${timeoutMs} ms: it, or something that it has started, holds its output open`;
    timer = setTimeout(resolve, timeoutMs + graceMs, { ok: false, detail });
  });
  return Promise.race([looking, late]).finally(() => clearTimeout(timer));
};

const wrongVersion = ({ version }: ServiceSpec, told: string | undefined): string | undefined =>
  told === undefined || told.replace(/^v/, '') === version
    ? undefined
    : `the server tells version ${told}, not ${version}`;
