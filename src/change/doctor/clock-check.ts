/** The machine's clock: whether something keeps it right, as far as the system tells, and whether it is plainly wrong. */

import { statIfThere } from '../../system/files.ts';
import { run } from '../../system/processes.ts';
import type { Asked } from './declared-checks.ts';
import { type Found, problem, warning } from './finding.ts';

/** What was stored can't be from tomorrow. */
const slackMs = 86_400_000;

export const clockCheck = async ({ patient: { world, paths } }: Asked<'clock'>): Promise<Found[]> => {
  const written = statIfThere(paths.state)?.mtimeMs ?? 0;
  if (written > world.now().getTime() + slackMs) {
    return [
      problem('clock-behind', `The clock says ${world.now().toISOString()}, and ${paths.state} is from later.`, keep),
    ];
  }
  const asked = ['timedatectl', 'show', '--property=NTPSynchronized', '--value'];
  const told = await run(asked, { timeoutMs: 3000 }).catch(() => undefined);
  if (told?.code !== 0 || told.stdout.trim() !== 'no') return [];
  return [
    warning('clock-alone', 'Nothing keeps the clock of this machine right; certificates and archives go by it.', keep),
  ];
};

const keep = 'Set it, and have it kept: timedatectl set-ntp true (or install chrony).';
