/**
 * Archives on their way to the disk: written as they come in and hashed on the way, or read back and hashed.
 *
 * Nothing here is synced. An archive is only ever used after its bytes were hashed again, so one that a power cut has torn
 * shows as a wrong hash and is fetched anew. Whole trees made of archives are synced where they are sealed.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { codeOf } from './files.ts';

export interface Digested {
  /** Subresource integrity: the algorithm, a hyphen, base64. */
  readonly integrity: string;
  readonly bytes: number;
}

export type Algorithm = 'sha512' | 'sha256';

export interface SpoolLimits {
  /** More bytes than this are refused: SpoolTooLong. */
  readonly maxBytes: number;
  /** Called for each piece that has been written. */
  readonly onBytes?: (bytes: number) => void;
}

export class SpoolTooLong extends Error {
  override readonly name = 'SpoolTooLong';
}

/** Writes the stream into a new file of mode 0600. Throws what the stream throws; the file may then be there in part. */
export const spool = async (
  source: AsyncIterable<Uint8Array>,
  path: string,
  limits: SpoolLimits,
): Promise<Digested> => {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const hash = process.getBuiltinModule('node:crypto').createHash('sha512');
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  let bytes = 0;
  try {
    for await (const piece of source) {
      bytes += piece.length;
      if (bytes > limits.maxBytes) throw new SpoolTooLong(`more than ${limits.maxBytes} bytes`);
      hash.update(piece);
      writeAll(fd, piece);
      limits.onBytes?.(piece.length);
    }
  } finally {
    closeSync(fd);
  }
  return { integrity: `sha512-${hash.digest('base64')}`, bytes };
};

/** The file's digest; undefined where there is no such file, or a link or folder in its place. Large ones are read in pieces, so that the display lives. */
export const digestFile = async (path: string, algorithm: Algorithm): Promise<Digested | undefined> => {
  const fd = openIfThere(path);
  if (fd === undefined) return undefined;
  const hash = process.getBuiltinModule('node:crypto').createHash(algorithm);
  const piece = Buffer.allocUnsafe(Math.min(Math.max(fstatSync(fd).size, 1), 4 << 20));
  let bytes = 0;
  try {
    for (let read = readSync(fd, piece); read > 0; read = readSync(fd, piece)) {
      hash.update(piece.subarray(0, read));
      bytes += read;
      if (read === 4 << 20) await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    if (codeOf(error) === 'EISDIR') return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
  return { integrity: `${algorithm}-${hash.digest('base64')}`, bytes };
};

const openIfThere = (path: string): number | undefined => {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
};

const writeAll = (fd: number, piece: Uint8Array): void => {
  for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
};
