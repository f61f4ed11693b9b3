/**
 * The recorder: lives in whatever process sees requests (a Node server, the follower of an access log), and counts while consent says so.
 *
 * What is counted stays in memory until the day or the process ends; then it is suppressed and written as one part. A no after a
 * yes forgets it all, for good: what comes after another change counts in a process of its own. It lives in somebody else's
 * event loop, so it never throws, never sleeps, never keeps a process alive, and looks at little more than a few stats four times a second.
 */

import type { InstancePaths } from '../../instance/paths.ts';
import type { World } from '../../system/world.ts';
import type { Seen } from './seen.ts';

export interface Recorder {
  /** Counts the request if it is to be counted. Never throws. */
  count(seen: Seen): void;
  /** `waiting` for a yes, `counting`, or `over`: nothing will be counted by this process any more. */
  readonly state: 'waiting' | 'counting' | 'over';
  /** Ends it: what was counted is suppressed and written, if consent still stands. The end of the process and ending signals do the same. */
  end(): void;
}

export type RecordingWorld = Pick<World, 'now' | 'random' | 'machineId' | 'env'>;

export declare const makeRecorder: (world: RecordingWorld, paths: InstancePaths) => Recorder;
