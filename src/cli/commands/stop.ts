/** `assent stop [NAME]`. */

import type { Run } from '../invocation.ts';
import { switchServer } from '../switch.ts';

export const run: Run = (invocation) => switchServer(invocation, 'stop');
