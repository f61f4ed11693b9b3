/**
 * The configuration of an instance, rendered for a release and merged with what is there. In memory until it is staged: the plan
 * has to know its conflicts before anything is written.
 *
 * Config and secrets belong to root where we are root; only the server's group may read what the server needs.
 */

import { isUtf8 } from 'node:buffer';
import { dirname, join, relative } from 'node:path';
import { Failure } from '../errors.ts';
import type { InstancePaths } from '../instance/paths.ts';
import { generateSecret, readSecrets } from '../instance/secrets.ts';
import type { Account } from '../instance/state.ts';
import { fitsSecret } from '../product/generated-secret.ts';
import { tripletOf } from '../product/machine-names.ts';
import type { Product, Release } from '../product/manifest.ts';
import { exampleOf, type Setting, type Settings } from '../product/settings.ts';
import { render, viewOf } from '../product/template.ts';
import { makeFolder, readBytesIfThere, readIfThere, writeDurably } from '../system/files.ts';
import { listFiles } from '../system/list-files.ts';
import type { World } from '../system/world.ts';
import { type Content, mergeFile } from './merge.ts';
import type { Danger, Warning } from './plan.ts';
import { nextOf } from './steps/parts.ts';

export interface Configuration {
  /** File below config/ to its content, local edits merged in. */
  readonly files: Readonly<Record<string, ConfigFile>>;
  /** Files that somebody else put below config/: carried along as they are. */
  readonly foreign: readonly string[];
  /** The rendered ones, before the merge: the base of the next merge. */
  readonly base: Readonly<Record<string, ConfigText>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly dangers: readonly Danger[];
  readonly warnings: readonly Warning[];
}

export interface ConfigFile {
  readonly content: Content;
  readonly secret: boolean;
}

/** One that we have rendered. */
export interface ConfigText extends ConfigFile {
  readonly content: string;
}

export interface ConfigureOptions {
  readonly world: World;
  readonly paths: InstancePaths;
  readonly product: Product;
  readonly release: Release;
  readonly settings: Settings;
  /** Secrets given by flag or answers file: name to text. */
  readonly givenSecrets: Readonly<Record<string, string>>;
  /** Absent for a release that needs none. */
  readonly node: string | undefined;
  readonly releaseFolder: string;
}

export const configure = (options: ConfigureOptions): Configuration => {
  const secrets = secretsFor(options);
  const base = renderFiles(options, secrets);
  const written = readTexts(options.paths.configBase);
  const ours = new Set([...Object.keys(written), ...Object.keys(base)]);
  const there = listFiles(options.paths.config);
  const local = readContents(
    options.paths.config,
    there.filter((file) => ours.has(file)),
  );
  const files: Record<string, ConfigFile> = {};
  const dangers: Danger[] = [];
  const warnings: Warning[] = [];
  for (const file of ours) {
    const secret = base[file]?.secret ?? true;
    const merged = mergeFile(written[file], local[file], base[file]?.content);
    if (merged.kind === 'write') files[file] = { content: merged.content, secret };
    if (merged.kind === 'write' && merged.merged && base[file]) warnings.push(keptEdits(file));
    if (merged.kind === 'absent' && base[file]) warnings.push(staysMissing(file, options));
    if (merged.kind !== 'conflict') continue;
    dangers.push(conflict(file, merged.local, options));
    if (file in local) files[file] = { content: merged.local, secret };
    files[`${file}.new`] = { content: merged.wanted, secret };
  }
  const foreign = there.filter((file) => !ours.has(file) && !(file in files));
  return { files, foreign, base, secrets, dangers, warnings };
};

/** Writes config, config.base and secrets beside those in use, as `.next`. Replaces what an earlier attempt left. */
export const stageConfiguration = (paths: InstancePaths, config: Configuration, account: Account | null): void => {
  const group = account === null ? {} : { owner: { uid: 0, gid: account.gid } };
  const modes = account === null ? { folder: 0o700, file: 0o600 } : { folder: 0o750, file: 0o640 };
  writeFiles(nextOf(paths, 'config'), config.files, (file) => ({ ...group, mode: file.secret ? modes.file : 0o644 }), {
    ...group,
    mode: modes.folder,
  });
  for (const file of config.foreign) {
    writeFile(
      nextOf(paths, 'config'),
      file,
      readBytesIfThere(join(paths.config, file)) ?? '',
      { ...group, mode: modes.file },
      { ...group, mode: modes.folder },
    );
  }
  writeFiles(nextOf(paths, 'config.base'), config.base, () => ({ mode: 0o600 }), { mode: 0o700 });
  const secrets = Object.entries(config.secrets).map(([name, text]) => [name, { content: `${text}\n`, secret: true }]);
  writeFiles(nextOf(paths, 'secrets'), Object.fromEntries(secrets), () => ({ mode: 0o600 }), { mode: 0o700 });
};

