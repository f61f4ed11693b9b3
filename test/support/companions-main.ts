/**
 * Stands for the program in tests of companions. `telemetry follow ...` and `telemetry send ...` note that they run, and with what; `beside FOLDER` is
 * the supervisor's part of it, quick, allowed to run as long as FOLDER/may is there.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCompanions } from '../../src/service/run-companions.ts';
import type { ServiceSpec } from '../../src/service/spec.ts';
import { realWorld } from '../../src/system/world.ts';

const [first, second, third = ''] = process.argv.slice(2);
if (first === 'telemetry') {
  const { HOME, PATH, DO_NOT_TRACK } = process.env;
  appendFileSync(
    join(third, String(second)),
    `${JSON.stringify({ pid: process.pid, uid: process.getuid?.(), HOME, PATH, DO_NOT_TRACK })}\n`,
  );
  if (second === 'follow') setInterval(() => {}, 1_000);
  if (existsSync(join(third, 'stubborn'))) process.on('SIGTERM', () => {});
} else {
  const folder = second ?? '';
  const spec = JSON.parse(readFileSync(join(folder, 'spec.json'), 'utf8')) as ServiceSpec;
  const rhythm = { askMs: 50, againMs: 200, sendMs: 300, graceMs: 500 };
  const companions = runCompanions(realWorld(), spec, () => existsSync(join(folder, 'may')), rhythm);
  process.on('SIGTERM', () => void companions.end().then(() => process.exit(0)));
  setInterval(() => {}, 1_000);
}
