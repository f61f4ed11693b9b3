/** `assent products show PRODUCT`: one product, its releases and its settings. */
import { loadProduct, parseProductReference, pickRelease } from '../../product/catalogue.ts';
import { productLines, productView } from '../../ui/views/products.ts';
import type { Run } from '../invocation.ts';

export const run: Run = async ({ world, look, operands }) => {
  const [reference = ''] = operands;
  const { product: name, version } = parseProductReference(reference);
  const product = await loadProduct(world, name);
  if (version !== undefined) pickRelease(product, version);
  return {
    result: { outcome: 'unchanged', changed: false, products: [productView(product)] },
    screen: productLines(product, look, reference),
  };
};
