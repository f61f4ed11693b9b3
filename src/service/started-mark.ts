/**
 * The mark that lets a unit start while a change is open: `assent/NAME.started` in the manager's run folder, which no reboot survives.
 *
 * A server must not be started on data that an interrupted change has half switched, by whomever: the boot, or an admin's `systemctl start`. So its
 * unit starts only where no journal is open, or where the mark is there. Whoever starts the server as a step of a change or of a
 * recovery makes the mark, and stopping it takes it away. It is no order of units, so a recovery at boot may start the server itself.
 */

import { join } from 'node:path';
import { makeFolder, removeFile, writeDurably } from '../system/files.ts';
import type { ServiceSpec } from './spec.ts';
import { plainPath } from './unit-text.ts';

type Marked = Pick<ServiceSpec, 'host' | 'instance' | 'paths'>;

/** The folder below the manager's run folder; units that make marks ask for it by RuntimeDirectory=. */
export const markFolder = 'assent';

const markName = ({ instance }: Pick<Marked, 'instance'>): string => join(markFolder, `${instance}.started`);

const markFile = (spec: Marked): string =>
  join(spec.host.uid === 0 ? '/run' : `/run/user/${spec.host.uid}`, markName(spec));

export const allowStart = (spec: Marked): void => {
  makeFolder(join(markFile(spec), '..'), { mode: 0o755 });
  writeDurably(markFile(spec), '', { mode: 0o644 });
};

export const forbidStart = (spec: Marked): void => removeFile(markFile(spec));

/** For the unit of the server. One of the two has to hold. */
export const startConditions = (spec: Marked): string[] => [
  `ConditionPathExists=|!${plainPath(spec.paths.openJournal)}`,
  `ConditionPathExists=|%t/${plainPath(markName(spec))}`,
];
