/**
 * systemd: system units as root, user units otherwise. What systemctl says is what counts; nothing is remembered here.
 *
 * `stop` waits for systemctl and then looks again that the unit's control group is empty. A user's manager ends with the user's
 * last session unless lingering is on, which is a warning with a remedy. A unit of the same name that is another home's is neither written nor started,
 * which fails, nor stopped or removed, which has nothing to do then (own-units.ts).
 */

import { Failure } from '../errors.ts';
import { removeFile, statIfThere } from '../system/files.ts';
import { environmentOf } from '../system/process-table.ts';
import { identify, sleep } from '../system/processes.ts';
import { findUserById } from '../system/users.ts';
import { readJournal } from './journal-log.ts';
import { findUnit, mustBeOurs, strangeUnit, writeUnits } from './own-units.ts';
import type { ServiceSpec } from './spec.ts';
import { allowStart, forbidStart } from './started-mark.ts';
import type { Observation, ServiceWarning, Supervisor } from './supervisor.ts';
import { askSystemctl, systemctl } from './systemctl.ts';
import { renderUnit, unitName } from './unit.ts';
import { membersOf } from './unit-group.ts';

export const systemdSupervisor: Supervisor = {
  kind: 'systemd',
  mustBeOurs,
  install: async (spec) => {
    await writeUnits(spec, [{ name: unitName(spec.instance), text: renderUnit(spec) }]);
    await systemctl(spec, ['daemon-reload']);
    await enableAsMeant(spec);
  },
  atBoot: async (spec) => {
    const { strange, isThere } = await findUnit(spec, unitName(spec.instance));
    if (strange !== undefined) return;
    if (isThere) await enableAsMeant(spec);
    // It runs without a file, which somebody has removed.
    else if (spec.runs) await systemdSupervisor.install(spec);
  },
  remove: async (spec) => {
    const { strange, isThere, isLoaded, file } = await findUnit(spec, unitName(spec.instance));
    if (strange) return;
    // Its file may have been deleted by hand: what systemd does not find, it does not disable.
    if (await isLeftWithoutFile(spec)) await systemdSupervisor.install(spec);
    else if (!(isThere || isLoaded)) return;
    await stopOurs(spec);
    await systemctl(spec, ['disable', unitName(spec.instance)]);
    removeFile(file);
    await systemctl(spec, ['daemon-reload']);
    await askSystemctl(spec, ['reset-failed', unitName(spec.instance)]);
  },
  start: async (spec) => {
    await mustBeOurs(spec);
    allowStart(spec);
    // What failed often before is no reason not to try now.
    await askSystemctl(spec, ['reset-failed', unitName(spec.instance)]);
    await systemctl(spec, ['start', unitName(spec.instance)], (spec.startSeconds + 60) * 1000);
  },
  stop: async (spec) => {
    if ((await findUnit(spec, unitName(spec.instance))).strange === undefined) await stopOurs(spec);
  },
  observe: async (spec) => observationOf(spec, await properties(spec)),
  logs: (spec, options) => readJournal(spec, unitName(spec.instance), options),
  describe: async (spec) => [(await findUnit(spec, unitName(spec.instance))).file],
  warnings: (spec) => lingering(spec),
};

/** What somebody has stopped is not started by a boot either. */
const enableAsMeant = (spec: ServiceSpec): Promise<unknown> =>
  systemctl(spec, [spec.runs ? 'enable' : 'disable', unitName(spec.instance)]);

const stopOurs = async (spec: ServiceSpec): Promise<void> => {
  forbidStart(spec);
  if ((await properties(spec)).LoadState === 'not-found' && !(await runsWithoutFile(spec))) return;
  await systemctl(spec, ['stop', unitName(spec.instance)], (spec.stopSeconds + 60) * 1000);
  await untilEmpty(spec);
  // Stopped is what it is, also where it took KILL or ended with a code: as `failed` it would count as meant to run.
  await askSystemctl(spec, ['reset-failed', unitName(spec.instance)]);
};

/**
 * Whether our server runs by that name although no file of it is there any more: systemd calls it not found, and has it all the same. Nothing but the server's own
 * environment tells then whose it is.
 */
const runsWithoutFile = async (spec: ServiceSpec): Promise<boolean> => {
  const pid = Number((await withoutFile(spec))?.MainPID ?? 0);
  return pid > 0 && environmentOf(pid)['HOME'] === spec.paths.data;
};

