/**
 * The tables of docs/telemetry.md that follow from the catalogue and from the code: what each product counts, and the families of browsers.
 * `npm run tables` writes them between their marks; a test says when they are out of date.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCatalogue, loadProduct } from '../src/product/catalogue.ts';
import { realWorld } from '../src/system/world.ts';
import { browsers } from '../src/telemetry/part.ts';

export const page = join(import.meta.dirname, '..', 'docs', 'telemetry.md');

/** The page with its tables as they should be. */
export const withTables = async (text: string): Promise<string> => {
  const tables = { counters: await counterTable(), browsers: `${browsers.map((name) => `\`${name}\``).join(', ')}` };
  return Object.entries(tables).reduce((page, [name, table]) => between(page, name, table), text);
};

const between = (text: string, name: string, table: string): string => {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/telemetry.md has no marks for ${name}`);
  return `${text.slice(0, from)}${begin}\n\n${table}\n\n${text.slice(to)}`;
};

const counterTable = async (): Promise<string> => {
  const world = realWorld();
  const products = await Promise.all(loadCatalogue(world).map((name) => loadProduct(world, name)));
  const rows = products.flatMap(({ title, telemetry }) =>
    telemetry === undefined
      ? [`| ${title} | nothing | | |`]
      : telemetry.counters.map(
          (counter) =>
            `| ${title} | ${counter.title} | ${counter.routes.map((route) => `\`${route}\``).join(' ')} | ${telemetry.smallestGroup} |`,
        ),
  );
  return ['| product | counter | answered requests | smallest group |', '|---|---|---|---|', ...rows].join('\n');
};

if (process.argv[1] === import.meta.filename) writeFileSync(page, await withTables(readFileSync(page, 'utf8')));
