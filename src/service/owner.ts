/** Whom a server's processes run as. */

import type { Owner } from '../system/files.ts';
import type { ServiceSpec } from './spec.ts';

/** Given only where we are root and can choose; otherwise they run as we do. */
export const ownerFor = ({ account, host }: ServiceSpec): Owner | undefined =>
  host.uid === 0 && account !== null ? { uid: account.uid, gid: account.gid } : undefined;
