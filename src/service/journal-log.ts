/** A service's output as systemd's journal has it. */

import { readLines } from '../system/child.ts';
import { managerEnvironment } from './manager.ts';
import type { ServiceSpec } from './spec.ts';
import type { LogOptions } from './supervisor.ts';

/** Lines of the unit's messages; with `follow` what comes, until aborted. */
export const readJournal = (
  spec: ServiceSpec,
  unit: string,
  { lines, follow, until }: LogOptions,
): AsyncIterable<string> => {
  const which = spec.host.uid === 0 ? ['--unit', unit] : ['--user-unit', unit];
  const command = [
    'journalctl',
    ...which,
    '--no-pager',
    '--quiet',
    '--output=short-iso',
    '--no-hostname',
    '--lines',
    String(lines),
  ];
  return readLines(follow ? [...command, '--follow'] : command, managerEnvironment(spec.host.uid), until);
};
