/**
 * One file of a log, read in large pieces: whole lines are handed on as bytes, the torn rest waits for its end. A file that was truncated is read
 * from its beginning (copytruncate); lines longer than any real one are passed over. What it holds in memory is one buffer.
 */

import type { HeldFile } from '../../system/growing-file.ts';

export interface LogFile {
  readonly identity: string;
  /** Reads one piece; how many bytes it had. */
  readonly advance: (line: (bytes: Buffer, from: number, to: number) => void) => number;
  readonly close: () => void;
}

export const longestLine = 16 * 1024;
export const pieceSize = 256 * 1024;
const newline = 0x0a;

/** `end`: what is in the file now is passed over, with the rest of a line that is only begun. */
export const readLogFile = (file: HeldFile, start: 'beginning' | 'end'): LogFile => {
  const bytes = Buffer.alloc(longestLine + pieceSize);
  let position = start === 'end' ? file.size() : 0;
  /** Bytes of a begun line at the start of the buffer. */
  let begun = 0;
  /** In a line that is not wanted, up to its end. */
  let isPassing = start === 'end' && isWithinLine(file, position, bytes);

  const restartIfTruncated = (): void => {
    if (file.size() >= position) return;
    position = 0;
    begun = 0;
    isPassing = false;
  };
  const handOn = (filled: number, line: (bytes: Buffer, from: number, to: number) => void): void => {
    let from = 0;
    for (let end = bytes.indexOf(newline); end >= 0 && end < filled; end = bytes.indexOf(newline, from)) {
      if (!isPassing && end - from <= longestLine) line(bytes, from, end);
      isPassing = false;
      from = end + 1;
    }
    isPassing ||= filled - from > longestLine;
    begun = isPassing ? 0 : filled - from;
    if (begun > 0) bytes.copyWithin(0, from, filled);
  };
  return {
    identity: file.identity,
    advance: (line) => {
      restartIfTruncated();
      const count = file.read(bytes, begun, pieceSize, position);
      position += count;
      if (count > 0) handOn(begun + count, line);
      return count;
    },
    close: file.close,
  };
};

const isWithinLine = (file: HeldFile, end: number, bytes: Buffer): boolean =>
  end > 0 && file.read(bytes, 0, 1, end - 1) === 1 && bytes[0] !== newline;
