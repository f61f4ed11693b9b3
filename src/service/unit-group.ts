/** The control group of a unit, as the kernel shows it: who is in it can be read without asking systemd. */

import { join } from 'node:path';
import { readIfThere } from '../system/files.ts';
import { processEntry } from '../system/process-table.ts';

/** The numbers of its processes, one to a line; '' where it has none. */
export const membersOf = (group: string): string =>
  ['/sys/fs/cgroup', '/sys/fs/cgroup/systemd']
    .map((root) => readIfThere(join(root, group, 'cgroup.procs')) ?? '')
    .join('')
    .trim();

/** The process of a unit that systemd itself has started; undefined where there is none, or it can't be seen. `uid`: whose manager, 0 for the system's. */
export const mainProcessOf = (unit: string, uid: number): number | undefined => {
  const slice = uid === 0 ? 'system.slice' : `user.slice/user-${uid}.slice/user@${uid}.service/app.slice`;
  const pids = membersOf(join(slice, unit)).split('\n').map(Number);
  return pids.find((pid) => {
    const parent = pid > 0 ? processEntry(pid)?.parent : undefined;
    return parent !== undefined && !pids.includes(parent);
  });
};
