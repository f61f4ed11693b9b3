/**
 * Downtime of an upgrade, MailDev 2.2.1 -> 3.0.0, as a client sees it that asks every 20 ms: the longest time without any answer, against what
 * the server itself needs to stop and to start, and the second pass of the copy. The rest is ours: at most 0.5 s.
 *
 *   node bench/downtime.ts [MEGABYTES ...]        default: 0 100 1000
 *
 * Runs the built program from a copy outside of the repository, with the supervisor `process`, as a user without rights where we are root.
 */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, lendProgram, nobody } from './lent-program.ts';

const sizes = process.argv.slice(2).map(Number);
const { base, assent, home } = lendProgram();

interface Row {
  readonly megabytes: number;
  readonly seen: number;
  readonly stop: number;
  readonly start: number;
  readonly copy: number;
}

const answers = async (port: number): Promise<boolean> => {
  try {
    await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2000) });
    return true;
  } catch {
    return false;
  }
};

/** The longest time between two answers while the work goes on, in seconds. */
const longestSilence = async (port: number, work: () => Promise<unknown>): Promise<number> => {
  let [longest, last, over] = [0, performance.now(), false];
  const polling = (async () => {
    while (!over) {
      if (await answers(port)) {
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
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

/** How long a step of the last upgrade took, by its journal. */
const stepSeconds = (step: string): number => {
  const lines = readFileSync(join(home, 'instances/maildev/journal/000002-upgrade.jsonl'), 'utf8').trim().split('\n');
  const at = (entry: string): number => {
    const line = lines
      .map((text) => JSON.parse(text.slice(17)))
      .find((one) => one.entry === entry && one.step === step);
    return Date.parse(line?.at ?? 'never');
  };
  return (at('done') - at('begin')) / 1000;
};

/** The server's own start (to its first answer) and stop, by hand: its command line, environment and folder, and nothing of ours around it. */
const ownTimes = async (port: number): Promise<{ start: number; stop: number }> => {
  const { child } = JSON.parse(readFileSync(join(home, 'instances/maildev/run/process.json'), 'utf8'));
  const proc = (name: string): string[] =>
    readFileSync(`/proc/${child.pid}/${name}`, 'utf8').split('\0').filter(Boolean);
  const [command = '', ...args] = proc('cmdline');
  const env = Object.fromEntries(
    proc('environ').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  await assent('stop', 'maildev');
  const started = performance.now();
  const server = spawn(command, args, { env, cwd: join(home, 'instances/maildev/data'), stdio: 'ignore', ...nobody });
  while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 5));
  const start = (performance.now() - started) / 1000;
  const asked = performance.now();
  await new Promise((resolve) => {
    server.on('exit', resolve);
    server.kill('SIGTERM');
  });
  return { start, stop: (performance.now() - asked) / 1000 };
};

const fill = (megabytes: number): void => {
  const folder = join(home, 'instances/maildev/data/bulk');
  mkdirSync(folder);
  const block = Buffer.alloc(1_000_000, 'assent ');
  for (let at = 0; at < megabytes; at += 1) writeFileSync(join(folder, `${at}.bin`), block);
  if ('uid' in nobody) spawnSync('chown', ['-R', `${nobody.uid}:${nobody.gid}`, folder]);
};

const measure = async (megabytes: number): Promise<Row> => {
  const [web, smtp] = [await freePort(), await freePort()];
  const settings = ['--set', `webPort=${web}`, '--set', `smtpPort=${smtp}`];
  await assent('install', 'maildev@2.2.1', ...settings, '--yes', '--telemetry=off');
  fill(megabytes);
  const seen = await longestSilence(web, () =>
    assent('upgrade', 'maildev', '--yes', '--telemetry=off', '--no-rehearsal'),
  );
  const copy = stepSeconds('second-copy');
  const own = await ownTimes(web);
  await assent('uninstall', 'maildev', '--purge', '--ack', 'purge-data', '--yes');
  return { megabytes, seen, copy, ...own };
};

const print = (rows: readonly Row[]): void => {
  console.log('data MB   silence s   own stop + start + second pass s   ours s   allowed s');
  for (const { megabytes, seen, stop, start, copy } of rows) {
    const own = stop + start + copy;
    const cells = [
      String(megabytes),
      seen.toFixed(2),
      `${stop.toFixed(2)} + ${start.toFixed(2)} + ${copy.toFixed(2)} = ${own.toFixed(2)}`,
      (seen - own).toFixed(2),
      '0.50',
    ];
    console.log(cells.map((cell, at) => cell.padStart([7, 12, 35, 9, 12][at] ?? 0)).join(''));
  }
};
try {
  const rows: Row[] = [];
  for (const megabytes of sizes.length > 0 ? sizes : [0, 100, 1000]) rows.push(await measure(megabytes));
  print(rows);
} finally {
  await assent('uninstall', 'maildev', '--purge', '--ack', 'purge-data', '--yes').catch(() => undefined);
  spawnSync('chmod', ['-R', 'u+rwX', base]);
  rmSync(base, { recursive: true, force: true });
}
