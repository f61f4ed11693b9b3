/**
 * Puts in place, and takes away, the units that act by themselves: see acting-units.ts. Under another supervisor than systemd nothing is done:
 * a trial is watched by `assent run` there, and nothing is started at boot.
 *
 * All of it is idempotent, decides from what is there, leaves alone what is another home's, and costs nothing where nothing changes. None of it stops a service of these, for it may be
 * just the one that has called: only timers are stopped. For the same reason the file of a look that is under way stays: systemd forgets with it that
 * the look may take as long as it likes, and ends it after its usual 90 seconds, in the middle of a rollback.
 */

import { dirname, join } from 'node:path';
import type { SupervisorKind } from '../instance/state.ts';
import type { Trial } from '../instance/trial.ts';
import { makeFolder, readIfThere, removeFile, statIfThere, writeDurably } from '../system/files.ts';
import { removeIfEmpty } from '../system/quick-files.ts';
import { actingNames, lookUnit, recoverUnit, trialDropIn, trialTimer } from './acting-units.ts';
import { findStrange, mustBeOurs, unitFile, unitFiles, unitFolder } from './own-units.ts';
import type { ServiceSpec } from './spec.ts';
import { allowStart, forbidStart } from './started-mark.ts';
import { askSystemctl, systemctl } from './systemctl.ts';
import { unitName } from './unit.ts';

/**
 * Before a change opens: from here on a boot ends it, whatever becomes of us. A server that runs may go on being started again until the change
 * stops it; one that was stopped, by whatever means, may not be started by hand on what is half switched. Failure 'refused-check' where systemd does
 * not take the unit. Where it has another home's by these names, only an uninstall comes so far, and does without: a boot starts nothing of ours then.
 */
export const installBootRecovery = async (
  spec: ServiceSpec,
  supervisor: SupervisorKind,
  { runs }: { readonly runs: boolean },
): Promise<void> => {
  if (supervisor !== 'systemd') return;
  const { recover } = actingNames(spec.instance);
  if (await findStrange(spec, [unitName(spec.instance), recover])) return;
  const isNew = await write(spec, recover, recoverUnit(spec));
  if (isNew || !(await isEnabled(spec, recover))) await systemctl(spec, ['enable', recover]);
  if (runs) allowStart(spec);
  else forbidStart(spec);
};

/** When nothing is installed any more and no change is open. What a look under way had to leave goes, too: it has nothing more to look at. */
export const removeBootRecovery = async (spec: ServiceSpec, supervisor: SupervisorKind): Promise<void> => {
  if (supervisor !== 'systemd') return;
  const { recover, look } = actingNames(spec.instance);
  const there = (await unitFiles(spec, [recover, look])).filter(({ file }) => statIfThere(file) !== undefined);
  const names = there.map(({ name }) => name);
  if (there.length === 0 || (await findStrange(spec, names))) return;
  if (names.includes(recover)) await askSystemctl(spec, ['disable', recover]);
  for (const { file } of there) removeFile(file);
  await systemctl(spec, ['daemon-reload']);
  for (const name of names) await askSystemctl(spec, ['reset-failed', name]);
};

/** From here on the release is looked at. Failure 'refused-check' where systemd does not take the units. */
export const installTrial = async (spec: ServiceSpec, supervisor: SupervisorKind, trial: Trial): Promise<void> => {
  if (supervisor !== 'systemd') return;
  await mustBeOurs(spec);
  const { look, timer, dropIn } = actingNames(spec.instance);
  await write(spec, look, lookUnit(spec));
  await write(spec, timer, trialTimer(spec, trial));
  await write(spec, dropIn, trialDropIn(spec, trial));
  await systemctl(spec, ['daemon-reload']);
  await systemctl(spec, ['enable', timer]);
  await systemctl(spec, ['restart', timer]);
};

/** Nobody looks any more, and the server is never given up again. Only the file of a look under way stays, which nothing starts; the next change removes it. */
export const removeTrial = async (spec: ServiceSpec, supervisor: SupervisorKind): Promise<void> => {
  const { look, timer, dropIn } = actingNames(spec.instance);
  if (supervisor !== 'systemd') return;
  const drop = await fileOf(spec, dropIn);
  const files = [...(await unitFiles(spec, [timer, look])).map(({ file }) => file), drop];
  if (files.every((file) => statIfThere(file) === undefined)) return;
  // A timer and a drop-in name no home: they go with what they belong to.
  if (await findStrange(spec, [unitName(spec.instance), look])) return;
  await askSystemctl(spec, ['disable', timer]);
  await askSystemctl(spec, ['stop', timer]);
  const stays = (await isUnderWay(spec, look)) ? await fileOf(spec, look) : undefined;
  for (const file of files) if (file !== stays) removeFile(file);
  removeIfEmpty(dirname(drop));
  await systemctl(spec, ['daemon-reload']);
  await askSystemctl(spec, ['reset-failed', timer]);
};

/** Whether a boot ends an interrupted change; an instance that no change has touched since there are such units has none. */
export const hasBootRecovery = async (spec: ServiceSpec): Promise<boolean> =>
  statIfThere(await fileOf(spec, actingNames(spec.instance).recover)) !== undefined;

/** Whether somebody looks at the release, as far as units tell. */
export const isTrialWatched = async (spec: ServiceSpec): Promise<boolean> =>
  statIfThere(await fileOf(spec, actingNames(spec.instance).timer)) !== undefined;

const isEnabled = async (spec: ServiceSpec, name: string): Promise<boolean> =>
  (await askSystemctl(spec, ['is-enabled', '--quiet', name])).code === 0;

/** A unit that systemd does not know is inactive to it; where it says nothing at all, a look may well be under way. */
const isUnderWay = async (spec: ServiceSpec, name: string): Promise<boolean> => {
  const { stdout } = await askSystemctl(spec, ['show', '--value', '--property=ActiveState', name]);
  return !['inactive', 'failed'].includes(stdout.trim());
};

/** True where it was not there like that before. */
const write = async (spec: ServiceSpec, name: string, text: string): Promise<boolean> => {
  const file = await fileOf(spec, name);
  if (readIfThere(file) === text) return false;
  makeFolder(dirname(file));
  writeDurably(file, text, { mode: 0o644 });
  return true;
};

/** A drop-in is no unit of its own, and is looked for in the folder of units alone. */
const fileOf = async (spec: ServiceSpec, name: string): Promise<string> =>
  dirname(name) === '.' ? unitFile(spec, name) : join(await unitFolder(spec), name);
