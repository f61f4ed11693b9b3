/**
 * The recorder: lives in whatever process sees requests (a Node server, the follower of an access log), and counts while consent says so.
 *
 * What is counted stays in memory until the day or the process ends; then it is suppressed and written as one part. A no after a
 * yes forgets it all, for good: what comes after another change counts in a process of its own. It lives in somebody else's
 * event loop, so it never throws, never sleeps, never keeps a process alive, and looks at little more than a few stats four times a second.
 *
 * While it counts it holds `telemetry/counts` open, which tells `telemetry off` that somebody counts. It never makes that folder; its going is a no. The clock is
 * read at each look, not for each request. When it jumps, that begins another day, or the same one in another part.
 */

import { readNotice } from '../../consent/notice-file.ts';
import type { InstancePaths } from '../../instance/paths.ts';
import { type HeldFolder, holdFolder } from '../../system/held-folder.ts';
import { beforeProcessEnds } from '../../system/process-end.ts';
import type { World } from '../../system/world.ts';
import { type Day, dayOf, makeDay, type Promises } from './day.ts';
import { compileRoutes } from './routes.ts';
import type { Seen } from './seen.ts';
import { makeWatch, type View, type Yes } from './watch.ts';

export interface Recorder {
  /** Counts the request if it is to be counted. Never throws. */
  count(seen: Seen): void;
  /** `waiting` for a yes, `counting`, or `over`: nothing will be counted by this process any more. */
  readonly state: 'waiting' | 'counting' | 'over';
  /** Ends it: what was counted is suppressed and written, if consent still stands. The end of the process and ending signals write it too. */
  end(): void;
}

export type RecordingWorld = Pick<World, 'now' | 'random' | 'machineId' | 'env'>;

interface Counting {
  readonly consent: string;
  readonly promises: Promises;
  readonly folder: HeldFolder;
  readonly forgetProcess: () => void;
  day: Day;
}

const betweenLooksMs = 250;

/** Looks at once, and from then on by itself. `serverVeto`: see `makeWatch`. */
export const makeRecorder = (
  world: RecordingWorld,
  paths: InstancePaths,
  serverVeto?: () => string | undefined,
): Recorder => {
  const watch = makeWatch(world, paths, serverVeto);
  let state: Recorder['state'] = 'waiting';
  let isPaused = false;
  let now = world.now();
  let counting: Counting | undefined;

  const newDay = (promises: Promises): Day => makeDay(dayOf(now), promises, world.random(16));
  const over = (): void => {
    state = 'over';
    clearInterval(timer);
    counting?.folder.release();
    counting?.forgetProcess();
    counting = undefined;
  };
  const safely = (work: () => void): void => {
    try {
      work();
    } catch {
      over();
    }
  };
  const begin = (yes: Yes): void => {
    const notice = readNotice(paths, yes.noticeId);
    const folder = notice && holdFolder(paths.counts);
    if (notice === undefined || folder === undefined) return;
    const promises = { id: yes.noticeId, notice, match: compileRoutes(notice.counters) };
    const forgetProcess = beforeProcessEnds(() => safely(closeDay));
    counting = { consent: yes.consent, promises, folder, forgetProcess, day: newDay(promises) };
    state = 'counting';
  };
  const obey = (view: View): void => {
    isPaused = view === 'unsettled';
    if (isPaused || state === 'over') return;
    if (counting === undefined) {
      if (view !== 'no') begin(view as Yes);
    } else if ((view as Yes).consent !== counting.consent || !counting.folder.isThere()) over();
  };
  /** Nothing is closed while the answer is unsettled: the next look will. */
  const closeDay = (): void => {
    obey(watch.look('anew'));
    if (counting === undefined || isPaused) return;
    const part = counting.day.part();
    dropOld(counting, world.now());
    counting.day = newDay(counting.promises);
    if (part === undefined) return;
    const text = `${JSON.stringify(part)}\n`;
    writeQuietly(counting.folder, `${part.day}.${world.random(8).toString('hex')}.json`, text, world);
  };
  const look = (): void => {
    if (state === 'over') return;
    now = world.now();
    obey(watch.look());
    if (counting !== undefined && !counting.day.has(now)) closeDay();
  };
  const timer = setInterval(() => safely(look), betweenLooksMs).unref();
  safely(look);

  return {
    get state() {
      return state;
    },
    count: (seen) => {
      if (counting === undefined || isPaused) return;
      try {
        counting.day.add(seen, now);
      } catch {
        over();
      }
    },
    end: () => {
      safely(closeDay);
      over();
    },
  };
};

/** Where nobody receives reports, parts are the totals that stay here, for as long as the notice says. */
const dropOld = ({ folder, promises }: Counting, now: Date): void => {
  try {
    folder.dropBefore(dayOf(new Date(now.getTime() - promises.notice.retentionDays * 86_400_000)));
  } catch {
    // The next day tries again.
  }
};

/** A disk that is full takes a part, and nothing more. */
const writeQuietly = (folder: HeldFolder, name: string, text: string, world: Pick<World, 'random'>): void => {
  try {
    folder.put(name, text, world.random(8).toString('hex'));
  } catch {
    // Nobody to tell: this is somebody else's process.
  }
};
