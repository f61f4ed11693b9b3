/**
 * systemd: system units as root, user units otherwise. What systemctl says is what counts; nothing is remembered here.
 *
 * `stop` waits for systemctl and then looks again that the unit's control group is empty. A user's manager ends with the user's
 * last session unless lingering is on, which is a warning with a remedy.
 */

import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { makeFolder, removeFile, statIfThere, writeDurably } from '../system/files.ts';
import { identify, run, sleep } from '../system/processes.ts';
import { findUserById } from '../system/users.ts';
import { readJournal } from './journal-log.ts';
import { managerEnvironment } from './manager.ts';
import type { ServiceSpec } from './spec.ts';
import { allowStart, forbidStart } from './started-mark.ts';
import type { Observation, ServiceWarning, Supervisor } from './supervisor.ts';
import { renderUnit, unitName } from './unit.ts';
import { systemUnits } from './unit-environment.ts';
import { membersOf } from './unit-group.ts';

export const systemdSupervisor: Supervisor = {
  kind: 'systemd',
  install: async (spec) => {
    makeFolder(unitFolder(spec));
    writeDurably(unitFile(spec), renderUnit(spec), { mode: 0o644 });
    await systemctl(spec, ['daemon-reload']);
    await systemctl(spec, ['enable', unitName(spec.instance)]);
  },
  remove: async (spec) => {
    if (statIfThere(unitFile(spec)) === undefined) return;
    await systemdSupervisor.stop(spec);
    await systemctl(spec, ['disable', unitName(spec.instance)]);
    removeFile(unitFile(spec));
    await systemctl(spec, ['daemon-reload']);
    await askSystemctl(spec, ['reset-failed', unitName(spec.instance)]);
  },
  start: async (spec) => {
    allowStart(spec);
    // What failed often before is no reason not to try now.
    await askSystemctl(spec, ['reset-failed', unitName(spec.instance)]);
    await systemctl(spec, ['start', unitName(spec.instance)], (spec.startSeconds + 60) * 1000);
  },
  stop: async (spec) => {
    forbidStart(spec);
    if ((await properties(spec)).LoadState === 'not-found') return;
    await systemctl(spec, ['stop', unitName(spec.instance)], (spec.stopSeconds + 60) * 1000);
    await untilEmpty(spec);
  },
  observe: async (spec) => observationOf(await properties(spec)),
  logs: (spec, options) => readJournal(spec, unitName(spec.instance), options),
  describe: (spec) => [unitFile(spec)],
  warnings: (spec) => lingering(spec),
};

export const unitFolder = ({ host }: ServiceSpec): string => (host.uid === 0 ? systemUnits : host.userUnits);

export const unitFile = (spec: ServiceSpec): string => join(unitFolder(spec), unitName(spec.instance));

type Properties = Readonly<
  Record<'LoadState' | 'ActiveState' | 'SubState' | 'MainPID' | 'NRestarts' | 'ControlGroup', string>
>;

const properties = async (spec: ServiceSpec): Promise<Properties> => {
  const names: (keyof Properties)[] = ['LoadState', 'ActiveState', 'SubState', 'MainPID', 'NRestarts', 'ControlGroup'];
  const out = await systemctl(spec, ['show', unitName(spec.instance), ...names.map((name) => `--property=${name}`)]);
  const pairs = out
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
  return Object.fromEntries(pairs) as Properties;
};

const observationOf = (found: Properties): Observation => {
  const restarts = Number(found.NRestarts ?? 0) || 0;
  const main = Number(found.MainPID) > 0 ? identify(Number(found.MainPID)) : undefined;
  if (found.ActiveState === 'active' && main !== undefined) return { state: 'running', main, restarts };
  if (found.ActiveState === 'inactive') return { state: 'stopped', restarts };
  return { state: 'failed', restarts, ...(found.ActiveState === 'failed' ? { gaveUp: true } : {}) };
};

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

/** Runs systemctl to its end; its output, or a Failure with what it said. */
export const systemctl = async (spec: ServiceSpec, args: readonly string[], timeoutMs = 60_000): Promise<string> => {
  const { code, stdout, stderr } = await askSystemctl(spec, args, timeoutMs);
  if (code === 0) return stdout;
  throw new Failure(
    'refused-check',
    `systemctl ${args.join(' ')} failed: ${stderr.trim().slice(-1000)}`,
    `More is in its journal: assent logs ${spec.instance}`,
  );
};

/** The same, whatever comes of it. */
export const askSystemctl = ({ host }: ServiceSpec, args: readonly string[], timeoutMs = 60_000) =>
  run(['systemctl', ...(host.uid === 0 ? [] : ['--user']), '--no-ask-password', '--no-pager', ...args], {
    env: managerEnvironment(host.uid),
    timeoutMs,
  });

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
