/**
 * The log of a server that no journal looks after: `logs/server.log`, rotated by size to server.log.1 .. server.log.5.
 *
 * Rotating is renaming, upwards from the oldest, so a crash in between loses at most the oldest file. A log that can't be
 * written (a full disk) never stops a server: what does not fit is dropped, and the next bytes are tried again.
 */

import { join } from 'node:path';
import { type GrowingFile, openGrowing, readGrowing, renameLog } from '../system/growing-file.ts';
import { sleep } from '../system/processes.ts';
import type { LogOptions } from './supervisor.ts';

export interface LogLimits {
  /** A file is rotated before it would grow beyond this. */
  readonly bytes: number;
  /** Rotated files that are kept beside the current one. */
  readonly files: number;
}

export interface RotatedLog {
  readonly append: (bytes: Uint8Array) => void;
  readonly close: () => void;
}

export const logLimits: LogLimits = { bytes: 10_000_000, files: 5 };

export const serverLog = (logs: string): string => join(logs, 'server.log');

export const openLog = (path: string, group: number | undefined, limits: LogLimits = logLimits): RotatedLog => {
  let file: GrowingFile | undefined;
  const append = (bytes: Uint8Array): void => {
    file ??= openGrowing(path, group);
    if (file.size() > 0 && file.size() + bytes.length > limits.bytes) {
      file.close();
      file = undefined;
      rotate(path, limits.files);
      file = openGrowing(path, group);
    }
    file.append(bytes);
  };
  return {
    append: (bytes) => {
      try {
        append(bytes);
      } catch {
        // Said in the header: a log is no reason to stop.
      }
    },
    close: () => file?.close(),
  };
};

const rotate = (path: string, files: number): void => {
  for (let number = files - 1; number >= 1; number -= 1) renameLog(`${path}.${number}`, `${path}.${number + 1}`);
  renameLog(path, `${path}.1`);
};

/** The last lines of the log, those of the rotated file before it included where the current one is short; then what follows. */
export async function* readLog(path: string, { lines, follow, until }: LogOptions): AsyncGenerator<string> {
  const tail = lastLines([`${path}.1`, path], lines);
  yield* tail.lines;
  let { offset, inode } = tail;
  let rest = '';
  while (follow && until?.aborted !== true) {
    const more = readGrowing(path, offset);
    if (more === undefined || more.inode !== inode || more.size < offset) {
      offset = 0;
      inode = more?.inode ?? 0;
    } else {
      offset += more.bytes.length;
      const parts = (rest + more.bytes.toString('utf8')).split('\n');
      rest = parts.pop() ?? '';
      yield* parts;
    }
    if (more === undefined || more.bytes.length === 0) await sleep(100);
  }
}

/** How much of a log is read from its end to find its last lines: a screen of a hundred long lines and more. */
const tailBytes = 1_000_000;

const lastLines = (paths: readonly string[], count: number): { lines: string[]; offset: number; inode: number } => {
  let text = '';
  let end = { offset: 0, inode: 0 };
  for (const path of paths) {
    const size = readGrowing(path, Number.MAX_SAFE_INTEGER)?.size ?? 0;
    const start = Math.max(0, size - tailBytes);
    const read = readGrowing(path, start);
    text += read?.bytes.toString('utf8') ?? '';
    end = { offset: start + (read?.bytes.length ?? 0), inode: read?.inode ?? 0 };
  }
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return { lines: count === 0 ? [] : lines.slice(-count), ...end };
};
