/**
 * How long light commands take to start, as a ratio to a bare `node -e 0` of the same Node, pair by pair in one run: whole processes, launcher included.
 *
 *   node bench/start.ts [RUNS]
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const runs = Number(process.argv[2] ?? 25);
const home = mkdtempSync(join(tmpdir(), 'assent-bench-'));
const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
const env = {
  ...inherited,
  PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
  ASSENT_HOME: process.env['ASSENT_HOME'] ?? home,
};

const time = (command: string, args: readonly string[]): number => {
  const started = performance.now();
  spawnSync(command, args, { env, stdio: 'ignore' });
  return performance.now() - started;
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const commands = [['--version'], ['status'], ['telemetry', 'status'], ['telemetry', 'status', '--json']];
console.log('command                      ratio to node -e 0 (median, min)   allowed');
for (const args of commands) {
  const ratios: number[] = [];
  for (let at = 0; at <= runs; at += 1) {
    const bare = time(process.execPath, ['-e', '0']);
    const ours = time(join(root, 'bin/assent'), args);
    if (at > 0) ratios.push(ours / bare);
  }
  console.log(
    `${`assent ${args.join(' ')}`.padEnd(29)}${median(ratios).toFixed(2)}, ${Math.min(...ratios).toFixed(2)}`.padEnd(
      64,
    ) + '2.20',
  );
}
rmSync(home, { recursive: true });
