/**
 * What the server of an instance does when a change comes to it: looked at for the plan, and once more right before the change is opened. Minutes lie between
 * the two, of questions, downloads and copies, and `systemctl`, a boot or `assent run` ask nobody's leave. A server that runs although no step stops it
 * would go on writing to what is switched away beneath it.
 */

import { checkOnce } from '../service/health/checks.ts';
import type { ServiceSpec } from '../service/spec.ts';
import { type SupervisorKind, supervisors } from '../service/supervisor.ts';
import type { World } from '../system/world.ts';
import type { ChangeContext } from './context.ts';
import { changedMeanwhile } from './digest.ts';
import { untriedFiles } from './untried.ts';

export interface FoundService {
  readonly running: boolean;
  /** Null where it does not run, or nobody can tell. */
  readonly healthy: boolean | null;
  /** Files below config/ that the server, which is healthy, was not started with. */
  readonly untried: readonly string[];
}

const down: FoundService = { running: false, healthy: null, untried: [] };

export const foundService = async (
  world: World,
  spec: ServiceSpec | null,
  kind: SupervisorKind,
): Promise<FoundService> => {
  if (spec === null) return down;
  const { state, main } = await supervisors[kind].observe(spec);
  if (state === 'stopped') return down;
  const { healthy } = state === 'running' ? await checkOnce(spec) : { healthy: false };
  return { running: true, healthy, untried: healthy && main ? untriedFiles(world, spec.paths, main) : [] };
};

/**
 * What an opening entry has to say. Where the release of before was missing when the plan was made, nobody could look; by now it may be stored again, and
 * where it isn't, the service that is to come has the same name. Throws 'refused-changed-meanwhile' where it was started or stopped since.
 */
export const lookAgain = async (
  { world, opening, supervisor, specBefore, specAfter, paths }: ChangeContext,
  { specBefore: seen, ...found }: FoundService & { readonly specBefore: ServiceSpec | null },
): Promise<FoundService> => {
  const spec = specBefore ?? specAfter;
  if (opening.before?.installed !== true || spec === null) return found;
  if (seen === null && specBefore !== null) return foundService(world, specBefore, supervisor.kind);
  const running = (await supervisor.observe(spec)).state !== 'stopped';
  if (seen === null) return { ...down, running };
  if (running !== found.running) throw changedMeanwhile(paths);
  return found;
};
