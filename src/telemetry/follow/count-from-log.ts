/** A recorder and a follower, put together: what `assent telemetry follow` runs. The day's part is closed when it ends, if consent still stands. */

import type { InstancePaths } from '../../instance/paths.ts';
import { makeRecorder, type RecordingWorld } from '../counting/recorder.ts';
import type { Followed } from './followed.ts';
import { type Following, follow } from './follower.ts';
import { makeLineReader } from './line.ts';

export const countFromLog = async (
  world: RecordingWorld,
  paths: InstancePaths,
  { log, path, folder, counters }: Followed,
  { until, trouble }: Pick<Following, 'until' | 'trouble'>,
): Promise<void> => {
  const recorder = makeRecorder(world, paths);
  try {
    await follow({ world, recorder, read: makeLineReader(log, counters), path, folder, until, trouble });
  } finally {
    recorder.end();
  }
};
