/**
 * Products for people and for JSON: the catalogue, one product with its releases and settings, a manifest that was checked.
 */

import type { Finding } from '../../change/doctor/finding.ts';
import type { Product } from '../../product/manifest.ts';
import type { Setting } from '../../product/settings.ts';
import { exampleOf } from '../../product/settings.ts';
import {
  amount,
  fittedTable,
  fitting,
  labelled,
  paragraph,
  printable,
  several,
  table,
  widthOf,
  withCommand,
  wrap,
} from '../layout.ts';
import type { Look } from '../look.ts';
import { helpLines } from './setting-help.ts';

/** A product as the JSON document has it. */
export const productView = (product: Product): Readonly<Record<string, unknown>> => ({
  name: product.name,
  title: product.title,
  summary: product.summary,
  homepage: product.homepage ?? null,
  license: product.license ?? null,
  releases: product.releases.map(({ version, runtime, size }) => ({ version, runtime: runtime ?? null, size })),
  settings: product.settings.map(({ name, type, title, help, default: standard, required, choices }) => ({
    name,
    type,
    title,
    ...(help === undefined ? {} : { help }),
    required,
    ...(standard === undefined ? {} : { default: standard }),
    ...(choices === undefined ? {} : { choices }),
  })),
  telemetry: product.telemetry === undefined ? null : product.telemetry.counters.map((counter) => counter.name),
});

export const productListLines = (products: readonly Product[], { paint, columns }: Look): string[] => {
  const left = table([
    [paint.faint('PRODUCT'), paint.faint('RELEASES'), ''],
    ...products.map(({ name, releases }) => [
      paint.strong(name),
      releases.map(({ version }) => version).join(', '),
      '',
    ]),
  ]);
  const label = Math.max(...left.map(widthOf)) + 2;
  return [
    ...left.flatMap((line, at) => {
      const product = products[at - 1];
      if (product === undefined) return [line];
      return labelled(line, `${product.title}: ${product.summary}`, { indent: 0, label, columns });
    }),
    '',
    ...wrap(more, columns - 2).map((line) => `  ${paint.faint(line)}`),
  ];
};

const more =
  'More: assent products show NAME. Install: assent install NAME. A manifest of your own: assent install ./manifest.yaml';

/** `reference` is what was typed for it: a manifest of one's own is found by its path alone. */
export const productLines = (product: Product, look: Look, reference: string = product.name): string[] => {
  const { paint, symbols, columns } = look;
  const row = (label: string, text: string) => labelled(label, text, { indent: 4, label: 12, columns });
  return [
    ...paragraph(`${paint.strong(product.title)} ${symbols.dot} ${product.summary}`, { indent: 2, columns }),
    ...(product.homepage === undefined ? [] : row('homepage', product.homepage)),
    ...(product.license === undefined ? [] : row('license', product.license)),
    '',
    `  ${paint.strong('Releases')}`,
    ...table(
      product.releases.map(({ version, runtime, size }) => [
        version,
        runtime === undefined ? 'needs no Node' : `on Node ${runtime}`,
        `${amount(size.download)} to load, ${amount(size.installed)} on disk`,
      ]),
      4,
    ),
    '',
    `  ${paint.strong('Settings')}`,
    ...settingLines(product.settings, look),
    '',
    ...telemetryLines(product, row),
    ...installLines(product, printable(reference), columns - 2).map((line) => `  ${paint.faint(line)}`),
  ];
};

/** A line a setting; where that is too wide even with its title wrapped, what it is stands beside its name. */
const settingLines = (settings: readonly Setting[], look: Look): string[] => {
  const { columns } = look;
  const below = (at: number): string[] => settings.slice(at, at + 1).flatMap((one) => helpLines(one, look, 6));
  const rows = settings.map((setting) => [setting.name, setting.type, setting.title, defaultText(setting)]);
  const label = Math.max(0, ...settings.map(({ name }) => name.length)) + 2;
  return fitting(
    columns,
    () => fittedTable(rows, { indent: 4, columns, wrapped: 2 }, below),
    () =>
      rows.flatMap(([name = '', ...rest], at) => [
        ...labelled(name, rest.join(', '), { indent: 4, label, columns }),
        ...below(at),
      ]),
  );
};

const installLines = (product: Product, reference: string, columns: number): string[] => {
  const install = `assent install ${reference}`;
  const set = `--set ${exampleSetting(product)}`;
  return fitting(
    columns,
    () => [`Install it: ${install}. A setting: ${set}`],
    () => [...withCommand('Install it:', install, columns), ...withCommand('A setting:', set, columns)],
  );
};

export const checkedLines = (
  file: string,
  product: Product,
  hints: readonly Finding[],
  { paint, symbols, columns }: Look,
): string[] => [
  ...labelled(
    `  ${paint.good(symbols.done)}`,
    `${printable(`${file}: ${product.title}`)}, ${several(product.releases.length, 'release')}, ${several(product.settings.length, 'setting')}. No fault found.`,
    { indent: 0, label: 4, columns },
  ),
  ...hints.flatMap((hint) =>
    labelled(paint.caution(symbols.caution), printable(`${hint.message}. ${hint.remedy}`), {
      indent: 2,
      label: 2,
      columns,
    }),
  ),
  ...withCommand('Try it:', printable(`assent install ${file} --dry-run`), columns - 2).map(
    (line) => `  ${paint.faint(line)}`,
  ),
];

const telemetryLines = (product: Product, row: (label: string, text: string) => string[]): string[] =>
  product.telemetry === undefined
    ? row('telemetry', 'this product counts nothing')
    : row(
        'telemetry',
        `off unless you say yes; would count ${product.telemetry.counters.map((counter) => counter.title).join(', ')}`,
      );

const defaultText = (setting: Setting): string => {
  if (setting.default !== undefined) return `default ${setting.default}`;
  if (setting.generate !== undefined) return 'generated';
  return setting.required ? 'required' : 'optional';
};

const exampleSetting = (product: Product): string => {
  const setting = product.settings.find(({ type }) => type !== 'secret');
  return setting === undefined ? 'KEY=VALUE' : `${setting.name}=${exampleOf(setting)}`;
};
