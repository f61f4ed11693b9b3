/**
 * Whose data a rollback takes: of then where the format has changed since, else of now, unless it is told otherwise. At a terminal that is asked,
 * where both are there; everywhere else, and with `--yes`, the flag or that default decides.
 */

import { join } from 'node:path';
import { findStored } from '../release/store.ts';
import { statIfThere } from '../system/files.ts';
import type { ChangeRequest, DataChoice, DataOf, Ports } from './request.ts';
import { backupOf, partPath } from './steps/parts.ts';
import type { Target } from './target.ts';

/** The answer for a rollback; every other change takes the data of now. */
export const chooseData = async (ports: Ports, request: ChangeRequest, target: Target): Promise<DataOf> => {
  if (target.restore === null) return 'now';
  const standard = formatChanged(ports, target) ? 'then' : 'now';
  const asks = ports.asker.interactive && request.data === undefined && !request.yes && !request.dryRun;
  return asks && bothThere(target) ? ports.asker.data(choices(target, standard), standard) : (request.data ?? standard);
};

/** The folder of such data; a rollback alone has data of then. */
export const dataFolder = ({ paths, restore }: Target, of: DataOf): string =>
  of === 'then' && restore !== null ? join(backupOf(paths, restore.backup), 'data') : partPath(paths, 'data');

/** Whether the release that wrote the data of now, or runs still, does so in another format than the one that will run. */
export const formatChanged = ({ home }: Ports, { before, product, release }: Target): boolean => {
  if (before === null) return false;
  const { version, digest } = before.release;
  // The release of an instance that was uninstalled has left the store, and the catalogue mostly knows it still.
  const writer =
    findStored(home, before.release.product, version, digest)?.release ??
    product.releases.find((one) => one.version === version);
  return writer === undefined || writer.data.format !== release.data.format;
};

const bothThere = (target: Target): boolean =>
  (['then', 'now'] as const).every((of) => statIfThere(dataFolder(target, of)) !== undefined);

const choices = ({ before, restore, to }: Target, standard: DataOf): DataChoice[] => {
  const running = before?.release.version ?? 'the release of now';
  const kept =
    standard === 'now'
      ? `Nothing is lost: a copy of what ${running} has written so far.`
      : `Nothing is left behind, but ${to.version} may not read the format of ${running}.`;
  const left = `As ${to.version} left it, ${restore?.at}. What came since is in a backup only.`;
  return [
    { of: 'now', meaning: kept },
    { of: 'then', meaning: left },
  ];
};
