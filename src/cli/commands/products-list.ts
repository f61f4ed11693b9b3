/** `assent products list`: the catalogue. */
import { loadCatalogue, loadProduct } from '../../product/catalogue.ts';
import { productListLines, productView } from '../../ui/views/products.ts';
import type { Run } from '../invocation.ts';

export const run: Run = async ({ world, look }) => {
  const products = await Promise.all(loadCatalogue(world).map((name) => loadProduct(world, name)));
  return {
    result: { outcome: 'unchanged', changed: false, products: products.map(productView) },
    screen: productListLines(products, look),
  };
};
