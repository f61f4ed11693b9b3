/**
 * From what was given, to the settings of an installation: typed answers win over flags and the answers file, these over what the instance
 * had before, this over the manifest's defaults. What is given has to be right; what is only remembered may have been outgrown
 * by a new release, and is then dropped and named.
 */

import { Failure } from '../errors.ts';
import { endpointSetting } from '../values.ts';
import { endpointOf, hasEndpoint } from './endpoint-setting.ts';
import type { Product } from './manifest.ts';
import { parseSecretReference, type SecretSource } from './secret-reference.ts';
import { exampleOf, parseSetting, type Setting, type Settings, type SettingValue } from './settings.ts';
import { shown, suggestion } from './wording.ts';

export interface GivenSettings {
  /** Texts by name, from flags and answers; a secret's is a reference. */
  readonly given: Readonly<Record<string, string>>;
  /** Typed at the terminal: over everything else; a secret's text stands as it is. */
  readonly asked?: Readonly<Record<string, string>>;
  /** The instance's settings so far. */
  readonly before?: Settings;
  /** Where a given text stands, for messages: name -> `answers.yaml:4:3`. Else it is called `--set`. */
  readonly places?: Readonly<Record<string, string>>;
  /** Names of secrets that the instance has already: they are not missing. */
  readonly secretsThere?: readonly string[];
}

export interface ResolvedSettings {
  readonly settings: Settings;
  /** Required, without a value and without a default: ask for them, or exit 4 naming all. */
  readonly missing: Setting[];
  /** Secrets that were given. Those that are not there and can be generated are for the caller to generate. */
  readonly secrets: Readonly<Record<string, SecretSource>>;
  /** Remembered settings that this release does not know, or no longer accepts. */
  readonly dropped: readonly DroppedSetting[];
}

export interface DroppedSetting {
  readonly name: string;
  /** The end of a sentence; never with a secret in it. */
  readonly why: string;
}

/** Throws 'usage-setting', which tells of all at once: unknown names (with the nearest), values that are not valid, plain secrets, two equal ports. */
export const resolveSettings = (
  product: Pick<Product, 'settings' | 'title' | 'telemetry'>,
  from: GivenSettings,
): ResolvedSettings => {
  const failures = unknownNames(product, from);
  const attempt = <T>(work: () => T): T | undefined => attempted(failures, work);
  const settings: Record<string, SettingValue> = {};
  const secrets: Record<string, SecretSource> = {};
  const missing: Setting[] = [];
  const dropped = unknownBefore(product, from.before ?? {});
  const { given, before = {}, places } = from;
  const endpoint = attempt(() => endpointOf(product, given[endpointSetting], before, places?.[endpointSetting]));
  for (const setting of product.settings) {
    const { name } = setting;
    if (setting.type === 'secret') {
      const source = attempt(() => secretOf(setting, from));
      if (source !== undefined) secrets[name] = source;
      else if (setting.required && setting.generate === undefined && !from.secretsThere?.includes(name))
        missing.push(setting);
      continue;
    }
    const value = attempt(() => currentValue(setting, from, dropped));
    if (value !== undefined) settings[name] = value;
    else if (setting.required) missing.push(setting);
  }
  if (endpoint !== undefined) settings[endpointSetting] = endpoint;
  attempt(() => refuseEqualPorts(product.settings, settings));
  refuseTogether(failures);
  return { settings, missing, secrets, dropped };
};

/** One sentence with every missing setting and the flag that would give it, for exit 4. */
export const missingAdvice = (missing: readonly Setting[]): string =>
  `Give: ${missing.map((setting) => `--set ${setting.name}=${setting.type === 'secret' ? '@file:PATH' : exampleOf(setting)} (${setting.title})`).join(', ')}`;

/**
 * `--set KEY=VALUE`, as often as it was given -> texts by name. Throws 'usage-setting' for what has no `=`, an empty key, an empty value,
 * a key given twice. Values are not looked at: which are secrets only the product knows.
 */
