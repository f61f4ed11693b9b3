/**
 * The record follows the log: after every append, `consent.json` is made to repeat the line that stands. Where nothing stands, or
 * the key at hand is not the one that the log's newest generation was begun with, there is nothing to repeat, and so no record.
 */

import type { InstancePaths } from '../instance/paths.ts';
import { readIfThere, removeFile, statIfThere } from '../system/files.ts';
import { realPath } from '../system/settled-file.ts';
import type { World } from '../system/world.ts';
import type { GenerationKey } from '../values.ts';
import { bindingOf, keyDigest } from './digests.ts';
import { loadLog } from './log.ts';
import { parseRecord, textOf, writeRecord } from './record.ts';
import type { ConsentRecord } from './resolver.ts';
import type { Sharing } from './sharing.ts';

interface Current {
  readonly generation: number;
  readonly key: GenerationKey;
}

/** Throws the system's error where the record can't be written. */
export const settle = async (world: World, paths: InstancePaths, current: Current, sharing: Sharing): Promise<void> => {
  const record = recordOf(world, paths, current);
  if (record === null) removeFile(paths.consent);
  else if (!isThere(paths, record, sharing)) await writeRecord(paths, record, sharing);
};

/** Unlinks the record. False where that can't be done. */
export const takeAway = (paths: InstancePaths): boolean => {
  try {
    removeFile(paths.consent);
    return true;
  } catch {
    return statIfThere(paths.folder) === undefined;
  }
};

const recordOf = (world: World, paths: InstancePaths, { generation, key }: Current): ConsentRecord | null => {
  const { standing, generation: newest, whole } = loadLog(paths);
  const digest = keyDigest(key);
  if (standing === null || !whole || newest?.generation !== generation || newest.key !== digest) return null;
  return {
    format: 1,
    state: standing.state,
    generation,
    key: digest,
    binding: bindingOf(key, { name: paths.name, folder: realPath(paths.folder), machine: world.machineId }),
    noticeId: standing.noticeId,
    by: standing.by,
    at: standing.at,
    log: { length: standing.n, head: standing.hash },
  };
};

const isThere = (paths: InstancePaths, record: ConsentRecord, sharing: Sharing): boolean => {
  const stat = statIfThere(paths.consent);
  if (stat?.kind !== 'file' || stat.uid !== sharing.uid || stat.mode !== sharing.mode) return false;
  if (sharing.owner && stat.gid !== sharing.owner.gid) return false;
  const found = parseRecord(readIfThere(paths.consent) ?? '');
  return typeof found === 'object' && textOf(found) === textOf(record);
};
