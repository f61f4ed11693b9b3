/** The attacks, in the order of the table in docs/reliability.md. */

import type { Attack } from './attack.ts';
import { crowd } from './crowd.ts';
import { damage } from './damage.ts';
import { errors } from './errors.ts';
import { fullDisk } from './full-disk.ts';
import { hostile } from './hostile.ts';
import { kill } from './kill.ts';
import { killRecover } from './kill-recover.ts';
import { network } from './network.ts';
import { power } from './power.ts';
import { sabotage } from './sabotage.ts';
import { signals } from './signals.ts';
import { soak } from './soak.ts';

export const attacks: readonly Attack[] = [
  kill,
  killRecover,
  errors,
  fullDisk,
  power,
  signals,
  crowd,
  hostile,
  damage,
  network,
  soak,
  sabotage,
];
