/**
 * The composition root, and the one exit. Everything that a run needs is made here and handed down; everything it ends in
 * comes back here as an exit code.
 *
 * `--version` is answered before the command line's library is loaded: launchers and scripts ask it all the time.
 */

import { join } from 'node:path';
import { runCommandLine } from './cli/run.ts';
import { readIfThere } from './system/files.ts';
import { write } from './system/terminal.ts';
import { realWorld } from './system/world.ts';

const world = realWorld();
const argv = process.argv.slice(2);
const { version } = JSON.parse(readIfThere(join(world.program, 'package.json')) ?? '{}') as { version: string };

process.exit(await exitCode());

async function exitCode(): Promise<number> {
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    write('out', `${version}\n`);
    return 0;
  }
  return runCommandLine(world, argv, version);
}
