/**
 * Stands for the program where a test starts `run NAME --home HOME [--detached]` for a spec of its own: the spec is
 * read from spec.json in the instance's folder instead of being made from a stored release; everything after that is the real code.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../src/errors.ts';
import { runSpec } from '../../src/service/run-spec.ts';
import type { ServiceSpec } from '../../src/service/spec.ts';
import { becomeInit, isFirstProcess } from '../../src/system/own-process.ts';
import { realWorld } from '../../src/system/world.ts';

const [, name = '', , home = '', detached] = process.argv.slice(2);
if (detached === undefined && isFirstProcess()) becomeInit();
const spec = JSON.parse(readFileSync(join(home, 'instances', name, 'spec.json'), 'utf8')) as ServiceSpec;
try {
  process.exit(await runSpec(realWorld(), spec, detached === undefined ? 'foreground' : 'detached'));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exit(error.exit);
}
