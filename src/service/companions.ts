/**
 * What runs beside a server after a yes, under systemd: units that are there only as long as the yes is. Putting there and taking away are idempotent and
 * decide from what is there. Taking away leaves another home's alone; where nothing is, it costs root nothing, and a user the one question where units lie.
 *
 * Whoever calls them knows about consent; here nobody asks. What runs asks the resolver by itself, whatever its unit says.
 */

import { join } from 'node:path';
import type { InstancePaths } from '../instance/paths.ts';
import type { SupervisorKind } from '../instance/state.ts';
import { removeFile, statIfThere } from '../system/files.ts';
import { companionNames, companionUnits } from './companion-units.ts';
import { type FoundUnit, findOurs, findUnits, mainNames, type Named, refuseStrange, writeFound } from './own-units.ts';
import type { ServiceSpec } from './spec.ts';
import { askSystemctl, systemctl } from './systemctl.ts';
import { unitName } from './unit.ts';
import { type Asker, dropInFolders } from './unit-environment.ts';

/**
 * Puts the units in place, and starts them. Under another supervisor than systemd nothing is done: there `assent run` sees to it. Failure
 * 'refused-check' where systemd does not take them.
 */
export const installCompanions = async (spec: ServiceSpec, supervisor: SupervisorKind): Promise<void> => {
  if (supervisor !== 'systemd') return;
  const { count, send } = companionUnits(spec);
  const wanted = [count, send?.timer, send?.service].filter((unit) => unit !== null && unit !== undefined);
  if (wanted.length === 0) return removeCompanions(spec);
  const found = await findUnits(spec, [...mainNames(spec.instance), ...namesOf(spec)]);
  refuseStrange(spec, found);
  const isCompanion = ({ name }: FoundUnit): boolean => namesOf(spec).includes(name);
  const isWanted = ({ name }: FoundUnit): boolean => wanted.some((unit) => unit.name === name);
  await removeUnits(
    spec,
    found.filter((unit) => isCompanion(unit) && !isWanted(unit)),
  );
  const changed = writeFound(found, wanted);
  if (changed.length > 0) await systemctl(spec, ['daemon-reload']);
  for (const unit of [count, send?.timer]) {
    if (unit === null || unit === undefined) continue;
    await systemctl(spec, ['enable', unit.name]);
    await systemctl(spec, [changed.includes(unit.name) ? 'restart' : 'start', unit.name]);
  }
};

/** Stops what runs and takes the units away. Returns when none of it runs any more. Another home's may be under systemd where this one's never were. */
export const removeCompanions = async (spec: Named & Pick<ServiceSpec, 'supervisor'>): Promise<void> => {
  if (spec.supervisor !== 'systemd') return;
  await removeUnits(spec, await findOurs(spec, namesOf(spec), [unitName(spec.instance)]));
};

/** Whether one lies where units of the instance's owner do, be it another home's: nobody is asked. */
export const companionsAreThere = (world: Asker, { name, folder }: InstancePaths): boolean => {
  const owner = statIfThere(folder)?.uid ?? world.user.uid;
  const files = dropInFolders(world, owner).flatMap((place) =>
    namesOf({ instance: name }).map((unit) => join(place, unit)),
  );
  return files.some((file) => statIfThere(file) !== undefined);
};

/** The timer first, so that it starts nothing any more. */
const namesOf = ({ instance }: Pick<ServiceSpec, 'instance'>): string[] => {
  const { timer, send, count } = companionNames(instance);
  return [timer, send, count];
};

const removeUnits = async (spec: Named, found: readonly FoundUnit[]): Promise<void> => {
  const there = found.filter(({ isThere }) => isThere);
  if (there.length === 0) return;
  for (const { name, file } of there) {
    await askSystemctl(spec, ['disable', name]);
    await systemctl(spec, ['stop', name]);
    removeFile(file);
  }
  await systemctl(spec, ['daemon-reload']);
  await askSystemctl(spec, ['reset-failed', ...there.map(({ name }) => name)]);
};
