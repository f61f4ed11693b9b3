/**
 * Fetches the private Node for a machine whose own Node is too old for the program: run by bin/assent, on Node 18 or newer,
 * as `node bootstrap.mjs FOLDER [ARGUMENTS]`, where FOLDER is where that Node shall lie and ARGUMENTS are the command's.
 *
 * It is a program of its own, without libraries and without the rest of Assent, which the old Node could not load.
 * - npm fetches the archive, because it knows the user's registry, proxy and credentials; npm's word for its contents is
 *   not taken: the sha512 pinned below is checked here, and nothing is unpacked before that.
 * - It is unpacked beside FOLDER under a random name, tried, synced and renamed: FOLDER is complete or not there.
 *   Two that do this at once get in nobody's way: the second finds FOLDER there and drops its own.
 * - A failure leaves nothing behind; the machine is as it was. It is exit 3 where there is no place for FOLDER, else exit 5.
 */
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The sha512 of the archives, from the packages' metadata; bin/find-node.sh names the same version. */
const pinned = {
  version: '24.21.0',
  megabytes: { load: 52, installed: 190 },
  integrity: {
    x64: '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    arm64: 'FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
} as const;

const failures = {
  'no-place': {
    what: 'has no place to lie in',
    advice:
      'Make that folder yours alone and writable, or name another with XDG_CACHE_HOME (root: /var/cache is used), or install Node 24.15 or newer, or name one: ASSENT_NODE=/path/to/node.',
    code: 'refused-permission',
    exit: 3,
  },
  'not-fetched': {
    what: 'could not be fetched',
    advice:
      "Check the network and npm's configuration (npm ping) and run the command again, or install Node 24.15 or newer, or name one: ASSENT_NODE=/path/to/node.",
    code: 'download-failed',
    exit: 5,
  },
} as const;

const day = 86_400_000;
const [folder, ...commandArguments] = process.argv.slice(2);

if (folder === undefined) throw new Error('The launcher names the folder.');
await fetchNode(folder);

async function fetchNode(target: string): Promise<void> {
  const home = dirname(target);
  let staging: string | undefined;
  try {
    makePrivateFolder(home);
    sweep(home);
    staging = fs.mkdtempSync(join(home, '.staging-'));
    clearOnSignal(staging);
    announce(target);
    const archive = await load(staging);
    verify(archive);
    settle(unpack(archive, staging), target);
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error), staging === undefined ? 'no-place' : 'not-fetched');
  } finally {
    if (staging !== undefined) fs.rmSync(staging, { recursive: true, force: true });
  }
}

function announce(target: string): void {
  const { load: size, installed } = pinned.megabytes;
  console.error(
    `assent: fetching a Node of its own, ${pinned.version}, once: ${size} MB (${installed} MB in ${target}). This machine's is ${process.version.slice(1)}.`,
  );
}

/** As the launcher asks for later: writable by nobody else. Readable, since root may run things as other users. */
function makePrivateFolder(path: string): void {
  fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  fs.mkdirSync(path, { recursive: true, mode: 0o755 });
  const { uid, mode } = fs.statSync(path);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error(`${path} can be written by other users.`);
}

/** What a killed run left. Younger folders may belong to one that is running. */
function sweep(home: string): void {
  for (const name of fs.readdirSync(home).filter((entry) => entry.startsWith('.staging-'))) {
    const path = join(home, name);
    if (Date.now() - fs.statSync(path).mtimeMs > day) fs.rmSync(path, { recursive: true, force: true });
  }
}

function clearOnSignal(staging: string): void {
  for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15, SIGHUP: 1 })) {
    process.on(signal, () => {
      fs.rmSync(staging, { recursive: true, force: true });
      process.exit(128 + number);
    });
  }
}

/** Path of the archive, as npm wrote it. The package.json beside it ends npm's search for a project's configuration. */
async function load(staging: string): Promise<string> {
  fs.writeFileSync(join(staging, 'package.json'), '{"private":true}\n');
  const spec = `node-linux-${process.arch}@${pinned.version}`;
  const quiet = ['--loglevel=error', '--no-progress', '--no-update-notifier', '--no-json', '--no-dry-run'];
  const retries = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];
  await npm(['pack', spec, '--ignore-scripts', '--pack-destination=.', ...quiet, ...retries], staging);
  const archive = fs.readdirSync(staging).find((name) => name.endsWith('.tgz'));
  if (archive === undefined) throw new Error(`npm fetched no archive of ${spec}.`);
  return join(staging, archive);
}

function npm(parameters: string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('npm', parameters, { cwd, maxBuffer: 1 << 24 }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else if (error.code === 'ENOENT') reject(new Error('There is no npm to fetch it with.'));
      else reject(new Error(`npm could not fetch it: ${firstLines(stderr)}`));
    });
  });
}

function firstLines(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim());
  const telling = lines.filter((line) => line !== '' && !line.startsWith('A complete log of this run'));
  return telling.slice(0, 3).join(' ');
}

function verify(archive: string): void {
  const expected = pinned.integrity[process.arch as keyof typeof pinned.integrity];
  const found = createHash('sha512').update(fs.readFileSync(archive)).digest('base64');
  if (found !== expected) {
    throw new Error(
      `What the registry sent is not Node ${pinned.version}: sha512 ${found} instead of ${expected}. It was deleted.`,
    );
  }
}

/** The unpacked folder, tried and on disk. */
function unpack(archive: string, staging: string): string {
  const unpacked = join(staging, 'node');
  fs.mkdirSync(unpacked, { mode: 0o755 });
  must('tar', ['-xzf', archive, '-C', unpacked, '--strip-components=1', '--no-same-owner', '--no-same-permissions']);
  must('chmod', ['-R', 'go-w', unpacked]);
  const tried = must(join(unpacked, 'bin/node'), ['--version']);
  if (tried.trim() !== `v${pinned.version}`) throw new Error(`The fetched Node calls itself ${tried.trim()}.`);
  must('sync', ['-f', unpacked]);
  return unpacked;
}

function must(command: string, parameters: string[]): string {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const { status, stdout, stderr, error } = spawnSync(command, parameters, { encoding: 'utf8', env });
  if (error) throw new Error(`${basename(command)} could not be run: ${error.message}`);
  if (status !== 0) throw new Error(`${basename(command)} failed: ${firstLines(stderr)}`);
  return stdout;
}

function settle(unpacked: string, target: string): void {
  try {
    fs.renameSync(unpacked, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
  const parent = fs.openSync(dirname(target), 'r');
  fs.fsyncSync(parent);
  fs.closeSync(parent);
}

/** Said as every command says it: people's text on stderr, and with --json one document on stdout. */
function fail(reason: string, why: keyof typeof failures): void {
  const { what, advice, code, exit } = failures[why];
  const message = `Assent's own Node ${pinned.version} ${what}. ${reason.replace(/\.$/, '')}. Nothing was changed.`;
  console.error(`assent: ${message}\n  ${advice}`);
  if (commandArguments.includes('--json')) {
    const error = { code, message, advice, exit };
    const told = { command: commandWords(), ok: false, outcome: 'refused', changed: false };
    console.log(JSON.stringify({ schema: 'assent/1', ...told, error }));
  }
  process.exitCode = exit;
}

/** The words of the command, as far as they can be told without its table. */
function commandWords(): string {
  const words = commandArguments.filter((word, at) => !word.startsWith('-') && commandArguments[at - 1] !== '--home');
  const [first = 'assent', second] = words;
  return second !== undefined && ['telemetry', 'products'].includes(first) ? `${first} ${second}` : first;
}
