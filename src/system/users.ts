/**
 * The machine's users and groups: /etc/passwd and /etc/group first, then whatever else the name service knows (LDAP, systemd) through `getent`.
 */
import { readFileSync } from 'node:fs';
import { type Owner, statIfThere } from './files.ts';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export const findUser = (name: string): User | undefined => find(name, (user) => user.name === name);

export const findUserById = (uid: number): User | undefined => find(String(uid), (user) => user.uid === uid);

export interface Group {
  readonly name: string;
  readonly gid: number;
}

export const findGroup = (name: string): Group | undefined => groupWhere(name, (group) => group.name === name);

export const findGroupById = (gid: number): Group | undefined => groupWhere(String(gid), (group) => group.gid === gid);

const groupWhere = (key: string, isIt: (group: Group) => boolean): Group | undefined =>
  parseGroups(readFileSync('/etc/group', 'utf8')).find(isIt) ?? parseGroups(askNameService('group', key)).find(isIt);

/** A number from the range of system users that neither a user nor a group has, nor any of `taken`. */
export const findFreeId = (taken: readonly number[]): number => {
  const used = new Set([...taken, ...idsIn('/etc/passwd'), ...idsIn('/etc/group')]);
  for (let id = 999; id >= 400; id -= 1) {
    if (!used.has(id) && findUserById(id) === undefined) return id;
  }
  throw new Error('every number of a system user, 400 to 999, is taken');
};

/** The third field of each line: uid or gid. */
const idsIn = (file: string): number[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => Number(line.split(':')[2]));

const find = (key: string, isIt: (user: User) => boolean): User | undefined =>
  parse(readFileSync('/etc/passwd', 'utf8')).find(isIt) ?? parse(askNameService('passwd', key)).find(isIt);

/** Takes a name or a number; what comes back has to be looked at, since a name of digits is taken for a number. */
const askNameService = (database: 'passwd' | 'group', key: string): string => {
  if (!/^[\w.@-]+$/.test(key) || key.startsWith('-')) return '';
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { status, stdout } = spawnSync('getent', [database, key], { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? stdout : '';
};

const parse = (text: string): User[] =>
  text.split('\n').flatMap((line) => {
    const [name, , uid, gid, , home] = line.split(':');
    return name && uid && gid && home !== undefined ? [{ name, uid: Number(uid), gid: Number(gid), home }] : [];
  });

const parseGroups = (text: string): Group[] =>
  text.split('\n').flatMap((line) => {
    const [name, , gid] = line.split(':');
    return name && gid ? [{ name, gid: Number(gid) }] : [];
  });

/** Whoever else than root owns the first of these places that is not root's. */
export const strangerAt = (places: readonly string[]): Owner | undefined => {
  const stat = places.map(statIfThere).find((found) => found !== undefined && found.uid !== 0);
  return stat === undefined ? undefined : { uid: stat.uid, gid: stat.gid };
};
