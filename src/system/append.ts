/**
 * Durable lines: journal and consent log grow by these, and a line that was written is never rewritten.
 *
 * As with whole files (files.ts), a link in the last component is never followed, and after a failed fsync nothing is reported as done.
 */

import { closeSync, constants, fsyncSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, ifThere, regularFile, setAttributes, syncFolder, type WriteOptions, writeAll } from './files.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;

/**
 * Appends one line (a newline is added where it lacks one). Where the last line was torn by a crash, it is closed by a newline first and so
 * stays as a line of its own: nothing that was written is ever rewritten. Mode and owner count only for a file that is made here. Many may append at
 * once; who sees another's line half written leaves an empty line behind it.
 */
export const appendDurably = (path: string, line: string, options: WriteOptions = {}): void => {
  const text = line.endsWith('\n') ? line.slice(0, -1) : line;
  if (text.includes('\n')) throw new Error(`More than one line to append to ${path}`);
  const fd = openForAppending(path, options);
  let isNew: boolean;
  try {
    const { size } = regularFile(fd, path);
    isNew = size === 0;
    writeAll(fd, `${endsInTornLine(fd, size) ? '\n' : ''}${text}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (isNew) syncFolder(dirname(path));
};

const openForAppending = (path: string, options: WriteOptions): number => {
  const flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
  const fd = ifThere(() => openSync(path, flags));
  if (fd !== undefined) return fd;
  try {
    const made = openSync(path, flags | O_CREAT | O_EXCL, 0o600);
    setAttributes(made, { mode: 0o644, ...options });
    return made;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // Somebody else has made it meanwhile.
    return openSync(path, flags);
  }
};

const endsInTornLine = (fd: number, size: number): boolean => {
  const last = Buffer.alloc(1);
  return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a;
};
