/**
 * DO_NOT_TRACK in the environment of the server's very process, where it can be seen: a foreground run passes its own on. Light, for
 * `telemetry status` answers for the running server.
 *
 * What systemd starts is not looked up: asking it costs more than the whole answer, and what a change wrote for the server is in its state.
 */

import type { InstancePaths } from '../instance/paths.ts';
import { statIfThere } from '../system/files.ts';
import { environmentOf } from '../system/process-table.ts';
import { isAlive } from '../system/processes.ts';
import { readRecord } from './process-record.ts';

/** The variable's value; undefined where it is not set, nothing runs, or it can't be seen. */
export const serverVetoOf = (paths: InstancePaths): string | undefined => {
  const owner = statIfThere(paths.folder)?.uid;
  const child = owner === undefined ? null : (readRecord(paths, owner)?.child ?? null);
  return child !== null && isAlive(child) ? environmentOf(child.pid).DO_NOT_TRACK : undefined;
};
