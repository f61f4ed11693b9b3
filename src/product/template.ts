/**
 * Templates: mustache without escaping and without surprises. A name that is not there is a Failure, never an empty text;
 * partials and changed delimiters are refused. Sections (`{{#flag}}..{{/flag}}`) ask whether a setting is set and true.
 *
 * The view holds the settings by name and, for each address setting X, `XHost` (fit for a URL on this machine) and `XBind` (as configuration files
 * bind it). The text of a secret is in it only where the caller hands it in, for a config file marked `secret`.
 */

import mustache from 'mustache';
import { Failure } from '../errors.ts';
import type { Product } from './manifest.ts';
import { bracketed, isLoopback, urlHost } from './network-names.ts';
import type { Settings } from './settings.ts';
import { suggestion } from './wording.ts';

export interface View {
  readonly [name: string]: string | number | boolean | View;
}

/** What an instance adds to its settings. All but the first three are absolute paths. */
export interface ViewContext {
  readonly name: string;
  readonly version: string;
  /** Where Debian's libraries lie below usr/lib and lib: `x86_64-linux-gnu`. No path. */
  readonly triplet: string;
  /** The private Node's program; absent for a release that needs no Node. */
  readonly node?: string;
  /** Folder of the stored release. */
  readonly release: string;
  readonly config: string;
  readonly data: string;
  readonly logs: string;
  /** Folder of the secrets' files. */
  readonly secrets: string;
}

/** Names of the context, which no setting may have. */
export const contextNames = [
  'name',
  'version',
  'triplet',
  'node',
  'release',
  'config',
  'data',
  'logs',
  'secrets',
] as const;

type Described = Pick<Product, 'settings' | 'urls'>;

/** Everything that templates and commands may name. `secrets`: their texts, for a config file marked secret and for nothing else. */
export const viewOf = (
  product: Described,
  settings: Settings,
  context: ViewContext,
  secrets?: Readonly<Record<string, string>>,
): View => {
  const { node, ...always } = context;
  const view: Growing = { ...settingsView(product, settings), ...always, ...(node === undefined ? {} : { node }) };
  view.urls = renderAll(product.urls, view, 'urls');
  for (const { name, type } of product.settings) {
    if (type !== 'secret') continue;
    put(view, `secretFile.${name}`, `${context.secrets}/${name}`);
    if (secrets !== undefined) put(view, `secret.${name}`, secrets[name] ?? '');
  }
  return view;
};

/** The product's addresses: name -> rendered address. They depend on nothing but settings. */
export const urlsOf = (product: Described, settings: Settings): Record<string, string> =>
  renderAll(product.urls, settingsView(product, settings), 'urls');

/** The settings as templates see them; a setting without a value is an empty text. */
export const settingsView = (product: Pick<Product, 'settings'>, settings: Settings): View => {
  const view: Growing = {};
  for (const { name, type } of product.settings) {
    if (type === 'secret') continue;
    const value = settings[name] ?? '';
    put(view, name, value);
    if (type !== 'address') continue;
    put(view, `${name}Host`, urlHost(String(value)));
    put(view, `${name}Bind`, bracketed(String(value)));
  }
  return view;
};

/** The template with its names filled in. Throws 'usage-manifest' for a name that the view lacks; `where` names the template in the message. */
export const render = (template: string, view: View, where: string): string => {
  const unknown = namesIn(template, where).find((name) => lookup(view, name) === undefined);
  if (unknown === undefined) return mustache.render(template, view, undefined, { escape: String });
  throw new Failure(
    'usage-manifest',
    `${where}: {{${unknown}}} names nothing that is known there.`,
    `${suggestion(unknown, Object.keys(view), 'Known')} See docs/products.md.`,
  );
};

/** Each member rendered: environments, headers, addresses. */
export const renderAll = (
  templates: Readonly<Record<string, string>>,
  view: View,
  where: string,
): Record<string, string> =>
  Object.fromEntries(Object.entries(templates).map(([key, text]) => [key, render(text, view, `${where}.${key}`)]));

/** Names in the tags of a template, each once. Throws 'usage-manifest' where it is malformed or uses what is not offered. */
export const namesIn = (template: string, where: string): string[] => {
  const names = new Set<string>();
  const walk = (tokens: readonly Token[]): void => {
    for (const [type, value, , , children] of tokens) {
      if (type === '>' || type === '=') throw malformed(where, `has a tag of kind "${type}"`);
      if (type !== 'text' && value === '.') throw malformed(where, 'has {{.}}');
      if (type !== 'text' && type !== '!') names.add(value);
      if (Array.isArray(children)) walk(children);
    }
  };
  walk(tokensOf(template, where));
  return [...names];
};

/** Whether the server would listen beyond this machine: an address setting that is not loopback. */
export const listensWide = (product: Pick<Product, 'settings'>, settings: Settings): boolean =>
  product.settings.some(({ name, type }) => {
    const address = settings[name];
    return type === 'address' && typeof address === 'string' && address !== '' && !isLoopback(address);
  });

type Token = [type: string, value: string, start: number, end: number, children?: Token[] | string, last?: unknown];
type Growing = { [name: string]: string | number | boolean | View };

const tokensOf = (template: string, where: string): Token[] => {
  try {
    return mustache.parse(template) as Token[];
  } catch (error) {
    throw malformed(where, `can't be read (${error instanceof Error ? error.message : String(error)})`);
  }
};

const malformed = (where: string, what: string): Failure =>
  new Failure(
    'usage-manifest',
    `${where}: the template ${what}.`,
    'Use {{name}}, {{#name}}...{{/name}} and {{^name}}...{{/name}} only.',
  );

const lookup = (view: View, name: string): View[string] | undefined => {
  let at: View[string] | undefined = view;
  for (const part of name.split('.')) {
    at = typeof at === 'object' && Object.hasOwn(at, part) ? at[part] : undefined;
  }
  return at;
};

const put = (view: Growing, name: string, value: string | number | boolean): void => {
  const parts = name.split('.');
  let at = view;
  for (const part of parts.slice(0, -1)) {
    const next = typeof at[part] === 'object' ? { ...at[part] } : {};
    at[part] = next;
    at = next;
  }
  at[parts.at(-1) ?? name] = value;
};
