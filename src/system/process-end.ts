/**
 * The end of a process that is not ours: something has to be done before it ends, and it shall end exactly as it would have without us.
 *
 * Where the server has no handler of its own, a signal kills it without Node's `exit`. So there is one of ours, which does its work, takes itself away and
 * sends the signal once more. Where the server has one, ours steps aside before that runs: libraries count the listeners to find out
 * whether they are alone. If the process lives on, ours comes back.
 */

const ending = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
const comesBackMs = 1_000;

/** Calls the work when the process ends or is asked to, until what is returned is called. The work must not throw; it may be called more than once. */
export const beforeProcessEnds = (work: () => void): (() => void) => {
  let isOver = false;
  const handlers = ending.map((signal) => {
    const handler = (): void => {
      work();
      process.off(signal, handler);
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      setTimeout(() => {
        if (!isOver) process.prependListener(signal, handler);
      }, comesBackMs).unref();
    };
    process.prependListener(signal, handler);
    return { signal, handler };
  });
  process.on('exit', work);
  return () => {
    isOver = true;
    process.off('exit', work);
    for (const { signal, handler } of handlers) process.off(signal, handler);
  };
};
