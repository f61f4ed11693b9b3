/** The number of the generation that a change begins: one more than anything that state file, consent log or mark know of. */

import { loadLog } from '../consent/log.ts';
import { markedGeneration } from '../consent/mark.ts';
import type { InstancePaths } from '../instance/paths.ts';
import type { InstanceState } from '../instance/state.ts';

export const nextGeneration = (paths: InstancePaths, before: InstanceState | null): number =>
  Math.max(before?.generation ?? 0, loggedGeneration(paths), markedGeneration(paths)) + 1;

/** A log that can't be read fails no change: it is put right when the generation begins. */
const loggedGeneration = (paths: InstancePaths): number => {
  try {
    return loadLog(paths).generation?.generation ?? 0;
  } catch {
    return 0;
  }
};
