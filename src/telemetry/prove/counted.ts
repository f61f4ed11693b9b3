/** What counting and sending leave in an instance's folder: names and sizes. The counts' own folder may be an untrusted account's: nothing is opened. */

import { join, relative } from 'node:path';
import type { InstancePaths } from '../../instance/paths.ts';
import { listFolder, statIfThere } from '../../system/files.ts';

export interface CountedFile {
  /** Below the instance's folder. */
  readonly path: string;
  readonly bytes: number;
}

export const countedFiles = ({ folder, telemetry, counts, spool, reports }: InstancePaths): CountedFile[] =>
  [telemetry, counts, spool, reports]
    .filter((place) => statIfThere(place)?.kind === 'folder')
    .flatMap((place) => listFolder(place).map((name) => join(place, name)))
    .flatMap((path) => {
      const stat = statIfThere(path);
      return stat === undefined || stat.kind === 'folder' ? [] : [{ path: relative(folder, path), bytes: stat.size }];
    });

/** Whether a path of the instance, relative to its folder, is counting's or sending's. */
export const isOfTelemetry = (path: string): boolean => /^(telemetry|reports)(\/|$)/.test(path);
