/**
 * Prosody 0.12.3 -> 13.0.1: the downtime of the upgrade as a browser sees it that asks for the WebClient's page every 20 ms, against what the change itself
 * says; and the memory (resident, in MB) of the server and of the process that keeps it running, after the health check has been there for a while.
 *
 *   node bench/messaging.ts [RUNS]        default: 3
 *
 * Runs the built program from a copy outside of the repository, with the supervisor `process`, as a user without rights where we are root.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, lendProgram } from './lent-program.ts';

const runs = Number(process.argv[2] ?? 3);
const { base, assent, home } = lendProgram();

const answers = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2000) }).then(
    ({ ok }) => ok,
    () => false,
  );

/** The longest time between two answers while the work goes on, in seconds. */
const longestSilence = async (port: number, work: () => Promise<unknown>): Promise<number> => {
  let [longest, last, over] = [0, performance.now(), false];
  const polling = (async () => {
    while (!over) {
      if (await answers(port)) {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await work().finally(() => {
    over = true;
  });
  await polling;
  return longest / 1000;
};

const megabytesOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

const measure = async (): Promise<void> => {
  const [client, federation, web] = [await freePort(), await freePort(), await freePort()];
  const ports = [`clientPort=${client}`, `federationPort=${federation}`, `webPort=${web}`].flatMap((one) => [
    '--set',
    one,
  ]);
  await assent('install', 'prosody@0.12.3', ...ports, '--yes', '--telemetry=off');
  let told = 0;
  const seen = await longestSilence(web, async () => {
    told = (await assent('upgrade', 'prosody', '--yes', '--telemetry=off', '--no-rehearsal')).downtimeSeconds ?? 0;
  });
  const { child, supervisor } = JSON.parse(readFileSync(join(home, 'instances/prosody/run/process.json'), 'utf8'));
  const memory = [child.pid, supervisor.pid].map((pid) => megabytesOf(pid).toFixed(0).padStart(12));
  console.log(`${seen.toFixed(2).padStart(10)}${told.toFixed(2).padStart(22)}${memory.join('')}`);
  await assent('uninstall', 'prosody', '--purge', '--ack', 'purge-data', '--yes');
};
try {
  console.log(' silence s   until it was healthy s   server MB  supervisor MB');
  for (let run = 0; run < runs; run += 1) await measure();
} finally {
  await assent('uninstall', 'prosody', '--purge', '--ack', 'purge-data', '--yes').catch(() => undefined);
  spawnSync('chmod', ['-R', 'u+rwX', base]);
  rmSync(base, { recursive: true, force: true });
}
