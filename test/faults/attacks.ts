/** The attacks, in the order of the table in docs/reliability.md. */

import type { Attack } from './attack.ts';
import { errors } from './errors.ts';
import { kill } from './kill.ts';
import { killRecover } from './kill-recover.ts';
import { sabotage } from './sabotage.ts';

export const attacks: readonly Attack[] = [kill, killRecover, errors, sabotage];
