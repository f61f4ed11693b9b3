/**
 * Takes requests from a server that writes no log of them, through a socket, and counts them for as long as consent stands. As with a log that is
 * followed, a line's own time decides, and nothing is read before consent begins; but here no line was ever in a file.
 */

import { messageOf } from '../../errors.ts';
import { openLineSocket } from '../../system/line-socket.ts';
import { sleep } from '../../system/processes.ts';
import { counting, type Following } from './follower.ts';
import { longestLine } from './log-file.ts';

const pauseMs = 100;

/** Ends when consent has ended, or when it is told to. */
export const listen = async ({
  recorder,
  until,
  path,
  trouble,
  ...following
}: Omit<Following, 'folder'>): Promise<void> => {
  while (recorder.state === 'waiting' && !until.aborted) await sleep(pauseMs);
  if (recorder.state !== 'counting' || until.aborted) return;
  const line = counting({ recorder, ...following });
  const socket = await openLineSocket(path, longestLine, line).catch((error: unknown) => messageOf(error));
  if (typeof socket === 'string') {
    trouble(`${path} can't be listened on: ${socket}`);
    return;
  }
  try {
    while (recorder.state === 'counting' && !until.aborted && socket.trouble() === undefined) await sleep(pauseMs);
  } finally {
    socket.close();
  }
};
