/**
 * `doctor`: every check that can be made now, each with a remedy for what it finds. It looks only. What can't be looked at any more
 * (a release that is gone) is a finding itself, and the checks behind it are left out.
 */

import { join } from 'node:path';
import { consentForService } from '../../consent/for-service.ts';
import { Failure, messageOf } from '../../errors.ts';
import { listInstances } from '../../instance/find.ts';
import type { InstancePaths } from '../../instance/paths.ts';
import { instancePaths } from '../../instance/paths.ts';
import type { InstanceState } from '../../instance/state.ts';
import { readState } from '../../instance/state.ts';
import { unfinished } from '../../instance/unfinished.ts';
import { releaseFolder } from '../../release/layout.ts';
import { findProgram } from '../../release/program.ts';
import { sealName } from '../../release/seal-file.ts';
import { findStored } from '../../release/store.ts';
import { serverVetoOf } from '../../service/server-veto.ts';
import { hostOf, serviceSpec } from '../../service/spec.ts';
import { supervisors } from '../../service/supervisor.ts';
import { statIfThere } from '../../system/files.ts';
import type { World } from '../../system/world.ts';
import type { InstanceName } from '../../values.ts';
import { readJournal } from '../journal.ts';
import { consentChecks } from './consent-checks.ts';
import { declaredChecks } from './declared-checks.ts';
import type { Finding, Found, Patient } from './finding.ts';
import { note, problem, warning } from './finding.ts';
import { homeChecks } from './home-checks.ts';
import { releaseChecks } from './release-checks.ts';
import { rollbackChecks } from './rollback-checks.ts';
import { serviceChecks } from './service-checks.ts';
import { trialChecks } from './trial-checks.ts';

export interface Examination {
  readonly findings: readonly Finding[];
  /** How many checks were made. */
  readonly checks: number;
}

/** `only`: one instance; else all of the home. */
export const examine = async (world: World, home: string, only?: InstanceName): Promise<Examination> => {
  const names = only === undefined ? listInstances(home) : [only];
  const ofHome = await runChecks(homeChecks, { world, home, names });
  const examined = { findings: of(null, ofHome), checks: homeChecks.length };
  for (const name of names) {
    const one = await examineInstance(world, home, name);
    examined.findings.push(...of(name, one.found));
    examined.checks += one.checks;
  }
  return examined;
};

const examineInstance = async (
  world: World,
  home: string,
  name: InstanceName,
): Promise<{ found: Found[]; checks: number }> => {
  const paths = instancePaths(home, name);
  const consent = await runChecks(consentChecks, { world, paths });
  const begun = { found: [...openChange(paths), ...consent], checks: 1 + consentChecks.length };
  const state = stateOf(paths);
  if ('id' in state) return { found: [state, ...begun.found], checks: begun.checks + 1 };
  const patient = await patientOf(world, home, paths, state);
  if ('id' in patient) return { found: [...begun.found, patient], checks: begun.checks + 1 };
  const checks = [...releaseChecks, ...serviceChecks, ...rollbackChecks, ...trialChecks, ...declaredChecks(patient)];
  const found = onceEach(await runChecks(checks, patient));
  return { found: [...begun.found, ...found], checks: begun.checks + checks.length };
};

/** Two checks may find the same: the one address of a host, looked for with each of its ports. */
const onceEach = (found: readonly Found[]): Found[] =>
  found.filter((one, at) => found.findIndex(({ message }) => message === one.message) === at);

/** A check that fails in itself is a finding: it must not hide the others. */
const runChecks = async <Given>(
  checks: readonly ((given: Given) => Found[] | Promise<Found[]>)[],
  given: Given,
): Promise<Found[]> => {
  const found: Found[] = [];
  for (const check of checks) {
    try {
      found.push(...(await check(given)));
    } catch (error) {
      found.push(
        warning(
          'check-failed',
          `The check "${check.name}" could not be made: ${messageOf(error)}.`,
          'Run it as the user who installed it, or as root.',
        ),
      );
    }
  }
  return found;
};

const openChange = (paths: InstancePaths): Found[] => {
  const open = unfinished(paths);
  if (open === null) return [];
  if (open.running)
    return [
      note('change-running', `A change is running: ${open.kind}, at step "${open.step}".`, 'Wait until it has ended.'),
    ];
  const damaged = damageOf(paths);
  if (damaged !== undefined) return [problem('journal-damaged', damaged.message, damaged.advice)];
  return [
    problem(
      'change-interrupted',
      `The ${open.kind} was interrupted at step "${open.step}" (${open.at}).`,
      `assent recover ${paths.name}`,
    ),
  ];
};

/** Why `recover` can't end it. */
const damageOf = (paths: InstancePaths): Failure | undefined => {
  try {
    readJournal(paths);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
};

const stateOf = (paths: InstancePaths): InstanceState | Found => {
  try {
    const state = readState(paths);
    if (state?.installed === true) return state;
    return note(
      'not-installed',
      `${paths.name} is not installed; what was kept lies in ${paths.folder}.`,
      `assent install --name ${paths.name}`,
    );
  } catch (error) {
    return problem(
      'state-damaged',
      messageOf(error),
      `Restore ${paths.state} from a backup of the whole folder ${paths.folder}.`,
    );
  }
};

const patientOf = async (
  world: World,
  home: string,
  paths: InstancePaths,
  state: InstanceState,
): Promise<Patient | Found> => {
  const { product, version, digest } = state.release;
  const stored = findStored(home, product, version, digest);
  if (stored === undefined) {
    const folder = releaseFolder(home, state.release);
    if (statIfThere(folder) !== undefined)
      return problem(
        'release-damaged',
        `The seal of the release ${product} ${version}, ${join(folder, sealName)}, is missing or damaged.`,
        `Move ${folder} away, then: assent reinstall ${paths.name}`,
      );
    return problem(
      'release-missing',
      `The release ${product} ${version} is missing in the store.`,
      `assent reinstall ${paths.name}`,
    );
  }
  const consent = consentForService(world, paths, serverVetoOf(world, paths), state.veto);
  const spec = serviceSpec(hostOf(world, findProgram(world, home)), state, stored, paths, consent);
  const supervisor = supervisors[state.supervisor];
  return { world, home, paths, state, stored, spec, supervisor, observed: await supervisor.observe(spec) };
};

const of = (instance: string | null, found: readonly Found[]): Finding[] => found.map((one) => ({ ...one, instance }));
