/**
 * Settings: what a product wants to know. One description (`Setting`, from the manifest) makes prompts, flags, the answers file and help.
 *
 * A value comes in as text, whatever way it came, and `parseSetting` is the only gate: what it returns is valid and in one normal
 * form (`LOCALHOST` -> `127.0.0.1`), so that "the same settings again" is an equality. Secrets never become values here:
 * they travel as references and end as files.
 */

import { Failure } from '../errors.ts';
import { parseAddress, parseDomain } from './network-names.ts';
import { nearest, shown, unprintable } from './wording.ts';

export type SettingType = 'port' | 'integer' | 'text' | 'address' | 'domain' | 'choice' | 'boolean' | 'secret';
export type SettingValue = string | number | boolean;
/** Values by name, without the secrets. */
export type Settings = Readonly<Record<string, SettingValue>>;

/** What a manifest says about one setting. */
export interface Setting {
  readonly name: string;
  readonly type: SettingType;
  readonly title: string;
  readonly help?: string;
  readonly default?: SettingValue;
  /** False: the product works without it; it is then absent from the settings, and empty in templates. */
  readonly required: boolean;
  /** False: not asked at the terminal; flags and answers may still give it. */
  readonly ask: boolean;
  /** Bounds of a number, or of the length of a text. */
  readonly min?: number;
  readonly max?: number;
  /** Regular expression that a whole text has to match. */
  readonly pattern?: string;
  readonly choices?: readonly string[];
  /** Length of the secret that is generated where none is given. */
  readonly generate?: number;
}

/**
 * The valid, normalized value of a text. Throws 'usage-setting', naming the key, what is wrong and an example; `place` (a file's line, say)
 * stands first in the message. The text of a secret is never echoed.
 */
export const parseSetting = (setting: Setting, text: string, place?: string): SettingValue => {
  const parsed = parsers[setting.type](setting, text);
  if (typeof parsed !== 'object') return parsed;
  const given = setting.type === 'secret' ? '' : ` ${shown(text)}`;
  throw new Failure(
    'usage-setting',
    `${place === undefined ? '' : `${place}: `}${setting.name} (${setting.title}):${given} ${parsed.wrong}.`,
    `${setting.type === 'secret' ? 'Give it as' : 'Example:'} --set ${setting.name}=${exampleOf(setting)}`,
  );
};

/** A value that would be accepted, for help and messages. */
export const exampleOf = (setting: Setting): string => {
  if (setting.type === 'secret') return `@file:PATH or --set ${setting.name}=@env:NAME`;
  if (setting.default !== undefined && setting.default !== '') return String(setting.default);
  if (setting.type === 'choice') return setting.choices?.[0] ?? '';
  if (setting.type === 'port' || setting.type === 'integer')
    return String(setting.min ?? (setting.type === 'port' ? 8080 : 1));
  return { text: 'TEXT', address: '127.0.0.1', domain: 'mail.example.org', boolean: 'true' }[setting.type];
};

interface Wrong {
  readonly wrong: string;
}

const number = (setting: Setting, text: string, least: number, most: number): number | Wrong => {
  const value = Number(text);
  if (!/^-?(0|[1-9]\d{0,14})$/.test(text.trim())) return { wrong: 'is not a whole number' };
  const [min, max] = [Math.max(setting.min ?? least, least), Math.min(setting.max ?? most, most)];
  return value < min || value > max ? { wrong: `is not between ${min} and ${max}` } : value;
};

const freeText = (setting: Setting, text: string): string | Wrong => {
  const length = [...text].length;
  if (text.match(unprintable)) return { wrong: 'has a line break or a control character in it' };
  if (text !== text.trim()) return { wrong: 'begins or ends with white space' };
  if (text === '' && (setting.default === '' || (!setting.required && setting.min === undefined))) return text;
  if (text === '') return { wrong: 'is empty' };
  if (length < (setting.min ?? 0)) return { wrong: `is shorter than ${setting.min} characters` };
  if (length > (setting.max ?? 200)) return { wrong: `is longer than ${setting.max ?? 200} characters` };
  return matches(setting, text) ? text : { wrong: `does not match ${setting.pattern}` };
};

const matches = ({ pattern }: Setting, text: string): boolean =>
  pattern === undefined || new RegExp(`^(?:${pattern})$`, 'u').test(text);

const choice = (setting: Setting, text: string): string | Wrong => {
  const choices = setting.choices ?? [];
  if (choices.includes(text)) return text;
  const near = nearest(text, choices);
  return { wrong: `is none of ${choices.join(', ')}${near === undefined ? '' : `; did you mean "${near}"?`}` };
};

const yesNo = (text: string): boolean | Wrong => {
  const word = text.trim().toLowerCase();
  if (['true', 'yes', 'on'].includes(word)) return true;
  return ['false', 'no', 'off'].includes(word) ? false : { wrong: 'is neither true nor false' };
};

const secretText = (setting: Setting, text: string): string | Wrong => {
  if (text === '') return { wrong: 'the secret is empty' };
  if (text.match(unprintable)) return { wrong: 'the secret has a line break or a control character in it' };
  const length = [...text].length;
  const [min, max] = [setting.min ?? 1, setting.max ?? 1000];
  if (length < min || length > max) return { wrong: `the secret has not between ${min} and ${max} characters` };
  return matches(setting, text) ? text : { wrong: `the secret does not match ${setting.pattern}` };
};

const parsers: Record<SettingType, (setting: Setting, text: string) => SettingValue | Wrong> = {
  port: (setting, text) => number(setting, text, 1, 65535),
  integer: (setting, text) => number(setting, text, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  text: freeText,
  address: (_, text) => parseAddress(text),
  domain: (_, text) => parseDomain(text),
  choice,
  boolean: (_, text) => yesNo(text),
  secret: secretText,
};
