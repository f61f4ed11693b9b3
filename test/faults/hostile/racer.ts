/**
 * A hostile user: a process with the rights of a server's account and none of ours, that swaps folders for links and pipes as fast as it can, in every place that it may write.
 * What it wants root to read or to write is the canary.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from '../../support/as-root.ts';
import { makeSandbox, removeSandbox } from '../../support/sandbox.ts';

export const secret = 'what root alone may read';

/** Perl, for a shell starts a process for each of its swaps. Of each that has come off it writes a sign. */
const script = `
  my ($canary, @places) = @ARGV;
  my ($round, $parent) = (0, getppid());
  while (1) {
    $round++;
    exit if getppid() != $parent;
    for my $place (@places) {
      my ($prey, $away, $trap) = ("$place/prey", "$place/away", "$place/trap");
      mkdir $prey; mkdir "$prey/deep";
      if (open my $bait, '>', "$prey/song") { print $bait "bait\\n"; close $bait; }
      if (open my $bait, '>', "$prey/deep/song") { print $bait "bait\\n"; close $bait; }
      symlink $canary, $trap;
      select undef, undef, undef, 0.0003 * ($round % 4);
      rename $prey, $away and rename $trap, $prey and syswrite STDOUT, '.';
      select undef, undef, undef, 0.0003 * ($round % 3);
      unlink $prey; unlink $trap;
      symlink "$canary/song", "$place/song"; link "$place/song", "$place/hard";
      system 'mkfifo', "$place/pipe" if $round % 50 == 1;
      unlink "$away/song", "$away/deep/song"; rmdir "$away/deep"; rmdir $away;
      unlink "$place/song", "$place/hard";
      unlink "$place/pipe" if $round % 50 == 40;
      rename "$place.mine", $place; rename $place, "$place.mine"; rename "$place.mine", $place;
    }
  }`;

export interface Racer {
  /** Resolves once a folder has been swapped for a link; where none is, it is ended. */
  readonly begun: () => Promise<void>;
  /** Ends it, before anybody else goes where it has been. Throws where it had ended before. */
  readonly end: () => Promise<void>;
  readonly swaps: () => number;
}

export const startRacer = ({ uid, gid }: Account, canary: string, places: readonly string[]): Racer => {
  const becoming = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs'];
  const child: ChildProcess = spawn('setpriv', [...becoming, 'perl', '-e', script, canary, ...places], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let swaps = 0;
  child.stdout?.on('data', (signs: Buffer) => {
    swaps += signs.length;
  });
  const ended = once(child, 'close');
  const end = async (): Promise<void> => {
    const wasAlive = isAlive(child);
    child.kill('SIGKILL');
    await ended;
    assert.ok(wasAlive, 'the account was at it all the time');
  };
  const begun = async (): Promise<void> => {
    for (let waited = 0; swaps === 0 && waited < patienceMs && isAlive(child); waited += 10) await sleep(10);
    if (swaps > 0) return;
    await end();
    assert.fail('the account has swapped nothing');
  };
  return { begun, end, swaps: () => swaps };
};

const patienceMs = 30_000;

const isAlive = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

/** Whether one more time of reading is seen on this filesystem: without it nothing would tell that the canary was read. */
export const isReadingSeen = (): boolean => {
  const folder = makeSandbox();
  try {
    const canary = makeCanary(folder);
    const before = canaryLooks(canary);
    readFileSync(join(canary, 'deep/song'));
    return canaryLooks(canary) !== before;
  } finally {
    removeSandbox(folder);
  }
};

/** What nobody may touch. Its files were last read long before they were written, so that one more time of reading shows. */
export const makeCanary = (folder: string): string => {
  const canary = join(folder, 'canary');
  mkdirSync(join(canary, 'deep'), { recursive: true });
  for (const file of ['song', 'deep/song']) {
    writeFileSync(join(canary, file), `${secret}\n`, { mode: 0o600 });
    utimesSync(join(canary, file), new Date('2020-01-01'), new Date('2021-01-01'));
  }
  return canary;
};

/** Everything about it that a reader or a writer would change; of its folders not when they were listed, for this looks into them. */
export const canaryLooks = (canary: string): string =>
  ['.', 'song', 'deep', 'deep/song']
    .map((path) => {
      const stat = lstatSync(join(canary, path));
      const { mode, uid, gid, nlink, size, atimeMs, mtimeMs, ctimeMs, ino } = stat;
      return [path, mode, uid, gid, nlink, size, stat.isFile() ? atimeMs : '', mtimeMs, ctimeMs, ino].join(' ');
    })
    .concat(readdirSync(canary).sort().join(), readdirSync(join(canary, 'deep')).join())
    .join('\n');

/** Files below a folder that have got what the canary has; links are not followed. The racer has to have ended. */
export const copiesOf = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return copiesOf(path);
    return entry.isFile() && lstatSync(path).size < 1_000_000 && readFileSync(path, 'latin1').includes(secret)
      ? [path]
      : [];
  });
