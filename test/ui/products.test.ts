/** Products for people: the catalogue, one of it, a manifest that was checked, and its locks. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run as show } from '../../src/cli/commands/products-show.ts';
import { flagsOf } from '../../src/cli/flags.ts';
import { loadCatalogue, loadProduct, parseProductReference } from '../../src/product/catalogue.ts';
import { realWorld } from '../../src/system/world.ts';
import { noPaint, symbolsFor } from '../../src/ui/paint.ts';
import { lockLines } from '../../src/ui/views/locks.ts';
import { checkedLines, productLines, productListLines, productView } from '../../src/ui/views/products.ts';
import { helpLines } from '../../src/ui/views/setting-help.ts';
import { sure } from '../consent/support.ts';
import { quickProduct } from '../support/quick-product.ts';
import { sandbox } from '../support/sandbox.ts';
import { repository } from '../support/seed.ts';

const world = { ...realWorld(), program: repository };
const products = await Promise.all(loadCatalogue(world).map((name) => loadProduct(world, name)));
const look = { paint: noPaint, symbols: symbolsFor({}), columns: 80 };
const painted = { ...look, paint: { ...noPaint, faint: (text: string) => `<${text}>` } };

it('fits the catalogue into 80 columns, and says all of it', async () => {
  const lines = productListLines(products, look);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  const words = lines.join(' ').replace(/\s+/g, ' ');
  for (const { name, summary } of products) for (const part of [name, summary]) expect(words).toContain(part);
});

it('counts what a manifest has in words that fit', async () => {
  const maildev = await loadProduct(world, 'maildev');
  const one = { ...maildev, releases: maildev.releases.slice(0, 1) };
  expect(checkedLines('m.yaml', one, [], look)[0]).toContain('MailDev, 1 release, ');
  expect(checkedLines('m.yaml', maildev, [], look)[0]).toContain(`${maildev.releases.length} releases, `);
});

describe.each(products)('$name', (product) => {
  it.each([60, 80, 100])('fits into %i columns, and says all of it', (columns) => {
    const lines = productLines(product, { ...look, columns });
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    const text = lines.join(' ').replace(/\s+/g, ' ');
    for (const part of [product.summary, product.homepage ?? '', `assent install ${product.name}`])
      expect(text).toContain(part);
    for (const { name } of product.settings) expect(text).toContain(` ${name} `);
  });

  it('has a line a setting where there is room', () => {
    const lines = productLines(product, { ...look, columns: 100 });
    for (const { name, title } of product.settings)
      expect(
        lines.some((line) => line.startsWith(`    ${name} `) && line.includes(` ${title} `)),
        name,
      ).toBe(true);
  });
});

it.each(['', '@3.0.0'])('names what installs a product of your own, by its path (%s)', async (version) => {
  const cwd = sandbox();
  quickProduct(cwd, 'maildev', (manifest) => Object.assign(manifest, { name: 'my-mail' }));
  const here = { ...world, cwd };
  const operands = [`./maildev/manifest.yaml${version}`];
  const about = { world: here, home: join(cwd, 'home'), flags: flagsOf({}), operands, look, say: () => {} };
  const { screen } = await show(about);
  const named = / assent install (\S+?)\.?(?:$| A setting)/m.exec(screen.join('\n'))?.[1] ?? '';
  expect(named).toBe(operands[0]);
  expect((await loadProduct(here, parseProductReference(named).product)).name).toBe('my-mail');
});

it('names a command on a line of its own where the path is long, and never breaks it', async () => {
  const file = '/srv/somewhere/with/a/long/way/to/the/manifests/of/our/own/servers/manifest.yaml';
  const lock = { release: '3.0.0', part: '', file: 'locks/3.0.0/package-lock.json', packages: 1 };
  const nothing = { added: [], removed: [], moved: [], ofTheHost: [] };
  const kept = lockLines([{ ...lock, ...nothing, changed: false, kept: true }], './manifest.yaml', look);
  expect(kept.slice(1)).toEqual([
    '  All is pinned. To resolve a release anew:',
    '    assent products lock ./manifest.yaml --release VERSION --refresh',
  ]);
  const written = lockLines([{ ...lock, ...nothing, changed: true, kept: false }], file, look);
  expect(written.slice(1)).toEqual(['  Look at the difference, then:', `    assent products check ${file}`]);
  const checked = checkedLines(file, await loadProduct(world, 'maildev'), [], look);
  expect(checked.slice(-2)).toEqual(['  Try it:', `    assent install ${file} --dry-run`]);
});

it("shows a setting's help below it, faint, printable and within the width, and in the document", async () => {
  const prosody = await loadProduct(world, 'prosody');
  const helps = prosody.settings.flatMap(({ help }) => help ?? []);
  expect(helps.some((help) => help.length > 80)).toBe(true);
  const lines = productLines(prosody, look);
  const words = lines.join(' ').replace(/\s+/g, ' ');
  for (const help of helps) expect(words).toContain(help);
  const [domain] = prosody.settings;
  const at = lines.findIndex((line) => line.trim().startsWith('domain '));
  expect(lines[at + 1]).toBe(`      ${domain?.help}`);
  const marked = helpLines({ ...sure(domain), help: `a\u001b[2Jb ${'c '.repeat(60)}` }, painted, 6);
  expect(marked[0]).toMatch(/^ {6}<ab c c .* c>$/);
  expect(marked.length).toBe(2);
  expect(marked.map((line) => line.length - 2).filter((length) => length > 80)).toEqual([]);
  expect(productView(prosody).settings).toContainEqual(expect.objectContaining({ name: 'domain', help: domain?.help }));
  expect(productView(await loadProduct(world, 'maildev')).settings).not.toContainEqual(
    expect.objectContaining({ help: expect.anything() }),
  );
});
