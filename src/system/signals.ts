/**
 * Signals that ask this process to end. What one means depends on what is going on: at a question it cancels, in a change it
 * finishes the step under way and undoes, while reading it just ends. The innermost handler decides.
 */

export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';
type Handler = (signal: EndingSignal) => void;

const handlers: Handler[] = [];
let listening = false;

/** Makes the handler the one that decides, until what is returned is called. */
export const onEndingSignal = (handler: Handler): (() => void) => {
  listen();
  handlers.push(handler);
  return () => {
    const at = handlers.lastIndexOf(handler);
    if (at >= 0) handlers.splice(at, 1);
  };
};

/** Does work that has an end of its own and is not left half done: a signal meanwhile is answered with a line, once (a library may send it anew), and changes nothing. */
export const toTheEnd = async <T>(work: () => Promise<T>, say: (text: string) => void): Promise<T> => {
  let isTold = false;
  const unwatch = onEndingSignal((signal) => {
    if (!isTold) say(`${signal}: this is brought to its end first, please wait.`);
    isTold = true;
  });
  try {
    return await work();
  } finally {
    unwatch();
  }
};

/** Lets handlers hear what has arrived while nothing was waited for. */
export const hearSignals = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const listen = (): void => {
  if (listening) return;
  listening = true;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const handler = handlers.at(-1);
      if (handler) handler(signal);
    });
  }
};
