/**
 * How many lines of an access log are taken a second on one core, through reader and recorder, from a real file: at least 300,000.
 *
 *   node bench/access-log.ts [LINES] [RUNS]
 *
 * One line in five feeds a counter, the rest are styles, scripts and pictures, from 10,000 addresses and 40 browsers. The recorder is the real one,
 * on an instance with a yes. Time is what the thread had of its core, so that a busy machine tells the same; of the runs the median is printed.
 */

import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holdGrowing } from '../src/system/growing-file.ts';
import { makeRecorder } from '../src/telemetry/counting/recorder.ts';
import { makeLineReader } from '../src/telemetry/follow/line.ts';
import { readLogFile } from '../src/telemetry/follow/log-file.ts';
import { conduct, makeHome, noticeOf } from '../test/consent/support.ts';

const [lines = 400_000, runs = 5] = process.argv.slice(2).map(Number);
const goal = 300_000;
const folder = mkdtempSync(join(tmpdir(), 'assent-bench-'));

const agentOf = (at: number): string =>
  `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + (at % 40)}.0.0.0 Safari/537.36`;
const pathOf = (at: number): string => (at % 5 === 0 ? '/api/email' : `/static/assets/app.${at % 977}.js?v=3`);
const addressOf = (at: number): string => `10.0.${(at * 7) % 100}.${at % 100}`;
const now = new Date();
const clf = now.toUTCString().replace(/^\w+, (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1/$2/$3:$4 +0000');

const writers: Record<'combined' | 'json', (at: number) => string> = {
  combined: (at) =>
    `${addressOf(at)} - - [${clf}] "GET ${pathOf(at)} HTTP/1.1" 200 5120 "https://mail.example.org/" "${agentOf(at)}" "-" "-"\n`,
  json: (at) =>
    `${JSON.stringify({ time_iso8601: now.toISOString(), remote_addr: addressOf(at), remote_user: '', request_method: 'GET', request_uri: pathOf(at), status: '200', body_bytes_sent: '5120', http_referer: 'https://mail.example.org/', http_user_agent: agentOf(at), http_sec_gpc: '', http_dnt: '' })}\n`,
};

const write = (file: string, line: (at: number) => string): void => {
  for (let at = 0; at < lines; at += 1000)
    appendFileSync(file, Array.from({ length: 1000 }, (_, each) => line(at + each)).join(''));
};

const home = makeHome(join(folder, 'home'));
await conduct(home, { change: 'install', ends: 'finished', answer: { by: 'flag', say: 'yes', notice: 'current' } });
mkdirSync(home.paths.counts, { recursive: true });

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const results: { format: string; rate: number }[] = [];
for (const format of ['combined', 'json'] as const) {
  const file = join(folder, `${format}.log`);
  write(file, writers[format]);
  const rates: number[] = [];
  for (let run = 0; run <= runs; run += 1) {
    const recorder = makeRecorder(home.world, home.paths);
    if (recorder.state !== 'counting') throw new Error(`the recorder is ${recorder.state}`);
    const fields = format === 'json' ? { fields: { gpc: 'http_sec_gpc', dnt: 'http_dnt' } } : {};
    const read = makeLineReader({ format, signals: format !== 'json', ...fields }, noticeOf('2.2.1').counters);
    const held = holdGrowing(file, folder);
    if (typeof held === 'string') throw new Error(held);
    const log = readLogFile(held, 'beginning');
    let counted = 0;
    const begin = process.threadCpuUsage();
    while (
      log.advance((bytes, from, to) => {
        const seen = read(bytes, from, to);
        if (seen === undefined) return;
        recorder.count(seen);
        counted += 1;
      }) > 0
    );
    const { user, system } = process.threadCpuUsage(begin);
    const seconds = (user + system) / 1e6;
    log.close();
    recorder.end();
    if (counted !== Math.ceil(lines / 5)) throw new Error(`${counted} lines were counted`);
    // The first run is for the compiler.
    if (run > 0) rates.push(lines / seconds);
  }
  results.push({ format, rate: median(rates) });
}
rmSync(folder, { recursive: true });

console.log('format      lines/s per core   goal');
for (const { format, rate } of results) {
  const verdict = rate >= goal ? 'ok' : 'MISSED';
  console.log(
    `${format.padEnd(12)}${Math.round(rate).toLocaleString('en').padStart(15)}   ${goal.toLocaleString('en')} ${verdict}`,
  );
}
process.exitCode = results.every(({ rate }) => rate >= goal) ? 0 : 1;
