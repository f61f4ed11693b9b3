/**
 * A socket in a folder, by which a server hands over lines that are not to be in any file. Who may reach it is up to the folder: it has to be one
 * that only its owner can enter. What lies there under the name, left by a process that was killed, is removed; the socket goes when it is closed.
 */

import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';

export interface LineSocket {
  /** Why it has failed since it was opened, if it has. */
  readonly trouble: () => string | undefined;
  readonly close: () => void;
}

const newline = 0x0a;
/** Senders at one time: a server is one, and one that is being started again another. */
const mostSenders = 8;

/** Longer lines than `longest` bytes are passed over. Throws the system's error where it can't be made. */
export const openLineSocket = async (
  path: string,
  longest: number,
  line: (bytes: Buffer, from: number, to: number) => void,
): Promise<LineSocket> => {
  rmSync(path, { force: true });
  const senders = new Set<Socket>();
  let trouble: string | undefined;
  const server = createServer((sender) => {
    senders.add(sender);
    const take = splitter(longest, line);
    sender.on('data', take).on('error', () => sender.destroy());
    sender.on('close', () => senders.delete(sender));
  });
  server.maxConnections = mostSenders;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  server.on('error', (error) => {
    trouble = error.message;
  });
  return {
    trouble: () => trouble,
    close: () => {
      server.close();
      for (const sender of senders) sender.destroy();
    },
  };
};

/** Whole lines out of pieces; what is begun waits for its end. */
const splitter = (longest: number, line: (bytes: Buffer, from: number, to: number) => void) => {
  let begun: Buffer = Buffer.alloc(0);
  let isPassing = false;
  return (piece: Buffer): void => {
    const bytes = begun.length === 0 ? piece : Buffer.concat([begun, piece]);
    let from = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      if (!isPassing && end - from <= longest) line(bytes, from, end);
      isPassing = false;
      from = end + 1;
    }
    isPassing ||= bytes.length - from > longest;
    begun = isPassing ? Buffer.alloc(0) : bytes.subarray(from);
  };
};
