/**
 * Runs inside a box: takes { spec, calls } from standard input, calls the supervisor for systemd in turn, and prints one JSON
 * line per call: its result, or the failure's message.
 */
import { readFileSync } from 'node:fs';
import { gate } from '../../src/service/health.ts';
import type { ServiceSpec } from '../../src/service/spec.ts';
import { detectSupervisor, supervisors } from '../../src/service/supervisor.ts';
import { realWorld } from '../../src/system/world.ts';

const { spec, calls } = JSON.parse(readFileSync(0, 'utf8')) as { spec: ServiceSpec; calls: string[] };
const { systemd } = supervisors;

const actions: Record<string, () => unknown> = {
  detect: () => detectSupervisor(realWorld()),
  install: () => systemd.install(spec),
  atBoot: () => systemd.atBoot({ ...spec, runs: false }),
  start: () => systemd.start(spec),
  stop: () => systemd.stop(spec),
  remove: () => systemd.remove(spec),
  observe: () => systemd.observe(spec),
  describe: () => systemd.describe(spec),
  warnings: () => systemd.warnings(spec),
  gate: () => gate(systemd, spec),
  logs: async () => {
    const lines: string[] = [];
    for await (const line of systemd.logs(spec, { lines: 50, follow: false })) lines.push(line);
    return lines;
  },
};

for (const call of calls) {
  const began = performance.now();
  try {
    const result = await actions[call]?.();
    console.log(JSON.stringify({ call, result: result ?? null, ms: Math.round(performance.now() - began) }));
  } catch (error) {
    console.log(JSON.stringify({ call, error: (error as Error).message, ms: Math.round(performance.now() - began) }));
  }
}
