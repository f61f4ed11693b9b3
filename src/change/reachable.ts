/**
 * Whether a server's account gets through to the home. Nobody opens a folder for it that is closed: it may be one that its owner has closed on purpose. The system is
 * asked, as that account, for access lists and mounts have a say in it, too.
 */

import { dirname } from 'node:path';
import { Failure } from '../errors.ts';
import type { Account } from '../instance/state.ts';
import { statIfThere } from '../system/files.ts';
import { run } from '../system/processes.ts';

/** Throws 'refused-check', naming the first folder on the way that the account may not enter. What is not there yet is made open. */
export const refuseUnreachable = async (home: string, { name, uid, gid }: Account): Promise<void> => {
  const way = foldersTo(home).filter((folder) => statIfThere(folder) !== undefined);
  const { stdout: closed } = await run(['/bin/sh', '-c', firstClosed, 'sh', ...way], {
    owner: { uid, gid },
    cwd: '/',
    timeoutMs: 10_000,
  });
  if (closed === '') return;
  throw new Failure(
    'refused-check',
    `${closed} is closed to ${name}, the system user that the server runs as, and everything of the server lies in ${home}.`,
    `Let others through, which lets nobody list it: chmod o+x ${closed}. Or choose another home: --home DIR. Nothing was changed.`,
  );
};

/** From the root of the filesystem down. */
const foldersTo = (folder: string): string[] => {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [...foldersTo(parent), folder];
};

const firstClosed = 'for folder do [ -x "$folder" ] || { printf %s "$folder"; exit 0; }; done';
