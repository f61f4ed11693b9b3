/**
 * The answers file: an installation's answers as YAML, for automation, read by `--answers` and written by `--save-answers`.
 *
 *   product: maildev@3.0.0
 *   name: mail
 *   settings: { webPort: 8080, webPassword: "@file:/run/secrets/web" }
 *   telemetry: off
 *
 * A saved file carries a no and never a yes: a yes is given for one installation, by somebody who saw its notice.
 */

import { dirname } from 'node:path';
import { asInstanceName, asNoticeId, type InstanceName, type NoticeId } from '../values.ts';
import { type Fault, faultsFailure, type LocatedYaml, type Path, type RawFault, readYaml } from './located-yaml.ts';
import { parseSecretReference, type SecretReference, secretReferenceText } from './secret-reference.ts';
import type { Settings } from './settings.ts';
import { nearest, shown, suggestion } from './wording.ts';

export interface Answers {
  /** PRODUCT or PRODUCT@VERSION, as written. */
  readonly product?: string;
  readonly name?: InstanceName;
  /** Texts by name; a secret's is a reference whose path is absolute. */
  readonly settings: Readonly<Record<string, string>>;
  /** Where each setting stands: `file:line:column`. */
  readonly places: Readonly<Record<string, string>>;
  readonly telemetry?: 'on' | 'off';
  readonly telemetryNotice?: NoticeId;
}

/** Longest answers file that is read, in characters. */
const sizeLimit = 64 * 1024;
const knownKeys = ['product', 'name', 'settings', 'telemetry', 'telemetryNotice'] as const;

/** Throws 'usage-answers', which lists every fault with line and column. Relative paths of secrets are taken from the file's folder. */
export const parseAnswers = (text: string, file: string): Answers => {
  const yaml = readYaml(text, sizeLimit);
  if (yaml.value === undefined) throw answersFailure(file, yaml.faults);
  const faults: RawFault[] = [];
  const root = yaml.value as Record<string, unknown>;
  refuseUnknownKeys(root, faults);
  const settings = settingsOf(yaml, root.settings, dirname(file), faults);
  const answers = { ...productOf(yaml, root, faults), ...nameOf(root, faults), ...telemetryOf(root, faults) };
  if (faults.length > 0) throw answersFailure(file, faults.map(yaml.locate));
  const places = Object.fromEntries(
    Object.keys(settings).map((name) => [name, placeOf(yaml, file, ['settings', name])]),
  );
  return { ...answers, settings, places };
};

export interface AnswersToSave {
  readonly product: string;
  readonly name: InstanceName;
  readonly settings: Settings;
  readonly secrets: Readonly<Record<string, SecretReference>>;
  /** Only a no can be saved. */
  readonly telemetry?: 'off';
}

/** The text of an answers file, ready for `--answers`. */
export const renderAnswers = async ({
  product,
  name,
  settings,
  secrets,
  telemetry,
}: AnswersToSave): Promise<string> => {
  const { stringify } = await import('yaml');
  const references = Object.entries(secrets).map(([key, reference]) => [key, secretReferenceText(reference)]);
  const document = {
    product,
    name,
    settings: { ...settings, ...Object.fromEntries(references) },
    ...(telemetry === undefined ? {} : { telemetry }),
  };
  const consent =
    telemetry === undefined ? '# A yes to telemetry is never saved: it is asked for in each installation.\n' : '';
  return `# Answers for: assent install --answers FILE\n${stringify(document, { lineWidth: 0 })}${consent}`;
};

const answersFailure = (file: string, faults: readonly Fault[]) =>
  faultsFailure(
    'usage-answers',
    file,
    faults,
    'Correct these lines and run the command again. A file to begin with: --save-answers FILE',
  );

const placeOf = (yaml: LocatedYaml, file: string, path: Path): string => {
  const { line, column } = yaml.locate({ path, key: true, what: '', remedy: '' });
  return `${file}:${line}:${column}`;
};

const refuseUnknownKeys = (root: Record<string, unknown>, faults: RawFault[]): void => {
  for (const key of Object.keys(root)) {
    if ((knownKeys as readonly string[]).includes(key)) continue;
    const remedy =
      nearest(key, knownKeys) === undefined
        ? 'if it is a setting, put it below "settings:"'
        : suggestion(key, knownKeys, 'known');
    faults.push({ path: [key], key: true, what: 'is an unknown key', remedy });
  }
};

const settingsOf = (yaml: LocatedYaml, value: unknown, folder: string, faults: RawFault[]): Record<string, string> => {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    faults.push({
      path: ['settings'],
      what: 'is not a map',
      remedy: 'write each setting on a line of its own: webPort: 8080',
    });
    return {};
  }
  const texts: [string, string][] = [];
  for (const [name, given] of Object.entries(value)) {
    const path = ['settings', name];
    const text = typeof given === 'object' ? undefined : yaml.source(path);
    if (text === undefined)
      faults.push({
        path,
        what: given === null ? 'has no value' : 'is not a plain value',
        remedy: 'write one value, or leave the key out',
      });
    else if (/^@(file|env):/.test(text)) texts.push([name, referenceText(text, folder, path, faults)]);
    else texts.push([name, text]);
  }
  return Object.fromEntries(texts);
};

const referenceText = (text: string, folder: string, path: Path, faults: RawFault[]): string => {
  const reference = parseSecretReference(text, folder);
  if (reference !== undefined) return secretReferenceText(reference);
  faults.push({ path, what: `${shown(text)} refers to nothing`, remedy: 'write "@file:PATH" or "@env:NAME"' });
  return text;
};

const productOf = (
  yaml: LocatedYaml,
  { product }: Record<string, unknown>,
  faults: RawFault[],
): { product?: string } => {
  if (product === undefined) return {};
  const text = yaml.source(['product']);
  if (typeof product === 'string' && text !== undefined && /^[^\p{Cc}]{1,500}$/u.test(text)) return { product: text };
  faults.push({
    path: ['product'],
    what: 'names no product',
    remedy: 'write a name of the catalogue, or a path: product: maildev@3.0.0',
  });
  return {};
};

const nameOf = ({ name }: Record<string, unknown>, faults: RawFault[]): { name?: InstanceName } => {
  if (name === undefined) return {};
  const valid = typeof name === 'string' ? asInstanceName(name) : undefined;
  if (valid !== undefined) return { name: valid };
  faults.push({
    path: ['name'],
    what: `${shown(name)} is not a name of an instance`,
    remedy: 'small letters, digits and hyphens, 32 at most: mail-2',
  });
  return {};
};

const telemetryOf = (
  root: Record<string, unknown>,
  faults: RawFault[],
): { telemetry?: 'on' | 'off'; telemetryNotice?: NoticeId } => {
  const { telemetry, telemetryNotice } = root;
  const id = typeof telemetryNotice === 'string' ? asNoticeId(telemetryNotice) : undefined;
  if (telemetryNotice !== undefined && id === undefined) {
    const remedy = 'write the id that "assent telemetry notice" prints: n and 16 hex digits';
    faults.push({ path: ['telemetryNotice'], what: `${shown(telemetryNotice)} is not the id of a notice`, remedy });
  }
  if (telemetry !== undefined && telemetry !== 'on' && telemetry !== 'off') {
    faults.push({
      path: ['telemetry'],
      what: `${shown(telemetry)} is neither on nor off`,
      remedy: 'write telemetry: off, or telemetry: on with telemetryNotice',
    });
  }
  return {
    ...(telemetry === 'on' || telemetry === 'off' ? { telemetry } : {}),
    ...(id === undefined ? {} : { telemetryNotice: id }),
  };
};
