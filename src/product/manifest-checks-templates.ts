/**
 * Every name in every template of a manifest has to be known where it stands. Secrets are known nowhere but in config files
 * marked `secret`: a command line is visible to all users of a machine, an environment to more than one likes.
 */

import { Failure } from '../errors.ts';
import type { Path, RawFault } from './located-yaml.ts';
import type { HealthCheck, OwnTelemetry, OwnTelemetryAction, Product, Release } from './manifest.ts';
import { contextNames, namesIn } from './template.ts';
import { suggestion } from './wording.ts';

/** `settings`: settings alone; `service`: also folders, addresses and secrets' files; `secret`: also the secrets' texts. */
export type TemplateScope = 'settings' | 'service' | 'secret';

export const checkTemplates = (product: Product): RawFault[] =>
  [
    ...productTemplates(product),
    ...doctorTemplates(product),
    ...product.releases.flatMap((release, at) => releaseTemplates(release, ['releases', at])),
  ].flatMap(({ path, text, scope, release }) =>
    templateFaults(product, text, scope, release).map((fault) => ({ path, ...fault })),
  );

/** What is wrong with one template, be it in the manifest or in a file. `release`: whose it is, where it is one's. */
export const templateFaults = (
  product: Product,
  text: string,
  scope: TemplateScope,
  release?: Pick<Release, 'runtime'>,
): { what: string; remedy: string }[] => {
  try {
    const known = knownNames(product, scope);
    const hasNode = release === undefined || release.runtime !== undefined;
    return namesIn(text, 'it').flatMap((name) => {
      if (!known.includes(name)) return [unknownName(product, name, known)];
      return name === 'node' && !hasNode ? [nodeWithoutRuntime] : [];
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [{ what: error.message.replace(/^it: /, '').replace(/\.$/, ''), remedy: error.advice.replace(/\.$/, '') }];
  }
};

const nodeWithoutRuntime = {
  what: '{{node}} names nothing: this release has no "runtime"',
  remedy: 'add "runtime: 24.21.0" to the release, or name a program below {{release}}',
};

interface Placed {
  readonly path: Path;
  readonly text: string;
  readonly scope: TemplateScope;
  readonly release?: Release;
}

const knownNames = ({ settings, urls }: Product, scope: TemplateScope): string[] => {
  const plain = settings.filter(({ type }) => type !== 'secret').map(({ name }) => name);
  const derived = settings
    .filter(({ type }) => type === 'address')
    .flatMap(({ name }) => [`${name}Host`, `${name}Bind`]);
  if (scope === 'settings') return [...plain, ...derived];
  const secrets = settings.filter(({ type }) => type === 'secret').map(({ name }) => name);
  const service = [
    ...contextNames,
    ...Object.keys(urls).map((name) => `urls.${name}`),
    ...secrets.map((name) => `secretFile.${name}`),
  ];
  return [...plain, ...derived, ...service, ...(scope === 'secret' ? secrets.map((name) => `secret.${name}`) : [])];
};

const unknownName = (
  { settings }: Product,
  name: string,
  known: readonly string[],
): { what: string; remedy: string } => {
  const plain = name.replace(/^secret\./, '');
  if (settings.some((setting) => setting.name === plain && setting.type === 'secret')) {
    const remedy = `use {{secretFile.${plain}}}, the path of its file, or {{secret.${plain}}} in a config file with "secret: true"`;
    return { what: `the secret {{${name}}} may not stand here`, remedy };
  }
  return {
    what: `{{${name}}} names nothing that is known here`,
    remedy: suggestion(name, known, 'known').replace(/\.$/, ''),
  };
};

const productTemplates = ({ urls, login }: Product): Placed[] => [
  ...Object.entries(urls).map(([name, text]): Placed => ({ path: ['urls', name], text, scope: 'settings' })),
  ...(login === undefined ? [] : [{ path: ['login', 'user'], text: login.user, scope: 'settings' } as const]),
];

const releaseTemplates = (release: Release, path: Path): Placed[] => {
  const { service, health, ownTelemetry, rehearsal } = release;
  const found: Placed[] = [];
  const add = (at: Path, text: unknown) => {
    if (typeof text === 'string') found.push({ path: [...path, ...at], text, scope: 'service', release });
  };
  for (const [at, word] of service.command.entries()) add(['service', 'command', at], word);
  for (const [name, text] of Object.entries(service.environment)) add(['service', 'environment', name], text);
  add(['service', 'directory'], service.directory);
  for (const [line, command] of service.prepare.entries()) {
    for (const [at, word] of command.entries()) add(['service', 'prepare', line, at], word);
  }
  if (rehearsal?.copy.kind === 'command') {
    for (const [at, word] of rehearsal.copy.command.entries()) add(['rehearsal', 'copy', 'command', at], word);
  }
  for (const [name, text] of Object.entries(rehearsal?.environment ?? {}))
    add(['rehearsal', 'environment', name], text);
  for (const [at, check] of health.checks.entries())
    addCheck(check, (key, text) => add(['health', 'checks', at, ...key], text));
  for (const key of ['off', 'on'] as const) {
    for (const [at, action] of (ownTelemetry?.[key] ?? []).entries())
      addAction(action, (name, text) => add(['ownTelemetry', key, at, name], text));
  }
  if (ownTelemetry !== undefined)
    addReadBack(ownTelemetry.readBack, (key, text) => add(['ownTelemetry', 'readBack', ...key], text));
  return found;
};

/** Doctor's checks are made for whatever release is installed: they may name what all of them have. */
const doctorTemplates = ({ doctor = [], releases: [release] }: Product): Placed[] =>
  doctor.flatMap((check, at) => {
    const {
      kind: _,
      when: __,
      unless: ___,
      names = [],
      served = {},
      ...plain
    } = { ...check } as Record<string, unknown> & {
      names?: readonly string[];
      served?: Readonly<Record<string, unknown>>;
    };
    const texts = [
      ...Object.entries(plain),
      ...Object.entries(served),
      ...names.map((name) => ['names', name] as const),
    ];
    return texts.flatMap(([key, text]): Placed[] =>
      typeof text === 'string'
        ? [{ path: ['doctor', at, key], text, scope: 'service', ...(release ? { release } : {}) }]
        : [],
    );
  });

const addCheck = (check: HealthCheck, add: (key: Path, text: unknown) => void): void => {
  if (check.kind === 'command') for (const [at, word] of check.command.entries()) add(['command', at], word);
  if (check.kind === 'http') addRequest(check, add);
  if (check.kind === 'smtp') for (const key of ['host', 'port', 'domain'] as const) add([key], check[key]);
};

const addReadBack = (readBack: OwnTelemetry['readBack'], add: (key: Path, text: string) => void): void => {
  if (readBack.kind === 'http') addRequest(readBack, add);
  else add(['file'], readBack.file);
};

interface Request {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const addRequest = ({ url, headers }: Request, add: (key: Path, text: string) => void): void => {
  add(['url'], url);
  for (const [name, text] of Object.entries(headers)) add(['headers', name], text);
};

const addAction = (action: OwnTelemetryAction, add: (key: string, text: string) => void): void => {
  if (action.kind === 'json') add('file', action.file);
  else add('value', action.value);
};
