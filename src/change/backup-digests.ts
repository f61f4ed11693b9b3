/**
 * What a backup was when it was made: for each of its parts the digest of its tree (path, kind, mode, owner, size, sha256 or target of everything in it),
 * how much it is, and mode and owner of the folder itself. So `doctor` can tell whether a rollback would still get what was left.
 *
 * They are written behind the commit, when the server of now answers already: reading the whole backup costs no downtime. A change that was killed before
 * has none, and then nothing can be told. `digests.json` lies in the backup's own folder, beside the parts, and goes with it; as root
 * it is root's. Data is read as its owner.
 */

import { join } from 'node:path';
import type { InstancePaths } from '../instance/paths.ts';
import type { Account } from '../instance/state.ts';
import { readIfThere, statIfThere, writeDurably } from '../system/files.ts';
import { digestCopied } from '../system/tree.ts';
import { treeOptions } from './as-account.ts';
import type { ChangeContext } from './context.ts';
import { allParts, backupOf, type Part } from './steps/parts.ts';

interface PartDigest {
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
  /** Of the folder itself: mode in octal, uid:gid. */
  readonly attributes: string;
}

interface BackupDigests {
  readonly format: 1;
  readonly at: string;
  readonly parts: Readonly<Partial<Record<Part, PartDigest>>>;
}

/** Nothing is written where the change left no backup. */
export const writeBackupDigests = async ({ world, paths, opening, account }: ChangeContext): Promise<void> => {
  const folder = backupOf(paths, opening.backup);
  if (statIfThere(folder)?.kind !== 'folder') return;
  const parts: Partial<Record<Part, PartDigest>> = {};
  for (const part of allParts) {
    const found = await digestOfPart(folder, part, account);
    if (found !== undefined) parts[part] = found;
  }
  const digests: BackupDigests = { format: 1, at: world.now().toISOString(), parts };
  writeDurably(fileOf(folder), `${JSON.stringify(digests, null, 2)}\n`, { mode: 0o600 });
};

/** What is not as it was, a sentence each; 'unknown' where there are no digests to compare with. */
export const backupDifferences = async (
  paths: InstancePaths,
  backup: string,
  account: Account | null,
): Promise<readonly string[] | 'unknown'> => {
  const folder = backupOf(paths, backup);
  const noted = readDigests(folder);
  if (noted === undefined) return 'unknown';
  const differences: string[] = [];
  for (const part of allParts) {
    const [then, now] = [noted.parts[part], await digestOfPart(folder, part, account)];
    const difference = differenceOf(join(folder, part), then, now);
    if (difference !== undefined) differences.push(difference);
  }
  return differences;
};

const differenceOf = (path: string, then: PartDigest | undefined, now: PartDigest | undefined): string | undefined => {
  if (then === undefined) return now === undefined ? undefined : `${path} was not part of it`;
  if (now === undefined) return `${path} is gone`;
  if (now.attributes !== then.attributes)
    return `mode and owner of ${path} are ${now.attributes} in place of ${then.attributes}`;
  if (now.files !== then.files || now.bytes !== then.bytes)
    return `${path} has ${amountOf(now)} in place of ${amountOf(then)}`;
  return now.digest === then.digest
    ? undefined
    : `in ${path} a name, a mode, an owner or the contents of a file is another`;
};

const amountOf = ({ files, bytes }: PartDigest): string =>
  `${files} ${files === 1 ? 'file' : 'files and folders'} of ${bytes} bytes`;

const digestOfPart = async (folder: string, part: Part, account: Account | null): Promise<PartDigest | undefined> => {
  const path = join(folder, part);
  const stat = statIfThere(path);
  if (stat?.kind !== 'folder') return undefined;
  const found = await digestCopied(path, part === 'data' ? treeOptions({ account }) : {});
  return { ...found, attributes: `${stat.mode.toString(8)} ${stat.uid}:${stat.gid}` };
};

const readDigests = (folder: string): BackupDigests | undefined => {
  try {
    const found = JSON.parse(readIfThere(fileOf(folder)) ?? '') as Partial<BackupDigests>;
    return found.format === 1 && typeof found.parts === 'object' ? (found as BackupDigests) : undefined;
  } catch {
    return undefined;
  }
};

const fileOf = (folder: string): string => join(folder, 'digests.json');
