/**
 * This process itself: signals that are passed on, and becoming another program.
 *
 * As process 1 of a container the kernel hands us every orphan, and Node waits only for children that it knows: a server's
 * stray grandchildren would stay zombies for ever. A POSIX shell reaps whatever ends while it waits, so process 1 becomes a
 * shell of ten lines that starts us again below itself.
 */

import { readFileSync, rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

export type PassedSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR1' | 'SIGUSR2' | 'SIGQUIT' | 'SIGWINCH';

/** Calls the handler for these signals instead of ending, until what is returned is called. */
export const onSignals = (signals: readonly PassedSignal[], handler: (signal: PassedSignal) => void): (() => void) => {
  for (const signal of signals) process.on(signal, handler);
  return () => {
    for (const signal of signals) process.off(signal, handler);
  };
};

/** All of standard input, once whoever writes it has ended it. */
export const readInput = (): string => readFileSync(0, 'utf8');

/** Removes a folder of ours that this very process runs from when it ends, and the one above it if nothing else is left in that. */
export const removeAtExit = (folder: string): void => {
  process.once('exit', () => {
    try {
      rmSync(folder, { recursive: true, force: true });
      rmdirSync(dirname(folder));
    } catch {
      // What is left only takes space, and there is nobody left to tell.
    }
  });
};

/** The words that start this very program again: whatever is to run below us is as old as we are. */
export const ownCommand = (): string[] => [process.execPath, ...process.execArgv, process.argv[1] ?? ''];

export const isFirstProcess = (): boolean => process.pid === 1;

/**
 * Puts a reaping init in our place and runs our own command again below it. Returns only where this Node can't replace
 * itself (before 22.15): then false, and orphans stay unreaped.
 */
export const becomeInit = (): boolean => {
  if (typeof process.execve !== 'function') return false;
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve('/bin/sh', ['sh', '-c', initScript, 'assent-init', ...again], process.env as Record<string, string>);
  return true;
};

/**
 * The init. A signal ends `wait` early with a code above 128, so it is asked again until the child is gone;
 * 127 means that the shell had its true code already. The redirect keeps standard input, which `&` would take away.
 */
const initScript = `
"$@" <&0 &
child=$!
for signal in TERM INT HUP USR1 USR2 QUIT; do trap "kill -$signal $child 2>/dev/null" $signal; done
while :; do
  wait $child; code=$?
  [ $code -le 128 ] && break
  kill -0 $child 2>/dev/null && continue
  wait $child; again=$?
  [ $again -eq 127 ] || code=$again
  break
done
exit $code
`;
