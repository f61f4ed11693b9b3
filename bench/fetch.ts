/**
 * Fetching and storing maildev 3.0.0 against `npm ci` of the same lockfile, with an empty cache and with a warm one: whole processes, in
 * turns, so that what the network and the machine do meets both. Storing includes what npm does not do: verifying
 * every archive once more, sealing the tree and writing it out to the disk.
 *
 *   node bench/fetch.ts [RUNS]
 *
 * Every run gets folders of its own, which are removed at the end: files that are made soon after a mass delete are slower.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';
import { programOptions } from '../scripts/bundle-options.mjs';
import { withCommonJsNames, withQuickBuiltins } from '../scripts/finish-output.mjs';

const root = dirname(import.meta.dirname);
const locks = join(root, 'products/maildev/locks/3.0.0');
const runs = Number(process.argv[2] ?? 5);
const base = mkdtempSync(join(tmpdir(), 'assent-bench-'));
const bundle = join(root, 'node_modules/.cache/assent-bench');

interface Row {
  readonly name: string;
  readonly target: number;
  readonly ours: number[];
  readonly theirs: number[];
}

const time = (command: string, args: string[], cwd: string): number => {
  const started = performance.now();
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return (performance.now() - started) / 1000;
};

const npmCi = (folder: string, cache: string): number => {
  mkdirSync(folder, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(locks, name), join(folder, name));
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--no-update-notifier'];
  return time('npm', ['ci', ...quiet, '--cache', cache], folder);
};

const store = (home: string): number => {
  mkdirSync(home, { recursive: true });
  return time(process.execPath, [join(bundle, 'fetch-store.mjs'), home], root);
};

/** As it is shipped: bundled, by the options of the real build. */
const bundleStore = async (): Promise<void> => {
  const sources = ['bench/fetch-store.ts', 'src/system/release-worker.ts', 'src/system/tree-child.ts'];
  const entries = sources.map((name) => ({ in: name, out: basename(name, '.ts') }));
  const { outputFiles } = await build({ ...programOptions(root, entries), outdir: bundle });
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, withCommonJsNames(withQuickBuiltins(text)));
  }
};

/** A home in which nothing but the archives is there already. */
const warmHome = (at: number): string => {
  const home = join(base, `warm-${at}`);
  cpSync(join(base, 'cold-0/cache'), join(home, 'cache'), { recursive: true });
  return home;
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const show = ({ name, target, ours, theirs }: Row): string => {
  const ratio = median(ours) / median(theirs);
  const range = (values: readonly number[]): string =>
    `${median(values).toFixed(2)} s (${Math.min(...values).toFixed(2)}-${Math.max(...values).toFixed(2)})`;
  const verdict = ratio <= target ? 'met' : 'MISSED';
  return `| ${name} | ${range(ours)} | ${range(theirs)} | ${ratio.toFixed(2)} | ${target.toFixed(2)} | ${verdict} |`;
};

try {
  await bundleStore();
  const cold: Row = { name: 'empty cache', target: 1.25, ours: [], theirs: [] };
  const warm: Row = { name: 'warm cache', target: 1, ours: [], theirs: [] };
  for (let at = 0; at < runs; at++) {
    cold.theirs.push(npmCi(join(base, `npm-cold-${at}`), join(base, `npm-cache-${at}`)));
    cold.ours.push(store(join(base, `cold-${at}`)));
  }
  for (let at = 0; at < runs; at++) {
    warm.ours.push(store(warmHome(at)));
    warm.theirs.push(npmCi(join(base, `npm-warm-${at}`), join(base, 'npm-cache-0')));
  }
  console.log(`maildev 3.0.0, medians of ${runs} runs (range), Node ${process.version}\n`);
  console.log('|  | fetched and stored | npm ci | ratio | at most |  |');
  console.log('|---|---|---|---|---|---|');
  for (const row of [cold, warm]) console.log(show(row));
} finally {
  spawnSync('chmod', ['-R', 'u+w', base]);
  rmSync(base, { recursive: true, force: true });
}
