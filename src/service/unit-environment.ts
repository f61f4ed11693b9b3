/**
 * What systemd sets for a unit beside what we wrote: drop-ins of the admin (`systemctl edit`), and environment files. Read from the files themselves, for
 * asking systemd is a process, and who counts as the server's account may have nobody to ask.
 *
 * As systemd does it: the drop-ins of all folders by their name, a more special one and an earlier folder hiding a namesake; a later assignment
 * wins, an empty one clears what came before, and files win over assignments. What can't be read says nothing.
 */

import { join } from 'node:path';
import { listFolder, readIfThere } from '../system/files.ts';
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

/** `file`: the environment file that the unit itself names. */
export const unitEnvironment = (
  unit: string,
  folders: readonly string[],
  file: string | null,
): Record<string, string> => {
  let assigned: Record<string, string> = {};
  let files = file === null ? [] : [file];
  for (const [key, value] of dropInsOf(unit, folders).flatMap(settingsOf)) {
    if (key === 'Environment') assigned = value === '' ? {} : { ...assigned, ...assignmentsIn(value) };
    if (key === 'EnvironmentFile') files = value === '' ? [] : [...files, value.replace(/^-/, '')];
  }
  return Object.assign(assigned, ...files.map((path) => parseEnvironmentFile(textOf(path))));
};

/** The texts of a unit's drop-ins, in their order. For `assent-my-mail.service` also those of `assent-my-.service`, `assent-.service` and `service`. */
const dropInsOf = (unit: string, folders: readonly string[]): string[] => {
  const general = [...unit.matchAll(/-/g)].map(({ index }) => `${unit.slice(0, index + 1)}.service`).reverse();
  const found = new Map<string, string>();
  for (const name of [unit, ...general, 'service'])
    for (const folder of folders)
      for (const file of namesIn(join(folder, `${name}.d`)))
        if (file.endsWith('.conf') && !found.has(file)) found.set(file, join(folder, `${name}.d`, file));
  return [...found.keys()].sort().map((file) => textOf(found.get(file) ?? ''));
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

const namesIn = (folder: string): string[] => {
  try {
    return listFolder(folder);
  } catch {
    return [];
  }
};

const textOf = (path: string): string => {
  try {
    return readIfThere(path) ?? '';
  } catch {
    return '';
  }
};
