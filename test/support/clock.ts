/**
 * A clock that a test moves: Debian's libfaketime under a real server and the real command. Both read how far they are ahead from one file, so a day
 * passes for all of them at once. Time that only passes (timers) stays real.
 */

import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const library = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1',
].find((path) => existsSync(path));

/** Why there is none. */
export const noClock = library === undefined ? 'libfaketime is not installed (apt-get install libfaketime)' : undefined;

export interface Clock {
  /** For the environment of whoever is to live by it. */
  readonly env: Readonly<Record<string, string>>;
  /** Moves it to so many days from now. */
  move(days: number): void;
  /** The day that it is there, UTC. */
  day(): string;
}

export const movableClock = (folder: string): Clock => {
  if (noClock !== undefined && process.env.CI) throw new Error(`${noClock}, and CI skips nothing`);
  const file = join(folder, 'clock');
  let ahead = 0;
  const move = (days: number): void => {
    ahead = days;
    writeFileSync(file, `+${days * 24}h\n`);
    chmodSync(file, 0o644);
  };
  move(0);
  return {
    env: {
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
    move,
    day: () => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10),
  };
};

/**
 * What is counted belongs to a day and an hour, UTC, and what has too few people behind it goes: whoever wants visits together does not begin right before the hour ends.
 * `needs`: how long they take.
 */
export const awayFromTheFullHour = async (needs = 30_000): Promise<void> => {
  const left = 3_600_000 - (Date.now() % 3_600_000);
  if (left < needs) await sleep(left + 500);
};
