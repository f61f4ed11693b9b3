/**
 * From flags and an answers file to the request for a change. Flags win over the file; what is wrong is named with its place.
 *
 * Secrets travel as references (`@file:PATH`, `@env:NAME`), never as texts of the command line.
 */

import { dirname, resolve } from 'node:path';
import type { ChangeRequest } from '../change/request.ts';
import { Failure, messageOf } from '../errors.ts';
import type { Answers } from '../product/answers.ts';
import { readIfThere, statIfThere } from '../system/files.ts';
import type { World } from '../system/world.ts';
import type { Flags } from './flags.ts';

/** What every change takes from the command line, and the answers file's product and name. */
export interface Given {
  readonly common: Pick<ChangeRequest, 'given' | 'places' | 'yes' | 'dryRun' | 'ack' | 'saveAnswers' | 'telemetry'>;
  readonly answers: Answers | undefined;
}

/** Throws 'usage-setting', 'usage-answers' or 'usage-ack', naming the flag or the line. */
export const givenBy = async (world: World, flags: Flags): Promise<Given> => {
  const answers = flags.answers === undefined ? undefined : await readAnswers(world, flags.answers);
  const set = parseSets(flags.set);
  const telemetry = telemetryOf(flags, answers);
  const places = Object.fromEntries(Object.entries(answers?.places ?? {}).filter(([name]) => !(name in set)));
  return {
    answers,
    common: {
      given: { ...answers?.settings, ...set },
      places,
      yes: flags.yes,
      dryRun: flags.dryRun,
      ack: parseAcks(flags.ack),
      ...(flags.saveAnswers === undefined ? {} : { saveAnswers: fileToWrite(resolve(world.cwd, flags.saveAnswers)) }),
      ...(telemetry === undefined ? {} : { telemetry }),
    },
  };
};

/** `KEY=VALUE` texts as a record. The value may be empty and may have equals signs in it. */
export const parseSets = (texts: readonly string[]): Record<string, string> => {
  const given: Record<string, string> = {};
  for (const text of texts) {
    const [key, at] = [text.slice(0, Math.max(0, text.indexOf('='))), text.indexOf('=')];
    if (at < 1) {
      throw new Failure(
        'usage-setting',
        `--set "${shorten(text)}" is not KEY=VALUE.`,
        'Example: --set webPort=8080. Nothing was changed.',
      );
    }
    if (Object.hasOwn(given, key)) {
      throw new Failure(
        'usage-setting',
        `--set ${shorten(key)} was given twice.`,
        'Give each setting once. Nothing was changed.',
      );
    }
    Object.defineProperty(given, key, { value: text.slice(at + 1), enumerable: true });
  }
  return given;
};

/** The answers of a file. Throws 'usage-answers' where it can't be read, or has faults. */
export const readAnswers = async (world: World, file: string): Promise<Answers> => {
  const path = resolve(world.cwd, file);
  const { parseAnswers } = await import('../product/answers.ts');
  return parseAnswers(textOf(path), path);
};

/** The file is replaced as a whole: a device, a link or a folder in its place is none that may be. */
const fileToWrite = (path: string): string => {
  const kind = statIfThere(path)?.kind ?? 'file';
  const folder = statIfThere(dirname(path));
  const wrong =
    kind !== 'file'
      ? `is a ${kind === 'other' ? 'device' : kind}`
      : folder === undefined
        ? 'lies in a folder that does not exist'
        : undefined;
  if (wrong === undefined) return path;
  throw new Failure(
    'usage-option',
    `--save-answers: ${path} ${wrong}.`,
    'Name a plain file in a folder that is there. Nothing was changed.',
  );
};

const textOf = (path: string): string => {
  const advice = 'Name a readable file; --save-answers FILE writes one to begin with. Nothing was changed.';
  let text: string | undefined;
  try {
    text = readIfThere(path);
  } catch (error) {
    throw new Failure('usage-answers', `The answers file ${path} can't be read: ${messageOf(error)}.`, advice, error);
  }
  if (text === undefined) throw new Failure('usage-answers', `There is no answers file ${path}.`, advice);
  return text;
};

const telemetryOf = (flags: Flags, answers: Answers | undefined): ChangeRequest['telemetry'] => {
  const say = flags.telemetry ?? answers?.telemetry;
  const noticeId = flags.telemetryNotice ?? answers?.telemetryNotice;
  if (say === undefined && flags.telemetryNotice !== undefined) {
    throw new Failure(
      'usage-option',
      '--telemetry-notice says which notice a yes is for, and no yes was given.',
      'Give both: --telemetry=on --telemetry-notice=ID. Nothing was changed.',
    );
  }
  if (say === undefined) return undefined;
  return {
    say,
    by: flags.telemetry === undefined ? 'answers' : 'flag',
    ...(noticeId === undefined ? {} : { noticeId }),
  };
};

const parseAcks = (ids: readonly string[]): readonly string[] => {
  if (ids.includes('')) {
    throw new Failure(
      'usage-ack',
      'An id in --ack is empty.',
      'Give the ids of the plan, separated by commas: --dry-run shows them. Nothing was changed.',
    );
  }
  return [...new Set(ids)];
};

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
