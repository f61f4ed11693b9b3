/**
 * Prosody 0.12.3 -> 13.0.1: the downtime of the upgrade as a browser sees it that asks for the WebClient's page every 20 ms, against what the change itself
 * says; and the memory (resident, in MB) of the server and of the process that keeps it running, after the health check has been there for a while.
 *
 *   node bench/messaging.ts [RUNS]        default: 3
 *
 * Runs the built program from a copy outside of the repository, with the supervisor `process`, as a user without rights where we are root.
 */

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);
const runs = Number(process.argv[2] ?? 3);
const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
const base = mkdtempSync(join(tmpdir(), 'assent-bench-'));
const program = join(base, 'program');
const home = join(base, 'home');
const passedOn = Object.entries(process.env).filter(([name]) => /^(NODE_EXTRA_CA_CERTS|npm_config_\w+)$/.test(name));
const environment = {
  PATH: `${join(base, 'node')}:/usr/bin:/bin`,
  HOME: base,
  ASSENT_HOME: home,
  LANG: 'C.UTF-8',
  ...Object.fromEntries(passedOn),
};

const place = (): void => {
  chmodSync(base, 0o755);
  for (const part of ['bin', 'dist', 'products', 'schema', 'package.json'])
    cpSync(join(root, part), join(program, part), { recursive: true });
  mkdirSync(join(base, 'node'));
  cpSync(process.execPath, join(base, 'node/node'));
  spawnSync('chmod', ['-R', 'a+rX', base]);
  if ('uid' in nobody) chownSync(base, nobody.uid ?? 0, nobody.gid ?? 0);
};

/** The document of a command that has to succeed. */
const assent = (...args: string[]): Promise<{ downtimeSeconds?: number }> =>
  new Promise((resolve, reject) => {
    const child = spawn(join(program, 'bin/assent'), [...args, '--json'], { env: environment, ...nobody });
    let [out, said] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.on('close', (code) =>
      code === 0 ? resolve(JSON.parse(out)) : reject(new Error(`${args.join(' ')}: ${out} ${said}`)),
    );
  });

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

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
    told = (await assent('upgrade', 'prosody', '--yes', '--telemetry=off')).downtimeSeconds ?? 0;
  });
  const { child, supervisor } = JSON.parse(readFileSync(join(home, 'instances/prosody/run/process.json'), 'utf8'));
  const memory = [child.pid, supervisor.pid].map((pid) => megabytesOf(pid).toFixed(0).padStart(12));
  console.log(`${seen.toFixed(2).padStart(10)}${told.toFixed(2).padStart(22)}${memory.join('')}`);
  await assent('uninstall', 'prosody', '--purge', '--ack', 'purge-data', '--yes');
};

place();
try {
  console.log(' silence s   until it was healthy s   server MB  supervisor MB');
  for (let run = 0; run < runs; run += 1) await measure();
} finally {
  await assent('uninstall', 'prosody', '--purge', '--ack', 'purge-data', '--yes').catch(() => undefined);
  spawnSync('chmod', ['-R', 'u+rwX', base]);
  rmSync(base, { recursive: true, force: true });
}
