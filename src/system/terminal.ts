/**
 * The terminal, or what stands in its place: writing to the two outputs, the size of the screen, input that ends,
 * and keys that were typed too early.
 *
 * A closed output (EPIPE, EIO after a hang-up) is no error: the text is dropped and whoever asked is told once. What a
 * run does then is its own affair: a change goes on to its end, a reading command stops.
 */

import { fstatSync, writeSync } from 'node:fs';

type Listener = () => void;
export type Stream = 'out' | 'err';

const ctrlC = '\u0003';
const closed = new Set<Stream>();
const whenClosed = new Set<Listener>();
const watched = new Set<Stream>();
const descriptors = { out: 1, err: 2 } as const;
const streams = { out: () => process.stdout, err: () => process.stderr } as const;
/** What a write fails with once nobody reads any more. */
const closedCodes = ['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'EBADF'];
let lost: NodeJS.ErrnoException | undefined;

/**
 * Whether the descriptor is a terminal. Files, pipes and /dev/null are told without loading Node's terminal module, which is a tenth of a bare start.
 */
export const isTerminal = (descriptor: number): boolean => {
  try {
    const stat = fstatSync(descriptor);
    return stat.isCharacterDevice() && !isMemory(stat.rdev) && process.getBuiltinModule('node:tty').isatty(descriptor);
  } catch {
    return false;
  }
};

/** Linux numbers /dev/null, /dev/zero and their like 1:N. */
const isMemory = (device: number): boolean => device >= 0x100 && device < 0x200;

/** Writes text as it is; when it returns the text is out, unless it goes to a terminal. Dropped where the output has been closed. */
export const write = (stream: Stream, text: string): void => {
  if (closed.has(stream) || text === '') return;
  if (isTerminal(descriptors[stream])) {
    watch(stream);
    streams[stream]().write(text);
  } else writeAll(stream, Buffer.from(text));
};

/** Calls the listener once standard output is found closed; returns what takes it off again. */
export const onOutputClosed = (listener: Listener): Listener => {
  whenClosed.add(listener);
  return () => whenClosed.delete(listener);
};

/** Why text for standard output was lost although somebody wants it: the disk behind a redirection is full, say. */
export const lostOutput = (): Error | undefined => lost;

/** Columns and rows of the screen behind an output, as they are now; 80 by 24 where there is none. */
export const screenSize = (stream: Stream): { columns: number; rows: number } => {
  const { columns, rows } = streams[stream]();
  return { columns: columns || 80, rows: rows || 24 };
};

/** The streams that prompts read and draw on. */
export const promptStreams = (): { input: NodeJS.ReadStream; output: NodeJS.WriteStream } => ({
  input: process.stdin,
  output: process.stdout,
});

/** Nothing in this process prints colour any more; for libraries that look at the environment by themselves. */
export const switchColourOff = (): void => {
  process.env['NO_COLOR'] = '1';
  delete process.env['FORCE_COLOR'];
};

/**
 * Throws away keys that were typed before now. Takes the terminal's input raw (a line that was not yet ended counts as
 * typed, too) and reads until it has been quiet for some milliseconds. Input is left flowing, for the question that follows.
 * True if Ctrl-C was among the keys: that one is never thrown away.
 */
export const discardTypedAhead = async (quietMs = 40): Promise<{ interrupted: boolean }> => {
  const input = process.stdin;
  if (!input.isTTY || input.readableEnded || input.destroyed) return { interrupted: false };
  let last = Date.now();
  let interrupted = false;
  const swallow = (keys: Buffer | string) => {
    last = Date.now();
    interrupted ||= keys.toString().includes(ctrlC);
  };
  input.setRawMode(true);
  input.on('data', swallow);
  input.resume();
  while (Date.now() - last < quietMs && !interrupted) await new Promise((resolve) => setTimeout(resolve, 10));
  input.off('data', swallow);
  if (interrupted) input.setRawMode(false).pause();
  return { interrupted };
};

/**
 * Calls the listener when standard input ends: end of file, a closed terminal, or Ctrl-D. Returns what takes it off again.
 */
export const onInputEnd = (listener: Listener): Listener => {
  const input = process.stdin;
  const onKey = (_text: string | undefined, key: { ctrl?: boolean; name?: string } | undefined) => {
    if (key?.ctrl === true && key.name === 'd') listener();
  };
  const events = ['end', 'close', 'error'] as const;
  for (const event of events) input.on(event, listener);
  input.on('keypress', onKey);
  if (input.readableEnded || input.destroyed) queueMicrotask(listener);
  return () => {
    for (const event of events) input.off(event, listener);
    input.off('keypress', onKey);
  };
};

/** A pipe whose reader is slow may refuse for a moment (EAGAIN): then we wait, for there is nothing to be done without. */
const writeAll = (stream: Stream, bytes: Buffer): void => {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptors[stream], bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        foundClosed(stream, error as NodeJS.ErrnoException);
        return;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
};

const watch = (stream: Stream): void => {
  if (watched.has(stream)) return;
  watched.add(stream);
  streams[stream]().on('error', (error: NodeJS.ErrnoException) => foundClosed(stream, error));
};

/** No change may stumble over its own words, so nothing is thrown here, whatever the reason. */
const foundClosed = (stream: Stream, error: NodeJS.ErrnoException): void => {
  closed.add(stream);
  if (stream === 'out' && !closedCodes.includes(error.code ?? '')) lost = error;
  if (stream === 'out') for (const listener of [...whenClosed]) listener();
};
