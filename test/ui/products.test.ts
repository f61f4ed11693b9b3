/** Products for people: a manifest that was checked. */
import { expect, it } from 'vitest';
import { loadProduct } from '../../src/product/catalogue.ts';
import { realWorld } from '../../src/system/world.ts';
import { noPaint, symbolsFor } from '../../src/ui/paint.ts';
import { checkedLines } from '../../src/ui/views/products.ts';
import { repository } from '../support/seed.ts';

it('counts what a manifest has in words that fit', async () => {
  const maildev = await loadProduct({ ...realWorld(), program: repository }, 'maildev');
  const one = { ...maildev, releases: maildev.releases.slice(0, 1) };
  const look = { paint: noPaint, symbols: symbolsFor({}), columns: 80 };
  expect(checkedLines('m.yaml', one, [], look)[0]).toContain('MailDev, 1 release, ');
  expect(checkedLines('m.yaml', maildev, [], look)[0]).toContain(`${maildev.releases.length} releases, `);
});
