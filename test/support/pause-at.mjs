/**
 * Loaded into the real command with NODE_OPTIONS=--import: stops its process with SIGSTOP right behind the synced entry of a change's journal
 * that has a text in it, until somebody sends SIGCONT. Nothing in the program knows of it.
 *
 * ASSENT_TEST_PAUSE=TEXT     which entry: "entry":"begin","step":"data"
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