export const parseSetFlags = (flags: readonly string[]): Record<string, string> => {
  const given = new Map<string, string>();
  for (const flag of flags) {
    const at = flag.indexOf('=');
    if (at < 1)
      throw new Failure(
        'usage-setting',
        `--set ${shown(flag.split('=')[0])} is not KEY=VALUE.`,
        'Example: --set webPort=8080',
      );
    const [key, value] = [flag.slice(0, at).trim(), flag.slice(at + 1)];
    if (given.has(key)) throw new Failure('usage-setting', `--set ${key} is given twice.`, 'Give each setting once.');
    if (value === '')
      throw new Failure(
        'usage-setting',
        `--set ${key}= has no value.`,
        'Write the value behind the "=", or leave the flag out to keep what was.',
      );
    given.set(key, value);
  }
  return Object.fromEntries(given);
};

/** What the work returns; where it throws a failure, that is kept for the end. */
const attempted = <T>(failures: Failure[], work: () => T): T | undefined => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    failures.push(error);
    return undefined;
  }
};

const refuseTogether = (failures: readonly Failure[]): void => {
  const [first, ...others] = failures;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  const lines = (texts: readonly string[]): string => [...new Set(texts)].join('\n');
  const messages = failures.map(({ message }) => message);
  throw new Failure(first.code, lines(messages), lines(failures.map(({ advice }) => advice)));
};

const unknownNames = (
  product: Pick<Product, 'settings' | 'title' | 'telemetry'>,
  { given, asked, places }: GivenSettings,
): Failure[] => {
  const { settings, title } = product;
  const known = [...settings.map(({ name }) => name), ...(hasEndpoint(product) ? [endpointSetting] : [])];
  const unknown = Object.keys({ ...given, ...asked }).filter((name) => !known.includes(name));
  return unknown.map(
    (name) =>
      new Failure(
        'usage-setting',
        `${places?.[name] ?? '--set'}: ${title} has no setting ${shown(name)}.`,
        suggestion(name, known, 'Its settings') || 'It has no settings.',
      ),
  );
};

const unknownBefore = (product: Pick<Product, 'settings' | 'telemetry'>, before: Settings): DroppedSetting[] =>
  Object.keys(before)
    .filter((name) => name !== endpointSetting || !hasEndpoint(product))
    .flatMap((name) => {
      const now = product.settings.find((setting) => setting.name === name);
      if (now === undefined) return [{ name, why: 'this release has no such setting' }];
      return now.type === 'secret' ? [{ name, why: 'it is a secret in this release' }] : [];
    });

const secretOf = (setting: Setting, { given, asked, places }: GivenSettings): SecretSource | undefined => {
  const { name } = setting;
  const [typed, text] = [asked?.[name], given[name]];
  if (typed !== undefined) return { kind: 'typed', text: typed };
  if (text === undefined) return undefined;
  const reference = parseSecretReference(text);
  if (reference !== undefined) return reference;
  throw new Failure(
    'usage-setting',
    `${places?.[name] ?? '--set'}: ${name} (${setting.title}) is a secret, and its text may not stand there.`,
    `Give it as --set ${name}=@file:PATH or --set ${name}=@env:NAME. If it was typed into a shell, change it: it is in the history now.`,
  );
};

const currentValue = (
  setting: Setting,
  { given, asked, before, places }: GivenSettings,
  dropped: DroppedSetting[],
): SettingValue | undefined => {
  const { name } = setting;
  const typed = asked?.[name];
  if (typed !== undefined) return parseSetting(setting, typed);
  const text = given[name];
  if (text !== undefined) return parseSetting(setting, text, places?.[name] ?? '--set');
  const kept = before?.[name];
  if (kept !== undefined) {
    try {
      return parseSetting(setting, String(kept));
    } catch {
      dropped.push({ name, why: `${shown(String(kept))} is not valid in this release` });
    }
  }
  return setting.default === undefined ? undefined : parseSetting(setting, String(setting.default));
};

const refuseEqualPorts = (described: readonly Setting[], settings: Settings): void => {
  const ports = described.filter(({ type, name }) => type === 'port' && settings[name] !== undefined);
  for (const [at, port] of ports.entries()) {
    const other = ports.slice(0, at).find(({ name }) => settings[name] === settings[port.name]);
    if (other === undefined) continue;
    const both = `${other.name} (${other.title}) and ${port.name} (${port.title})`;
    const free = Number(settings[port.name]) < 65535 ? Number(settings[port.name]) + 1 : 8080;
    throw new Failure(
      'usage-setting',
      `${both} are both ${settings[port.name]}.`,
      `Give one of them another port: --set ${port.name}=${free}`,
    );
  }
};
