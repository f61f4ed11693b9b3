/** Checks of what is on disk for an instance: its release, the private Node, the link to it, configuration and secrets. */

import { join } from 'node:path';
import { Failure } from '../../errors.ts';
import { readSecret, secretFile, secretNames } from '../../instance/secrets.ts';
import { homePaths } from '../../release/layout.ts';
import { verifyStored } from '../../release/store.ts';
import { listFolder, readBytesIfThere, readLinkIfThere, statIfThere } from '../../system/files.ts';
import { wrongAnswerIn } from '../node-answer.ts';
import type { Found, Patient } from './finding.ts';
import { note, problem, warning } from './finding.ts';

const currentLink = ({ paths, stored }: Patient): Found[] => {
  const target = readLinkIfThere(paths.current);
  if (target !== undefined && join(paths.folder, target) === stored.folder) return [];
  const found = target === undefined ? 'is missing' : `leads to ${target}`;
  return [
    problem(
      'current',
      `${paths.current} ${found} and not to the release that the state names.`,
      `assent reinstall ${paths.name}`,
    ),
  ];
};

const releaseIntact = async ({ paths, stored }: Patient): Promise<Found[]> => {
  const differences = await verifyStored(stored);
  if (differences.length === 0) return [];
  const some = differences
    .slice(0, 3)
    .map((difference) => difference.replace(/\.$/, ''))
    .join('; ');
  return [
    problem(
      'release-altered',
      `The stored release ${stored.folder} is not as it was sealed: ${some}${differences.length > 3 ? `; and ${differences.length - 3} more` : ''}.`,
      `Move ${stored.folder} away, then: assent reinstall ${paths.name}`,
    ),
  ];
};

const runtimeWorks = async (patient: Patient): Promise<Found[]> => {
  const { paths, stored } = patient;
  const { runtime } = stored.release;
  if (stored.node === undefined || runtime === undefined) return [];
  const said = await wrongAnswerIn(patient, stored.node, runtime);
  if (said === null) return [];
  return [
    problem(
      'runtime',
      `The private Node ${stored.node} does not answer as ${runtime}: ${said}.`,
      `assent reinstall ${paths.name}`,
    ),
  ];
};

const programThere = ({ paths, state }: Patient): Found[] => {
  if (state.supervisor === 'none' || listFolder(join(homePaths(paths.home).runtimes, 'assent')).length > 0) return [];
  return [
    problem(
      'program',
      `The copy of Assent that keeps the server running is missing under ${paths.home}/runtimes/assent.`,
      `assent reinstall ${paths.name}`,
    ),
  ];
};

/** Local edits are welcome and survive; worth knowing all the same. */
const configEdits = (patient: Patient): Found[] => {
  const { paths, stored } = patient;
  const edited = stored.release.config
    .map(({ file }) => file)
    .filter((file) => !sameFile(join(paths.config, file), join(paths.configBase, file)));
  const missing = edited.filter((file) => statIfThere(join(paths.config, file)) === undefined);
  const changed = edited.filter((file) => !missing.includes(file));
  return [
    ...missing.map((file) =>
      warning(
        'config-missing',
        `The configuration file ${join(paths.config, file)} is missing.`,
        putBack(patient, file),
      ),
    ),
    ...(changed.length === 0
      ? []
      : [
          note(
            'config-edited',
            `Edited by hand: ${changed.join(', ')}.`,
            'Edits survive upgrades; a conflict is shown in the plan.',
          ),
        ]),
  ];
};

/** A change carries a removal along like any edit, so no reinstall brings the file back; but for one of which nobody knows what it was. */
const putBack = (patient: Patient, file: string): string => {
  const { paths } = patient;
  const written = join(paths.configBase, file);
  if (statIfThere(written) === undefined) return `assent reinstall ${paths.name}`;
  return `If the server needs it: install -D ${asWritten(patient, file)} ${written} ${join(paths.config, file)}, then: assent restart ${paths.name}`;
};

/** Mode, owner and group that a change gives the file. */
const asWritten = ({ paths, stored, state: { account }, world }: Patient, file: string): string => {
  const isOpen = stored.release.config.some((one) => one.file === file && !one.secret);
  if (account !== null) return `-m ${isOpen ? 644 : 640} -g ${account.gid}`;
  const mode = `-m ${isOpen ? 644 : 600}`;
  const owner = statIfThere(paths.folder);
  return owner === undefined || owner.uid === world.user.uid ? mode : `${mode} -o ${owner.uid} -g ${owner.gid}`;
};

const secretsClosed = ({ paths }: Patient): Found[] =>
  secretNames(paths)
    .map((name) => secretFile(paths, name))
    .filter((file) => ((statIfThere(file)?.mode ?? 0) & 0o077) !== 0)
    .map((file) => problem('secret-readable', `The secret ${file} can be read by others.`, `chmod 600 ${file}`));

const secretsWhole = ({ paths }: Patient): Found[] =>
  secretNames(paths).flatMap((name) => {
    try {
      readSecret(secretFile(paths, name));
      return [];
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return [problem('secret-damaged', error.message, error.advice)];
    }
  });

const sameFile = (one: string, other: string): boolean => {
  const [a, b] = [readBytesIfThere(one), readBytesIfThere(other)];
  return a !== undefined && b !== undefined && a.equals(b);
};

export const releaseChecks = [
  currentLink,
  releaseIntact,
  runtimeWorks,
  programThere,
  configEdits,
  secretsClosed,
  secretsWhole,
] as const;
