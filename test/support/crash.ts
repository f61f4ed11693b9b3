/** The real command, killed with SIGKILL behind a write to the journal of its change: the Nth, or the first that has this text in it. */

import { join } from 'node:path';
import type { Run, Scenario } from './scenario.ts';
import { repository } from './seed.ts';

const crashAt = join(repository, 'test/support/crash-at.mjs');

export const crashed = (world: Scenario, args: readonly string[], at: number | string): Promise<Run> =>
  world.run(args, { env: { NODE_OPTIONS: `--import=${crashAt}`, ASSENT_TEST_CRASH: String(at) } });
