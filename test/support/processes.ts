/**
 * The processes of a home: servers have it in their command lines, and commands (one that was stopped or hangs, too) in their environments. What is not ours to look into is not one of them.
 */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Their pids, without our own. */
export const processesOf = (home: string): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter((pid) => ['cmdline', 'environ'].some((file) => textOf(`/proc/${pid}/${file}`).includes(home)));

/** Ends all of them with SIGKILL, and those that come meanwhile. */
export const endProcesses = (home: string): void => {
  for (let pids = processesOf(home); pids.length > 0; pids = processesOf(home)) {
    spawnSync('kill', ['-9', ...pids.map(String)]);
  }
};

/** Empty for whoever has ended, or is another's. */
const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
