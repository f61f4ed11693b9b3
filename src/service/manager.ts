/** The manager of the system or of a user: whether there is one, and how it is found. */

import { statIfThere } from '../system/files.ts';

/** For other users than root: whether their own manager can be reached. */
export const isManagerThere = (uid: number): boolean =>
  statIfThere('/run/systemd/system')?.kind === 'folder' &&
  (uid === 0 || statIfThere(`/run/user/${uid}/systemd/private`) !== undefined);

/** What systemctl and journalctl need to find the manager of the system or of a user. */
export const managerEnvironment = (uid: number): Record<string, string> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  XDG_RUNTIME_DIR: `/run/user/${uid}`,
});
