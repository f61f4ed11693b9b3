/**
 * Loaded into the real command with NODE_OPTIONS=--import: stops its process with SIGSTOP right behind the synced entry of a change's journal
 * that has a text in it, until somebody sends SIGCONT. Nothing in the program knows of it.
 *
 * ASSENT_TEST_PAUSE=TEXT          which entry: "entry":"begin","step":"data"
 * ASSENT_TEST_PAUSE_OPENING=TEXT  or before it first opens a file that has a text in its path
 * ASSENT_TEST_PAUSE_ONCE=PATH     and not before that path is there
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const wanted = process.env.ASSENT_TEST_PAUSE;

if (wanted !== undefined) {
  let pending;
  const { fsyncSync, writeSync } = fs;
  fs.writeSync = (fd, data, ...rest) => {
    if (Buffer.from(data).includes(wanted)) pending = fd;
    return writeSync(fd, data, ...rest);
  };
  fs.fsyncSync = (fd) => {
    fsyncSync(fd);
    if (fd !== pending) return;
    pending = undefined;
    process.kill(process.pid, 'SIGSTOP');
  };
  syncBuiltinESMExports();
}

const path = process.env.ASSENT_TEST_PAUSE_OPENING;
const once = process.env.ASSENT_TEST_PAUSE_ONCE;

if (path !== undefined) {
  let isPaused = false;
  for (const name of ['openSync', 'readFileSync']) {
    const real = fs[name];
    fs[name] = (file, ...rest) => {
      if (!isPaused && String(file).includes(path) && (once === undefined || fs.existsSync(once))) {
        isPaused = true;
        process.kill(process.pid, 'SIGSTOP');
      }
      return real(file, ...rest);
    };
  }
  syncBuiltinESMExports();
}
