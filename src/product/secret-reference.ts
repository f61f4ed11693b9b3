/**
 * How the text of a secret comes in without standing in arguments, answers or shell histories: as a reference, `@file:PATH` or
 * `@env:NAME`. A text given plainly is refused and not echoed.
 */

import { isAbsolute, resolve } from 'node:path';
import { Failure, messageOf } from '../errors.ts';
import { readBytesIfThere, statIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import { parseSetting, type Setting } from './settings.ts';

export type SecretReference =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'env'; readonly name: string };

/** What is known of a secret: where its text is, or, typed at a terminal, the text itself. */
export type SecretSource = SecretReference | { readonly kind: 'typed'; readonly text: string };

/** Longest file of a secret that is read, in bytes. */
const fileLimit = 4096;

/** The reference that a text is; undefined where it is none. A relative path is taken from `folder`, where one is given. */
export const parseSecretReference = (text: string, folder?: string): SecretReference | undefined => {
  const [, kind, rest = ''] = /^@(file|env):(.+)$/.exec(text) ?? [];
  if (kind === 'env') return /^[A-Za-z_][A-Za-z0-9_]*$/.test(rest) ? { kind, name: rest } : undefined;
  if (kind !== 'file' || rest.includes('\0')) return undefined;
  return { kind, path: folder === undefined || isAbsolute(rest) ? rest : resolve(folder, rest) };
};

/** As it is written in flags and answers. */
export const secretReferenceText = (reference: SecretReference): string =>
  reference.kind === 'file' ? `@file:${reference.path}` : `@env:${reference.name}`;

/** The text of a secret. Throws 'usage-setting' where it can't be read or is not acceptable; never echoes it. */
export const readSecretSource = (world: World, setting: Setting, source: SecretSource): string => {
  const text =
    source.kind === 'typed'
      ? source.text
      : source.kind === 'env'
        ? fromEnvironment(world, setting, source.name)
        : fromFile(world, setting, source.path);
  const place = source.kind === 'typed' ? undefined : secretReferenceText(source);
  return String(parseSetting(setting, text, place));
};

const fromEnvironment = (world: World, setting: Setting, name: string): string => {
  const text = world.env[name];
  if (text !== undefined) return text;
  throw unreadable(
    setting,
    `the environment variable ${name} is not set`,
    `Set it for this command: ${name}=... assent ...`,
  );
};

const fromFile = (world: World, setting: Setting, path: string): string => {
  const file = resolve(world.cwd, path);
  const advice = 'Name a readable file whose first and only line is the secret.';
  try {
    const stat = statIfThere(file);
    if (stat === undefined) throw unreadable(setting, `there is no file ${file}`, advice);
    if (stat.kind !== 'file') throw unreadable(setting, `${file} is no plain file (links are not followed)`, advice);
    if (stat.size > fileLimit) throw unreadable(setting, `${file} is larger than ${fileLimit} bytes`, advice);
    return (readBytesIfThere(file)?.toString('utf8') ?? '').replace(/\r?\n$/, '');
  } catch (error) {
    throw error instanceof Failure ? error : unreadable(setting, `${file} can't be read (${messageOf(error)})`, advice);
  }
};

const unreadable = (setting: Setting, what: string, advice: string): Failure =>
  new Failure('usage-setting', `${setting.name} (${setting.title}): ${what}.`, advice);
