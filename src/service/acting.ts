/**
 * Puts in place, and takes away, the units that act by themselves: see acting-units.ts. Under another supervisor than systemd nothing is done:
 * a trial is watched by `assent run` there, and nothing is started at boot.
 *
 * All of it is idempotent, decides from what is there, and leaves alone what is another home's. Taking away what is not there costs root nothing, and a
 * user the one question where units lie. None of it stops a service of these, for it may be
 * just the one that has called: only timers are stopped. For the same reason the file of a look that is under way stays: systemd forgets with it that
 * the look may take as long as it likes, and ends it after its usual 90 seconds, in the middle of a rollback.
 */

import { dirname } from 'node:path';
import type { SupervisorKind } from '../instance/state.ts';
import type { Trial } from '../instance/trial.ts';
import { removeFile } from '../system/files.ts';
import { removeIfEmpty } from '../system/quick-files.ts';
import { actingNames, lookUnit, recoverUnit, trialDropIn, trialTimer } from './acting-units.ts';
import { findOurs, findUnit, findUnits, mainNames, writeFound, writeUnits } from './own-units.ts';
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
  const found = await findUnits(spec, mainNames(spec.instance));
  if (found.some(({ strange }) => strange)) return;
  const changed = writeFound(found, [{ name: recover, text: recoverUnit(spec) }]);
  if (changed.length > 0 || !(await isEnabled(spec, recover))) await systemctl(spec, ['enable', recover]);
  if (runs) allowStart(spec);
  else forbidStart(spec);
};

/** When nothing is installed any more and no change is open. What a look under way had to leave goes, too: it has nothing more to look at. */
export const removeBootRecovery = async (spec: ServiceSpec, supervisor: SupervisorKind): Promise<void> => {
  if (supervisor !== 'systemd') return;
  const { recover, look } = actingNames(spec.instance);
  const there = (await findOurs(spec, [recover, look])).filter(({ isThere }) => isThere);
  const names = there.map(({ name }) => name);
  if (there.length === 0) return;
  if (names.includes(recover)) await askSystemctl(spec, ['disable', recover]);
  for (const { file } of there) removeFile(file);
  await systemctl(spec, ['daemon-reload']);
  for (const name of names) await askSystemctl(spec, ['reset-failed', name]);
};

/** From here on the release is looked at. Failure 'refused-check' where systemd does not take the units. */
export const installTrial = async (spec: ServiceSpec, supervisor: SupervisorKind, trial: Trial): Promise<void> => {
  if (supervisor !== 'systemd') return;
  const { look, timer, dropIn } = actingNames(spec.instance);
  await writeUnits(spec, [
    { name: look, text: lookUnit(spec) },
    { name: timer, text: trialTimer(spec, trial) },
    { name: dropIn, text: trialDropIn(spec, trial) },
  ]);
  await systemctl(spec, ['daemon-reload']);
  await systemctl(spec, ['enable', timer]);
  await systemctl(spec, ['restart', timer]);
};

/** Nobody looks any more, and the server is never given up again. Only the file of a look under way stays, which nothing starts; the next change removes it. */
export const removeTrial = async (spec: ServiceSpec, supervisor: SupervisorKind): Promise<void> => {
  if (supervisor !== 'systemd') return;
  const { look, timer, dropIn } = actingNames(spec.instance);
  const found = await findOurs(spec, [timer, look, dropIn], [unitName(spec.instance)]);
  if (found.length === 0) return;
  await askSystemctl(spec, ['disable', timer]);
  await askSystemctl(spec, ['stop', timer]);
  const stays = (await isUnderWay(spec, look)) ? look : undefined;
  for (const { name, file } of found) {
    if (name !== stays) removeFile(file);
    if (name === dropIn) removeIfEmpty(dirname(file));
  }
  await systemctl(spec, ['daemon-reload']);
  await askSystemctl(spec, ['reset-failed', timer]);
};

/** Whether a boot ends an interrupted change; an instance that no change has touched since there are such units has none. */
export const hasBootRecovery = async (spec: ServiceSpec): Promise<boolean> =>
  (await findUnit(spec, actingNames(spec.instance).recover)).isThere;

/** Whether somebody looks at the release, as far as units tell. */
export const isTrialWatched = async (spec: ServiceSpec): Promise<boolean> =>
  (await findUnit(spec, actingNames(spec.instance).timer)).isThere;

const isEnabled = async (spec: ServiceSpec, name: string): Promise<boolean> =>
  (await askSystemctl(spec, ['is-enabled', '--quiet', name])).code === 0;

/** A unit that systemd does not know is inactive to it; where it says nothing at all, a look may well be under way. */
const isUnderWay = async (spec: ServiceSpec, name: string): Promise<boolean> => {
  const { stdout } = await askSystemctl(spec, ['show', '--value', '--property=ActiveState', name]);
  return !['inactive', 'failed'].includes(stdout.trim());
};
