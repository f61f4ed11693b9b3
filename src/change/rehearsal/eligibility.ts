/**
 * Whether a change is rehearsed, looked at while it is planned: where a server runs that something new could break, its release says how
 * its data is copied while it writes, and this machine makes namespaces. Where it is not, the plan says why, and what to do about it.
 *
 * A change that costs no downtime needs none: an install, or one of a server that stands still. Nor does a rollback, which goes
 * back to what has run here, and mostly because something is wrong now.
 */

import { isDeepStrictEqual } from 'node:util';
import { scratchTrouble } from '../../instance/scratch.ts';
import type { RehearsalCopy } from '../../product/manifest.ts';
import { findStored } from '../../release/store.ts';
import type { SettledSettings } from '../ask.ts';
import type { Warning } from '../plan.ts';
import type { ChangeRequest, Ports } from '../request.ts';
import type { Target } from '../target.ts';

export type Rehearsal =
  | { readonly copy: RehearsalCopy }
  /** Why there is none, as the end of a sentence; and what would help. */
  | { readonly not: string; readonly remedy: string };

/** The warning of a plan without a rehearsal, where one would have been worth it. */
export const noRehearsal = (target: Target, chance: Rehearsal | null, rehearses: boolean): Warning[] => {
  if (chance === null || rehearses) return [];
  const { not, remedy } = 'not' in chance ? chance : noRoom;
  const { product, to } = target;
  const message = `${product.title} ${to.version} is not tried on a copy first: ${not.replace(/\.$/, '')}.`;
  return [{ id: 'no-rehearsal', message, remedy }];
};

const noRoom = {
  not: 'there is no room for one more copy of the data',
  remedy: 'Make room, or go on: what fails is undone.',
};

export interface Standing {
  readonly running: boolean;
  readonly untried: readonly string[];
}

/** Null where none is needed or wanted. */
export const rehearsalChance = async (
  ports: Ports,
  request: ChangeRequest,
  target: Target,
  settled: SettledSettings,
  found: Standing,
): Promise<Rehearsal | null> => {
  if (request.rehearsal === false || !found.running || !bringsNew(target, settled, found)) return null;
  const copy = copyOfRunning(ports, target);
  if (copy === undefined) return unsaid(target);
  const trouble = await scratchTrouble(ports.world);
  if (trouble === undefined) return { copy };
  return { not: trouble.message, remedy: trouble.advice.replace(/ ?Nothing was changed\.$/, '') };
};

/** The same release with the same settings runs already: nobody has to try that. */
const bringsNew = ({ kind, before, to }: Target, settled: SettledSettings, { untried }: Standing): boolean => {
  if (kind === 'upgrade') return true;
  if (kind !== 'reinstall' || before === null) return false;
  const sameSettings = isDeepStrictEqual({ ...before.settings }, { ...settled.settings });
  return (
    before.release.digest !== to.digest ||
    !sameSettings ||
    Object.keys(settled.secrets).length > 0 ||
    untried.length > 0
  );
};

/** It is the release of now that writes the data while it is copied. */
const copyOfRunning = ({ home }: Ports, { from }: Target): RehearsalCopy | undefined => {
  const stored = from === null ? undefined : findStored(home, from.product, from.version, from.digest);
  return stored?.release.rehearsal?.copy;
};

const unsaid = ({ product, from, paths }: Target): Rehearsal => ({
  not: `${product.title} ${from?.version ?? ''} does not say how its data is copied while it runs`,
  remedy: `A manifest says so under "rehearsal"; where yours does by now, it counts after: assent reinstall ${paths.name}.`,
});
