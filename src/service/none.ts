/**
 * No supervisor: for containers and other inits, which run `assent run NAME` in the foreground themselves.
 *
 * A change still has to see the new release healthy. It starts it by the same detached run, looks, and stops it again; the
 * record and the lock are the same, so a foreground run that stands in the way is seen and named.
 */

import { readLog, serverLog } from './log-rotation.ts';
import { observeRun, startDetachedRun, stopDetached } from './process.ts';
import type { Supervisor } from './supervisor.ts';

export const noneSupervisor: Supervisor = {
  kind: 'none',
  mustBeOurs: async () => {},
  install: async () => {},
  atBoot: async () => {},
  remove: (spec) => stopDetached(spec),
  start: (spec) => startDetachedRun(spec),
  stop: (spec) => stopDetached(spec),
  observe: (spec) => Promise.resolve(observeRun(spec)),
  logs: (spec, options) => readLog(serverLog(spec.paths.logs), options),
  describe: async () => [],
  warnings: ({ instance }) => [
    {
      id: 'nobody-starts-it',
      message: 'Without a supervisor nobody starts the server but you.',
      remedy: `Have your container or init run: assent run ${instance}`,
    },
  ],
};
