/** Dangers are accepted one by one, by their ids. An id that the plan does not have is a mistake of whoever typed it, and refused. */

import { Failure } from '../errors.ts';
import type { Danger, Plan } from './plan.ts';

export const refuseUnknownAcks = (plan: Plan, acks: readonly string[]): void => {
  const ids = plan.dangers.map((danger) => danger.id);
  const unknown = acks.find((ack) => !ids.includes(ack));
  if (unknown === undefined) return;
  throw new Failure(
    'usage-ack',
    `--ack ${unknown}: the plan has no such danger.`,
    ids.length === 0 ? 'It has none at all: leave --ack out.' : `Its dangers: ${ids.join(', ')}.`,
  );
};

export const refuseUnacknowledged = (plan: Plan, acks: readonly string[]): void => {
  const open = plan.dangers.filter((danger) => !acks.includes(danger.id));
  if (open.length === 0) return;
  throw new Failure(
    'refused-danger',
    `The plan has ${open.length === 1 ? 'a danger that was' : 'dangers that were'} not acknowledged: ${open.map(sentence).join(' ')}`,
    `Accept with: --ack ${open.map((danger) => danger.id).join(',')}. Nothing was changed.`,
  );
};

const sentence = ({ id, message, remedy }: Danger): string => `[${id}] ${message} ${remedy}`;
