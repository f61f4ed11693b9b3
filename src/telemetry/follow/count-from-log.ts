/** A recorder and a follower, put together: what `assent telemetry follow` runs. The day's part is closed when it ends, if consent still stands. */

import type { InstancePaths } from '../../instance/paths.ts';
import { serverVetoOf } from '../../service/server-veto.ts';
import type { Asker } from '../../service/unit-environment.ts';
import { makeRecorder, type RecordingWorld } from '../counting/recorder.ts';
import type { Followed } from './followed.ts';
import { type Following, follow } from './follower.ts';
import { makeLineReader } from './line.ts';
import { listen } from './listener.ts';

export const countFromLog = async (
  world: RecordingWorld & Asker,
  paths: InstancePaths,
  { log, path, isSocket, folder, counters }: Followed,
  { until, trouble }: Pick<Following, 'until' | 'trouble'>,
): Promise<void> => {
  const recorder = makeRecorder(world, paths, () => serverVetoOf(world, paths));
  try {
    const following = { world, recorder, read: makeLineReader(log, counters), path, folder, until, trouble };
    await (isSocket ? listen(following) : follow(following));
  } finally {
    recorder.end();
  }
};
