/**
 * What runs beside a server after a yes, under systemd: units that are there only as long as the yes is. Both functions are idempotent and
 * decide from what is there. Taking away leaves another home's alone; where nothing is, it costs root nothing, and a user the one question where units lie.
 *
 * Whoever calls them knows about consent; here nobody asks. What runs asks the resolver by itself, whatever its unit says.
 */

import type { SupervisorKind } from '../instance/state.ts';
import { removeFile } from '../system/files.ts';
import { companionNames, companionUnits } from './companion-units.ts';
import { type FoundUnit, findOurs, findUnits, mainNames, refuseStrange, writeFound } from './own-units.ts';
import type { ServiceSpec } from './spec.ts';
import { askSystemctl, systemctl } from './systemctl.ts';
import { unitName } from './unit.ts';

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
export const removeCompanions = async (spec: ServiceSpec): Promise<void> => {
  if (spec.supervisor !== 'systemd') return;
  await removeUnits(spec, await findOurs(spec, namesOf(spec), [unitName(spec.instance)]));
};

/** The timer first, so that it starts nothing any more. */
const namesOf = ({ instance }: ServiceSpec): string[] => {
  const { timer, send, count } = companionNames(instance);
  return [timer, send, count];
};

const removeUnits = async (spec: ServiceSpec, found: readonly FoundUnit[]): Promise<void> => {
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