/** The same, or that a boot still looks for it. */
const isLeftWithoutFile = async (spec: ServiceSpec): Promise<boolean> => {
  const found = await withoutFile(spec);
  return found !== undefined && (found.WantedBy !== '' || (await runsWithoutFile(spec)));
};

/** What systemd says of a unit that it has no file of; undefined where it has one, or can't be asked. */
const withoutFile = async (spec: ServiceSpec): Promise<Record<string, string> | undefined> => {
  const properties = ['LoadState', 'MainPID', 'WantedBy'].map((name) => `--property=${name}`);
  const { stdout } = await askSystemctl(spec, ['show', unitName(spec.instance), ...properties]);
  const found = pairsOf(stdout);
  return found['LoadState'] === 'not-found' ? found : undefined;
};

const pairsOf = (out: string): Record<string, string> =>
  Object.fromEntries(
    out.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
  );

const asked = [
  ...(['LoadState', 'ActiveState', 'Result', 'MainPID', 'NRestarts', 'ControlGroup', 'FragmentPath'] as const),
  ...(['InactiveExitTimestampMonotonic', 'ActiveExitTimestampMonotonic', 'ExecMainExitTimestampMonotonic'] as const),
] as const;

type Properties = Readonly<Record<(typeof asked)[number], string>>;

const properties = async (spec: ServiceSpec): Promise<Properties> => {
  const out = await systemctl(spec, ['show', unitName(spec.instance), ...asked.map((name) => `--property=${name}`)]);
  return pairsOf(out) as Properties;
};

/** Of ours: what another home runs by the name says nothing of this one's. */
const observationOf = (spec: ServiceSpec, found: Properties): Observation => {
  if (found.FragmentPath && strangeUnit(spec, found.FragmentPath)) return { state: 'stopped', restarts: 0 };
  const restarts = Number(found.NRestarts ?? 0) || 0;
  const main = Number(found.MainPID) > 0 ? identify(Number(found.MainPID)) : undefined;
  if (found.ActiveState === 'active' && main !== undefined) return { state: 'running', main, restarts };
  if (found.ActiveState === 'inactive' || wasStopped(found)) return { state: 'stopped', restarts };
  return { state: 'failed', restarts, ...(found.ActiveState === 'failed' ? { gaveUp: gaveUpFor(found) } : {}) };
};

/** `failed` is also what somebody has stopped by systemctl that took KILL, or ended with a code: it had left the state of running before its process ended. */
const wasStopped = (found: Properties): boolean => {
  const begun = Number(found.InactiveExitTimestampMonotonic);
  const left = Number(found.ActiveExitTimestampMonotonic);
  const isUnclean = ['timeout', 'exit-code', 'signal', 'core-dump'].includes(found.Result);
  const ended = Number(found.ExecMainExitTimestampMonotonic);
  return found.ActiveState === 'failed' && isUnclean && begun < left && left < ended;
};

/** systemd counts all starts, also those that somebody has typed, and that it ended up by itself stands in its count of restarts alone. */
const gaveUpFor = ({ Result, NRestarts }: Properties): NonNullable<Observation['gaveUp']> =>
  Result === 'start-limit-hit' || Number(NRestarts) > 0 ? 'starts' : 'death';

const untilEmpty = async (spec: ServiceSpec): Promise<void> => {
  const end = performance.now() + (spec.stopSeconds + 15) * 1000;
  for (;;) {
    const { ActiveState, ControlGroup } = await properties(spec);
    const processes = ControlGroup ? membersOf(ControlGroup) : '';
    if (['inactive', 'failed'].includes(ActiveState) && processes === '') return;
    if (performance.now() > end) throw notEmpty(spec, processes);
    await sleep(20);
  }
};

const notEmpty = (spec: ServiceSpec, processes: string): Failure =>
  new Failure(
    'refused-check',
    `${unitName(spec.instance)} does not stop; its processes: ${processes.replaceAll('\n', ', ') || 'unknown'}.`,
    `Look at it: systemctl ${spec.host.uid === 0 ? '' : '--user '}status ${unitName(spec.instance)}`,
  );

const lingering = ({ host, instance }: ServiceSpec): ServiceWarning[] => {
  const name = host.uid === 0 ? undefined : findUserById(host.uid)?.name;
  if (name === undefined || statIfThere(`/var/lib/systemd/linger/${name}`) !== undefined) return [];
  return [
    {
      id: 'no-lingering',
      message: `Lingering is off for ${name}: the server stops when you log out, and does not start at boot.`,
      remedy: `loginctl enable-linger ${name}, then: assent start ${instance}`,
    },
  ];
};
