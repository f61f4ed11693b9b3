/**
 * Loaded into the real command with NODE_OPTIONS=--import: kills its process with SIGKILL right after the Nth synced write to the
 * journal of a change (or right before it, for a negative N), or behind the first that has a text in it. Nothing in the program knows of it.
 *
 * ASSENT_TEST_CRASH=N        which write; 1 is the opening entry
 * ASSENT_TEST_CRASH=TEXT     which write: "entry":"begin","step":"data"
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const given = process.env.ASSENT_TEST_CRASH ?? '0';
const wanted = Number(given);
const die = () => process.kill(process.pid, 'SIGKILL');
const isJournal = (fd) => {
  try {
    return /\/journal\/open\.jsonl$/.test(fs.readlinkSync(`/proc/self/fd/${fd}`));
  } catch {
    return false;
  }
};

if (wanted !== 0) {
  let [seen, hasText] = [0, false];
  const { fsyncSync, writeSync } = fs;
  fs.writeSync = (fd, data, ...rest) => {
    if (wanted < 0 && isJournal(fd) && seen + 1 === -wanted) die();
    if (Number.isNaN(wanted) && isJournal(fd)) hasText = Buffer.from(data).includes(given);
    return writeSync(fd, data, ...rest);
  };
  fs.fsyncSync = (fd) => {
    fsyncSync(fd);
    if (!isJournal(fd)) return;
    seen += 1;
    if (seen === wanted || hasText) die();
  };
  syncBuiltinESMExports();
}
