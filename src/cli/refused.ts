/**
 * What the system refuses outside of a change (no permission, no space, a read-only disk) is no bug of ours: it gets the failure
 * that people can do something about. Inside a change the transaction has its own words.
 */

import { Failure } from '../errors.ts';
import { codeOf } from '../system/files.ts';

/** Not a folder, a folder, a chain of links, a name too long, no regular file, an error of the disk. */
const unusable: ReadonlySet<string> = new Set(['ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG', 'EINVAL', 'EIO']);

/** The failure that such an error means, or undefined for all others. */
export const refusedBySystem = (error: unknown): Failure | undefined => {
  if (!(error instanceof Error) || error instanceof Failure) return undefined;
  const code = codeOf(error);
  const { path } = error as NodeJS.ErrnoException;
  const where = path === undefined ? '' : `: ${path}`;
  if (code === 'EACCES' || code === 'EPERM') {
    const advice =
      'Run the command as the user who installed it, or as root. Another place: --home DIR. Nothing was changed.';
    return new Failure('refused-permission', `This is not permitted here${where}.`, advice, error);
  }
  if (code === 'EROFS') {
    return new Failure(
      'refused-permission',
      `The filesystem can only be read${where}.`,
      'Mount it writable, or take another home: --home DIR. Nothing was changed.',
      error,
    );
  }
  if (unusable.has(code ?? '')) {
    return new Failure(
      'refused-check',
      `Something is not what it should be${where === '' ? `: ${error.message}` : `${where} (${code})`}.`,
      'Look at that path: a file, a folder or a link stands where another kind belongs, or the disk is broken.',
      error,
    );
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Failure(
      'refused-space',
      `The disk is full${where}.`,
      'Free some space and run the command again. Nothing was changed.',
      error,
    );
  }
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new Failure(
      'refused-check',
      `Too many files are open, in this process or on this machine${where}.`,
      'Nothing was changed. Raise the limit (ulimit -n), or end what holds so many, and run the command again.',
      error,
    );
  }
  return undefined;
};
