/**
 * Loaded into the real command with NODE_OPTIONS=--import: kills its process with SIGKILL right after the Nth synced write to the
 * journal of a change (or right before it, for a negative N). Nothing in the program knows of it.
 *
 * ASSENT_TEST_CRASH=N     which write; 1 is the opening entry
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const wanted = Number(process.env.ASSENT_TEST_CRASH ?? 0);
const die = () => process.kill(process.pid, 'SIGKILL');
const isJournal = (fd) => {
  try {
    return /\/journal\/open\.jsonl$/.test(fs.readlinkSync(`/proc/self/fd/${fd}`));
  } catch {
    return false;
  }
};

if (wanted !== 0) {
  let seen = 0;
  const { fsyncSync, writeSync } = fs;
  fs.writeSync = (fd, ...rest) => {
    if (wanted < 0 && isJournal(fd) && seen + 1 === -wanted) die();
    return writeSync(fd, ...rest);
  };
  fs.fsyncSync = (fd) => {
    fsyncSync(fd);
    if (!isJournal(fd)) return;
    seen += 1;
    if (seen === wanted) die();
  };
  syncBuiltinESMExports();
}
