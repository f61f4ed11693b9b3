/** The digest of what a plan was made from: state file, release link and configuration. If it differs later, somebody was there meanwhile. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { InstancePaths } from '../instance/paths.ts';
import { readBytesIfThere, readIfThere } from '../system/files.ts';
import { listFiles } from '../system/list-files.ts';

export const stateDigest = (paths: InstancePaths): string => {
  const hash = createHash('sha256').update(readIfThere(paths.state) ?? 'none');
  for (const file of listFiles(paths.config)) {
    hash.update(`\0${file}\0`).update(readBytesIfThere(join(paths.config, file)) ?? '');
  }
  return hash.digest('hex');
};
