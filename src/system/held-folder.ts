/**
 * A folder that somebody else may take away at any moment, and that is kept open as long as it is written to: who wants to know whether
 * somebody still writes looks for it under /proc/PID/fd. What is written goes in by its path, so that nothing reaches a folder
 * that was renamed away; the folder itself is never made.
 *
 * Nothing is synced: this runs in the event loop of a server, and what a power cut takes is simply gone.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export interface HeldFolder {
  /** Whether the folder that is held still stands at its path. Never throws. */
  isThere(): boolean;
  /** Writes a new file in one step. Throws where the folder has gone. */
  put(name: string, text: string, random: string): void;
  /** Removes the files whose names come before this one. Throws the system's error. */
  dropBefore(name: string): void;
  /** Never throws. */
  release(): void;
}

/** Undefined where there is no such folder, or none that we may open. A link is none. */
export const holdFolder = (path: string): HeldFolder | undefined => {
  const fd = openQuietly(path);
  if (fd === undefined) return undefined;
  const isThere = (): boolean => {
    try {
      const [held, there] = [fstatSync(fd), lstatSync(path)];
      return held.ino === there.ino && held.dev === there.dev && there.isDirectory();
    } catch {
      return false;
    }
  };
  const put = (name: string, text: string, random: string): void => {
    if (!isThere()) throw new Error(`${path} has been taken away`);
    const temporary = join(path, `.${name.slice(0, 50)}.${random}.part`);
    const file = openSync(temporary, 'wx', 0o640);
    try {
      writeWhole(file, Buffer.from(text));
      renameSync(temporary, join(path, name));
    } catch (error) {
      unlinkQuietly(temporary);
      throw error;
    } finally {
      closeSync(file);
    }
  };
  const dropBefore = (name: string): void => {
    if (!isThere()) return;
    for (const old of readdirSync(path).filter((each) => /^\d/.test(each) && each < name))
      unlinkQuietly(join(path, old));
  };
  return { isThere, put, dropBefore, release: once(() => closeQuietly(fd)) };
};

const openQuietly = (path: string): number | undefined => {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
};

const writeWhole = (fd: number, bytes: Buffer): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
};

const unlinkQuietly = (path: string): void => {
  try {
    unlinkSync(path);
  } catch {
    // It went with its folder.
  }
};

const closeQuietly = (fd: number): void => {
  try {
    closeSync(fd);
  } catch {
    // Closed already.
  }
};

/** A number that was closed may be somebody else's file by now. */
const once = (work: () => void): (() => void) => {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
};
