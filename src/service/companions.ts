/**
 * What runs beside a server after a yes, under systemd: units that are there only as long as the yes is. Both functions are idempotent and
 * decide from what is there; taking away is cheap where nothing is, and leaves another home's alone.
 *
 * Whoever calls them knows about consent; here nobody asks. What runs asks the resolver by itself, whatever its unit says.
 */

import { dirname } from 'node:path';
import type { SupervisorKind } from '../instance/state.ts';
import { makeFolder, readIfThere, removeFile, statIfThere, writeDurably } from '../system/files.ts';
import { type CompanionUnit, companionNames, companionUnits } from './companion-units.ts';
import { findStrange, mustBeOurs, unitFile, unitFiles } from './own-units.ts';
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
  await removeUnits(
    spec,
    namesOf(spec).filter((name) => !wanted.some((unit) => unit.name === name)),
  );
  if (wanted.length === 0) return;
  await mustBeOurs(spec);
  const changed = await writeUnits(spec, wanted);
  if (changed.length > 0) await systemctl(spec, ['daemon-reload']);
  for (const unit of [count, send?.timer]) {
    if (unit === null || unit === undefined) continue;
    await systemctl(spec, ['enable', unit.name]);
    await systemctl(spec, [changed.includes(unit) ? 'restart' : 'start', unit.name]);
  }
};

/** Stops what runs and takes the units away. Returns when none of it runs any more. */
export const removeCompanions = (spec: ServiceSpec): Promise<void> => removeUnits(spec, namesOf(spec));

/** Paths that `installCompanions` makes. */
export const companionFiles = async (spec: ServiceSpec): Promise<string[]> => {
  const { count, send } = companionUnits(spec);
  const names = [count, send?.timer, send?.service].flatMap((unit) => unit?.name ?? []);
  return (await unitFiles(spec, names)).map(({ file }) => file);
};

/** The timer first, so that it starts nothing any more. */
const namesOf = ({ instance }: ServiceSpec): string[] => {
  const { timer, send, count } = companionNames(instance);
  return [timer, send, count];
};

const removeUnits = async (spec: ServiceSpec, names: readonly string[]): Promise<void> => {
  const there = (await unitFiles(spec, names)).filter(({ file }) => statIfThere(file) !== undefined);
  if (there.length === 0 || (await areStrange(spec))) return;
  for (const { name, file } of there) {
    await askSystemctl(spec, ['disable', name]);
    await systemctl(spec, ['stop', name]);
    removeFile(file);
  }
  await systemctl(spec, ['daemon-reload']);
  await askSystemctl(spec, ['reset-failed', ...there.map(({ name }) => name)]);
};

/** Another home's instance of the same name may be under systemd where this one is not. A timer names no home: it goes with the others. */
const areStrange = async (spec: ServiceSpec): Promise<boolean> => {
  const { send, count } = companionNames(spec.instance);
  return (await findStrange(spec, [unitName(spec.instance), send, count])) !== undefined;
};

/** Those that were not there like that before. */
const writeUnits = async (spec: ServiceSpec, units: readonly CompanionUnit[]): Promise<CompanionUnit[]> => {
  const changed: CompanionUnit[] = [];
  for (const unit of units) {
    const file = await unitFile(spec, unit.name);
    if (readIfThere(file) === unit.text) continue;
    makeFolder(dirname(file));
    writeDurably(file, unit.text, { mode: 0o644 });
    changed.push(unit);
  }
  return changed;
};
