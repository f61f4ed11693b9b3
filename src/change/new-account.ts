/**
 * The system user of a first installation as root, chosen and not yet made: its name and its number, so that everything can be prepared for it. One that is there
 * already is used and kept.
 */

import { createHash } from 'node:crypto';
import { Failure } from '../errors.ts';
import { listInstances } from '../instance/find.ts';
import { instancePaths } from '../instance/paths.ts';
import type { Account } from '../instance/state.ts';
import { readState } from '../instance/state.ts';
import { findFreeId, findGroup, findUser } from '../system/users.ts';
import type { InstanceName } from '../values.ts';
import type { Ports } from './request.ts';

/** As root every instance gets a system user of its own; null for everybody else. */
export const newAccount = ({ world, home }: Ports, instance: InstanceName): Account | null => {
  if (world.user.uid !== 0) return null;
  const name = userNameFor(instance);
  const there = findUser(name);
  if (there !== undefined) return { name, uid: there.uid, gid: there.gid, made: false };
  if (findGroup(name) !== undefined) throw groupAlone(name);
  const taken = listInstances(home).flatMap((other) => readState(instancePaths(home, other))?.account?.uid ?? []);
  const id = findFreeId(taken);
  return { name, uid: id, gid: id, made: true };
};

/**
 * `assent-NAME`. Where that is longer than a user's name may be, its end gives way to a digest of the whole, so that no two instances share a user, whose removal
 * would take the server of the other along. No instance has an underscore in its name, and so none of them has such a user by its name alone.
 */
export const userNameFor = (instance: InstanceName): string => {
  const name = `assent-${instance}`;
  if (name.length <= longestName) return name;
  const digest = createHash('sha256').update(instance).digest('hex').slice(0, 8);
  return `${name.slice(0, longestOfUnits - digest.length - 1)}_${digest}`;
};

/** What useradd takes, and what systemd has always taken after `User=`. */
const longestName = 32;
const longestOfUnits = 31;

/** Whoever has made it has given it rights or members. A user made for it here would have them, and the removal of that user would take the group along. */
const groupAlone = (name: string): Failure =>
  new Failure(
    'refused-check',
    `The group ${name} is there, and no user of that name, as whom the server would run.`,
    `If the server shall be in that group, make the user: useradd --system --gid ${name} --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin ${name}. If nobody needs the group: groupdel ${name}. Nothing was changed.`,
  );
