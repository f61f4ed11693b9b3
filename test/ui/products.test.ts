/** Products for people: the catalogue, and a manifest that was checked. */
import { expect, it } from 'vitest';
import { loadCatalogue, loadProduct } from '../../src/product/catalogue.ts';
import { realWorld } from '../../src/system/world.ts';
import { noPaint, symbolsFor } from '../../src/ui/paint.ts';
import { checkedLines, productListLines } from '../../src/ui/views/products.ts';
import { repository } from '../support/seed.ts';

const look = { paint: noPaint, symbols: symbolsFor({}), columns: 80 };

it('fits the catalogue into 80 columns, and says all of it', async () => {
  const world = { ...realWorld(), program: repository };
  const products = await Promise.all(loadCatalogue(world).map((name) => loadProduct(world, name)));
  const lines = productListLines(products, look);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  const words = lines.join(' ').replace(/\s+/g, ' ');
  for (const { name, summary } of products) for (const part of [name, summary]) expect(words).toContain(part);
});

it('counts what a manifest has in words that fit', async () => {
  const maildev = await loadProduct({ ...realWorld(), program: repository }, 'maildev');
  const one = { ...maildev, releases: maildev.releases.slice(0, 1) };
  expect(checkedLines('m.yaml', one, [], look)[0]).toContain('MailDev, 1 release, ');
  expect(checkedLines('m.yaml', maildev, [], look)[0]).toContain(`${maildev.releases.length} releases, `);
});
