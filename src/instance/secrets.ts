/**
 * Secrets of an instance: one file each under `secrets/`, mode 0600, in a folder of mode 0700 that the server's account
 * can't enter. They reach a server only through a configuration file that is rendered with them. Never in arguments, logs or JSON.
 */

import { join } from 'node:path';
import { listFolder, readIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import type { InstancePaths } from './paths.ts';

/** Letters and digits that can't be taken for one another. */
const alphabet = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

export const secretFile = (paths: InstancePaths, name: string): string => join(paths.secrets, name);

export const readSecrets = (paths: InstancePaths): Record<string, string> =>
  Object.fromEntries(
    listFolder(paths.secrets).map((name) => [name, (readIfThere(secretFile(paths, name)) ?? '').replace(/\n$/, '')]),
  );

/** Uniform over the alphabet: bytes that would favour its first letters are thrown away. */
export const generateSecret = (world: World, length: number): string => {
  const fair = 256 - (256 % alphabet.length);
  let secret = '';
  while (secret.length < length) {
    for (const byte of world.random(length * 2)) {
      if (byte < fair && secret.length < length) secret += alphabet[byte % alphabet.length];
    }
  }
  return secret;
};
