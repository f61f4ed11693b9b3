/**
 * Follows an access log by its name and counts what is appended, for as long as consent stands.
 *
 * It begins at the end of the log, at the moment from which on the recorder counts: what was there before is never read. As nothing says when a line was
 * written into a file, the line's own time is asked as well: one that is older than the beginning is not counted, wherever it turns up.
 *
 * A log that is renamed is read on until nothing more comes, while its successor is read already: servers write into the old one until they are
 * told. A log that is gone may come back; one that is truncated is read from its beginning. (A file that
 * comes and goes between two looks, a tenth of a second, is missed.) Where consent ends, it stops for good.
 */

import { type HeldFile, holdGrowing, identityAt } from '../../system/growing-file.ts';
import { sleep } from '../../system/processes.ts';
import type { World } from '../../system/world.ts';
import type { Recorder } from '../counting/recorder.ts';
import type { Seen } from '../counting/seen.ts';
import type { ReadLine } from './line.ts';
import { type LogFile, pieceSize, readLogFile } from './log-file.ts';

export interface Following {
  readonly world: Pick<World, 'now'>;
  readonly recorder: Pick<Recorder, 'count' | 'state'>;
  readonly read: ReadLine;
  /** The log; it has to lie in the folder. */
  readonly path: string;
  readonly folder: string;
  readonly until: AbortSignal;
  /** Told once for each new reason why the log can't be read. */
  readonly trouble: (why: string) => void;
}

const pauseMs = 100;
/** A renamed log that has not grown for so long is let go. */
const idleMs = 60_000;
const oldLogs = 4;

/** Ends when consent has ended, or when it is told to. */
export const follow = async ({ recorder, until, ...following }: Following): Promise<void> => {
  while (recorder.state === 'waiting' && !until.aborted) await sleep(pauseMs);
  if (recorder.state !== 'counting' || until.aborted) return;
  const log = openLog(following);
  const line = counting({ recorder, ...following });
  try {
    while (recorder.state === 'counting' && !until.aborted) {
      const count = log.advance(line);
      await (count >= pieceSize ? nextTurn() : sleep(pauseMs));
    }
  } finally {
    log.close();
  }
};

/** Timers and signals have their turn between two pieces: that is how the recorder learns of a no. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

type Line = (bytes: Buffer, from: number, to: number) => void;

/** A line's own time decides about hour and day, where it is of today; where a server's clock is wrong or a line comes late, now does. */
export const counting = ({ world, recorder, read }: Pick<Following, 'world' | 'recorder' | 'read'>): Line => {
  const since = world.now().getTime();
  return (bytes, from, to) => {
    const seen = read(bytes, from, to);
    if (seen === undefined || seen.at.getTime() < since) return;
    const isOfToday = dayNumber(seen.at) === dayNumber(world.now());
    recorder.count(isOfToday ? seen : undated(seen));
  };
};

const dayNumber = (at: Date): number => Math.floor(at.getTime() / 86_400_000);
const undated = ({ at: _, ...seen }: Seen): Seen => seen;

interface FollowedLog {
  /** Reads one piece of each of its files; how many bytes there were. */
  advance(line: Line): number;
  close(): void;
}

interface OldLog {
  readonly file: LogFile;
  grewAt: number;
}

const openLog = ({
  path,
  folder,
  world,
  trouble,
}: Pick<Following, 'path' | 'folder' | 'world' | 'trouble'>): FollowedLog => {
  let said = '';
  const open = (start: 'beginning' | 'end'): LogFile | undefined => {
    const held: HeldFile | string = holdGrowing(path, folder);
    const why = typeof held === 'string' ? held : '';
    if (why !== said && why !== '') trouble(`${path} ${why}`);
    said = why;
    return typeof held === 'string' ? undefined : readLogFile(held, start);
  };
  let current = open('end');
  let old: OldLog[] = [];

  const turnToNew = (): void => {
    const identity = identityAt(path);
    if (current !== undefined && (identity === undefined || identity === current.identity)) return;
    const again = old.find(({ file }) => file.identity === identity);
    const next = again?.file ?? open('beginning');
    if (next === undefined) return;
    old = old.filter((one) => one !== again);
    if (current !== undefined) old.push({ file: current, grewAt: world.now().getTime() });
    current = next;
  };
  const advanceOld = (line: Line): number => {
    const now = world.now().getTime();
    let count = 0;
    for (const one of old) {
      const more = one.file.advance(line);
      if (more > 0) one.grewAt = now;
      count += more;
    }
    const isKept = ({ grewAt }: OldLog, at: number): boolean => now - grewAt < idleMs && at >= old.length - oldLogs;
    for (const [at, one] of old.entries()) if (!isKept(one, at)) one.file.close();
    old = old.filter(isKept);
    return count;
  };
  return {
    advance: (line) => {
      const before = advanceOld(line) + (current?.advance(line) ?? 0);
      // The current one first, to its end.
      if (before < pieceSize) turnToNew();
      return before;
    },
    close: () => {
      current?.close();
      for (const { file } of old) file.close();
    },
  };
};
