/**
 * Whom a server's processes run as, and whatever else of an installation is executed. Root looks into the homes of others, too: what lies there was put there by
 * them, so it runs as they do, whatever account a state file of theirs names.
 */

import type { InstancePaths } from '../instance/paths.ts';
import type { Owner } from '../system/files.ts';
import { strangerAt } from '../system/users.ts';
import type { ServiceSpec } from './spec.ts';

/** Given only where we are root and can choose; otherwise they run as we do. */
export const ownerFor = ({ account, host, paths }: ServiceSpec): Owner | undefined => {
  if (host.uid !== 0) return undefined;
  const stranger = strangerAt([paths.folder, paths.state]);
  if (stranger !== undefined || account === null) return stranger ?? strangerAt([paths.home]);
  return { uid: account.uid, gid: account.gid };
};

/** The same for what an installation shares with others, its private Node: whoever owns the home or the instance may have put it there. */
export const ownerOfShared = ({ home, folder }: InstancePaths, uid: number): Owner | undefined =>
  uid === 0 ? strangerAt([home, folder]) : undefined;
