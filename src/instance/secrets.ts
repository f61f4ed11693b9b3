/**
 * Secrets of an instance: one file each under `secrets/`, mode 0600, in a folder of mode 0700 that the server's account
 * can't enter. They reach a server only through a configuration file that is rendered with them. Never in arguments, logs or JSON.
 */

import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { secretAlphabet as alphabet } from '../product/generated-secret.ts';
import { unprintable } from '../product/wording.ts';
import { listFolder, readIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import type { InstancePaths } from './paths.ts';

export const secretFile = (paths: InstancePaths, name: string): string => join(paths.secrets, name);

export const secretNames = (paths: InstancePaths): string[] => listFolder(paths.secrets);

/** Throws 'refused-state-damaged' where one can't be a secret: rendered, it would be a password that nobody gave, or none. */
export const readSecrets = (paths: InstancePaths): Record<string, string> =>
  Object.fromEntries(secretNames(paths).map((name) => [name, readSecret(secretFile(paths, name))]));

export const readSecret = (file: string): string => {
  const text = (readIfThere(file) ?? '').replace(/\n$/, '');
  if (text !== '' && !text.match(unprintable)) return text;
  throw new Failure(
    'refused-state-damaged',
    `The secret ${file} is damaged: ${text === '' ? 'it is empty' : 'it has a line break or a control character in it'}.`,
    'Nothing was changed. Write the secret into it, as its only line, or restore it from a backup of the whole instance folder.',
  );
};

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
