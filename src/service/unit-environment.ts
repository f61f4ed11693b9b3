/**
 * What systemd sets for a unit beside what we wrote: drop-ins of the admin (`systemctl edit`), and environment files. Read from the files themselves, for
 * asking systemd is a process, and who counts as the server's account may have nobody to ask.
 *
 * As systemd does it: the drop-ins of all folders by their name, a more special one and an earlier folder hiding a namesake; a later assignment
 * wins, an empty one clears what came before, and files win over assignments. What systemd may read and we can't is taken for a veto: doubt is a no.
 */

import { join } from 'node:path';
import { ifThere, listFolder, readIfThere, statIfThere } from '../system/files.ts';
import { realPath } from '../system/settled-file.ts';
import { findUserById } from '../system/users.ts';
import type { World } from '../system/world.ts';
import { parseEnvironmentFile } from './environment.ts';

export const systemUnits = '/etc/systemd/system';

/** Where a user's own units lie. */
export const userUnitsOf = ({ env }: Pick<World, 'env'>): string =>
  join(env.XDG_CONFIG_HOME || join(env.HOME ?? '/', '.config'), 'systemd/user');

/** Where drop-ins for units of this user lie, 0 for the system's. Whoever asks knows by the own environment only where the own ones are. */
export const dropInFolders = (world: Asker, uid: number): string[] => {
  if (uid === 0) return [systemUnits, '/run/systemd/system'];
  const usual = join(findUserById(uid)?.home ?? '/', '.config/systemd/user');
  const own = world.user.uid === uid ? userUnitsOf(world) : usual;
  return [...new Set([own, usual]), '/etc/systemd/user', '/run/systemd/user', `/run/user/${uid}/systemd/user`];
};

/** Who looks where units lie. */
export type Asker = Pick<World, 'env' | 'user'>;

export interface UnitEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  /** The file or folder that can't be read here and may hold a veto, where DO_NOT_TRACK is set for that alone. */
  readonly unseen: string | null;
}

/** The unit, where its drop-ins lie, and the home of the manager's user. */
export interface UnitAt {
  readonly unit: string;
  readonly folders: readonly string[];
  readonly home?: string | undefined;
}

/** `file`: the environment file that the unit itself names. */
export const unitEnvironment = (at: UnitAt, file: string | null): UnitEnvironment => {
  let assigned: Record<string, string> = {};
  let files: Source[] = file === null ? [] : [{ path: file, text: textOf(file) }];
  const dropIns = dropInsOf(at);
  for (const [key, value] of dropIns.flatMap(({ text = '' }) => settingsOf(text))) {
    if (key === 'Environment') assigned = value === '' ? {} : { ...assigned, ...assignmentsIn(value) };
    if (key === 'EnvironmentFile') files = value === '' ? [] : [...files, namedFile(value, at)];
  }
  // A drop-in that can't be read may set, name or clear anything.
  return withFiles(assigned, [...files, ...dropIns.filter(({ text }) => text === undefined)]);
};

/** A file's text; undefined where it may say what we can't see. */
interface Source {
  readonly path: string;
  readonly text: string | undefined;
}

const withFiles = (assigned: Record<string, string>, files: readonly Source[]): UnitEnvironment => {
  const variables = { ...assigned };
  let unseen: string | null = null;
  for (const { path, text } of files) {
    const pairs = text === undefined ? { [veto]: '1' } : parseEnvironmentFile(text);
    if (veto in pairs) unseen = text === undefined ? path : null;
    Object.assign(variables, pairs);
  }
  return { variables, unseen };
};

export const veto = 'DO_NOT_TRACK';

/** As `EnvironmentFile=` names it: a hyphen before one that may be missing; patterns, and all but the plainest specifiers, only systemd resolves. */
const namedFile = (value: string, at: UnitAt): Source => {
  const { folders } = at;
  const path = resolved(value.replace(/^-/, ''), at);
  if (/[%*?[]/.test(path)) return { path, text: undefined };
  const mayLack = value.startsWith('-') && !(folders.includes(systemUnits) && isHidden(path));
  return { path, text: textOf(path, mayLack ? '' : undefined) };
};

/** With the names of the unit, which is no template, and the home put in. */
const resolved = (path: string, { unit, home }: UnitAt): string => {
  const name = unit.replace(/\.service$/, '');
  const known: Record<string, string | undefined> = { n: unit, N: name, p: name, i: '', h: home };
  return path.replace(/%([nNpih])/g, (as, letter) => known[letter] ?? as);
};

/** From what runs beside a server in a system unit (shutFilesystem in unit.ts): what lies there looks to it as if it were missing. */
const isHidden = (path: string): boolean => /^\/(home|root|run\/user|tmp|var\/tmp)\//.test(path);

/** A unit's drop-ins, in their order. For `assent-my-mail.service` also those of `assent-my-.service`, `assent-.service` and `service`. */
const dropInsOf = ({ unit, folders }: UnitAt): Source[] => {
  const general = [...unit.matchAll(/-/g)].map(({ index }) => `${unit.slice(0, index + 1)}.service`).reverse();
  const found = new Map<string, string>();
  const closed: Source[] = [];
  for (const name of [unit, ...general, 'service'])
    for (const folder of folders.map((each) => join(each, `${name}.d`))) {
      const names = namesIn(folder);
      if (names === undefined) closed.push({ path: folder, text: undefined });
      for (const file of names ?? [])
        if (file.endsWith('.conf') && !found.has(file)) found.set(file, join(folder, file));
    }
  const paths = [...found.keys()].sort().map((file) => found.get(file) ?? '');
  return [...paths.map((path) => ({ path, text: textOf(path, '') })), ...closed];
};

/** Keys and values of the section [Service]. */
const settingsOf = (text: string): [string, string][] => {
  let section = '';
  return text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .flatMap((written): [string, string][] => {
      const line = written.trim();
      section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
      const [, key = '', value = ''] = /^([A-Za-z]+)\s*=\s*(.*)$/.exec(line) ?? [];
      return section === 'Service' && key !== '' ? [[key, value]] : [];
    });
};

/** Words of `Environment=`, as systemd takes them apart: quotes anywhere in a word, a backslash before what is meant as it stands. */
const assignmentsIn = (value: string): Record<string, string> => {
  const words = value.match(/(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+/g) ?? [];
  return Object.fromEntries(
    words.map((word) => {
      const plain = word.replace(/"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|\\(.)/g, (_, double, single, kept) =>
        (double ?? single ?? kept).replace(/\\(.)/g, '$1'),
      );
      const at = plain.indexOf('=');
      return [plain.slice(0, at), plain.slice(at + 1)];
    }),
  );
};

/** Undefined where the folder can't be looked into. */
const namesIn = (folder: string): string[] | undefined => {
  try {
    return listFolder(folder);
  } catch {
    return undefined;
  }
};

/** Links are followed, as systemd does; one to /dev/null is how a file is put out of force. `missing`: what it means that nothing is there. */
const textOf = (path: string, missing?: string): string | undefined => {
  try {
    // A link that leads nowhere may do so only for us.
    if (statIfThere(path) === undefined) return missing;
    const real = ifThere(() => realPath(path));
    if (real === undefined) return undefined;
    return real === '/dev/null' ? '' : readIfThere(real);
  } catch {
    return undefined;
  }
};