interface Attributes {
  readonly mode: number;
  readonly owner?: { uid: number; gid: number };
}

const writeFiles = (
  folder: string,
  files: Readonly<Record<string, ConfigFile>>,
  attributes: (file: ConfigFile) => Attributes,
  folderAttributes: Attributes,
): void => {
  makeFolder(folder, folderAttributes);
  for (const [name, file] of Object.entries(files))
    writeFile(folder, name, file.content, attributes(file), folderAttributes);
};

const writeFile = (top: string, file: string, content: Content, attributes: Attributes, folders: Attributes): void => {
  const path = join(top, file);
  for (const part of foldersBetween(top, dirname(path))) makeFolder(part, folders);
  writeDurably(path, content, attributes);
};

const foldersBetween = (top: string, bottom: string): string[] =>
  bottom === top || relative(top, bottom).startsWith('..') ? [] : [...foldersBetween(top, dirname(bottom)), bottom];

const renderFiles = (
  options: ConfigureOptions,
  secrets: Readonly<Record<string, string>>,
): Record<string, ConfigText> => {
  const { paths, product, release, settings } = options;
  const context = {
    name: paths.name,
    version: release.version,
    triplet: tripletOf(options.world.arch),
    ...(options.node === undefined ? {} : { node: options.node }),
    release: options.releaseFolder,
    config: paths.config,
    data: paths.data,
    logs: paths.logs,
    secrets: paths.secrets,
  };
  const open = viewOf(product, settings, context);
  const withSecrets = viewOf(product, settings, context, secrets);
  return Object.fromEntries(
    release.config.map(({ template, file, secret }) => [
      file,
      { content: render(templateText(product, template), secret ? withSecrets : open, template), secret },
    ]),
  );
};

const templateText = (product: Product, template: string): string => {
  const text = readIfThere(join(product.folder, template));
  if (text !== undefined) return text;
  throw new Failure(
    'usage-manifest',
    `The template ${join(product.folder, template)} is missing.`,
    `Check the product: assent products check ${product.folder}/manifest.yaml`,
  );
};

/** Given ones over kept ones over new ones. */
const secretsFor = ({ world, paths, product, givenSecrets }: ConfigureOptions): Record<string, string> => {
  const kept = readSecrets(paths);
  const names = product.settings.filter((setting) => setting.type === 'secret');
  const texts = names.map((setting) => [
    setting.name,
    givenSecrets[setting.name] ?? kept[setting.name] ?? madeSecret(world, setting),
  ]);
  return { ...kept, ...Object.fromEntries(texts.filter(([, text]) => text !== undefined)) };
};

/** Drawn until it fits: a pattern may want a digit, and not every secret has one. Undefined where none is to be made. */
const madeSecret = (world: World, setting: Setting): string | undefined => {
  if (setting.generate === undefined) return undefined;
  for (let draws = 0; draws < 1000; draws += 1) {
    const text = generateSecret(world, setting.generate);
    if (fitsSecret(setting, text)) return text;
  }
  throw new Failure(
    'usage-manifest',
    `No secret for ${setting.name} (${setting.title}) could be generated that its setting in the manifest allows.`,
    `Give one: --set ${setting.name}=${exampleOf(setting)}. Nothing was changed.`,
  );
};

const readTexts = (folder: string): Record<string, string> =>
  Object.fromEntries(listFiles(folder).map((file) => [file, readIfThere(join(folder, file)) ?? '']));

/** Files of other hands: text where the bytes are UTF-8, so that writing it gives the same bytes again, and the bytes themselves where not. */
const readContents = (folder: string, files: readonly string[]): Record<string, Content> =>
  Object.fromEntries(
    files.map((file) => {
      const bytes = readBytesIfThere(join(folder, file)) ?? Buffer.alloc(0);
      return [file, isUtf8(bytes) ? bytes.toString('utf8') : bytes];
    }),
  );

/** Another release, or other settings of the same one: either may want something else in the same place. */
const conflict = (file: string, local: Content, { paths, product, release }: ConfigureOptions): Danger => ({
  id: `config-conflict:${file}`,
  message: `${join(paths.config, file)} was edited here, and ${product.title} ${release.version} with these settings wants something else ${typeof local === 'string' ? 'in the same place' : 'in it, which is not merged, for yours is not UTF-8'}.`,
  remedy: `Accepting keeps your file as it is and puts ours beside it as ${file}.new; the server may not run well with yours.`,
});

const keptEdits = (file: string): Warning => ({
  id: 'config-edited',
  message: `Your edits of config/${file} are kept.`,
  remedy: 'Nothing to do. Compare with config.base, which holds what Assent wrote.',
});

const staysMissing = (file: string, { paths, product }: ConfigureOptions): Warning => ({
  id: 'config-missing',
  message: `${join(paths.config, file)} was removed here, and stays so: ${product.title} may not run without it.`,
  remedy: `How it comes back: assent doctor ${paths.name}.`,
});
