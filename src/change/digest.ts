/**
 * The digest of what a plan is made from: state file and configuration. It is taken before any of that is read, for minutes may pass over questions
 * and measuring. If it differs later, somebody was there meanwhile, and what was read may be of before, of after, or of both.
 */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { readBytesIfThere, readIfThere } from '../system/files.ts';
import { listFiles } from '../system/list-files.ts';

/** For a first look, when nobody knows yet whether there is anything to do: '' where the configuration is none that could be carried along. */
export const firstDigest = (paths: InstancePaths): string => {
  try {
    return stateDigest(paths);
  } catch {
    return '';
  }
};

/** Throws 'refused-changed-meanwhile' where it is another by now, and 'refused-check' where the configuration still has none. */
export const refuseIfChanged = (paths: InstancePaths, digest: string): void => {
  if (stateDigest(paths) !== digest) throw changedMeanwhile(paths);
};

/** For whoever finds another installation, or configuration, than the one that he has looked at. */
export const changedMeanwhile = (paths: InstancePaths): Failure =>
  new Failure(
    'refused-changed-meanwhile',
    `${paths.name} was changed meanwhile: its state, its configuration or its server is not as the plan has it.`,
    'Nothing was changed by this command. Type it again to see the new plan.',
  );

const stateDigest = (paths: InstancePaths): string => {
  const hash = createHash('sha256').update(readIfThere(paths.state) ?? 'none');
  for (const file of listFiles(paths.config)) {
    hash.update(`\0${file}\0`).update(readBytesIfThere(join(paths.config, file)) ?? '');
  }
  return hash.digest('hex');
};
