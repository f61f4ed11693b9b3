/** A change that is done is done, whether or not its state can be read back now: the warning for that. */

import { messageOf } from '../errors.ts';
import type { InstanceName } from '../values.ts';
import type { Warning } from './plan.ts';

export const stateUnread = (name: InstanceName, error: unknown): Warning => ({
  id: 'state-unread',
  message: `What is installed now could not be read: ${messageOf(error).replace(/\.$/, '')}.`,
  remedy: `Everything is done. See: assent status ${name}`,
});
