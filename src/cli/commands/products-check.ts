/** `assent products check FILE`: every fault of a manifest, with its line and a remedy. */

import type { Finding } from '../../change/doctor/finding.ts';
import { inspectProduct, isManifestPath } from '../../product/catalogue.ts';
import type { Fault } from '../../product/located-yaml.ts';
import { faultLine } from '../../product/located-yaml.ts';
import { manifestFailure } from '../../product/manifest.ts';
import { releaseFaults } from '../../release/check-product.ts';
import { checkedLines, productView } from '../../ui/views/products.ts';
import type { Run } from '../invocation.ts';

export const run: Run = async ({ world, look, operands }) => {
  const given = operands[0] ?? '';
  const path = isManifestPath(given) ? given : `./${given}`;
  const { file, inspected } = await inspectProduct(world, path, (product) => releaseFaults(world, product));
  const { product, faults, hints } = inspected;
  if (product === undefined) {
    const findings: Finding[] = faults.map((fault) => finding(file, fault, 'problem'));
    return { result: { changed: false, findings }, screen: [], failure: manifestFailure(file, faults) };
  }
  const findings = hints.map((hint) => finding(file, hint, 'warning'));
  return {
    result: { outcome: 'unchanged', changed: false, products: [productView(product)], findings },
    screen: checkedLines(file, product, findings, look),
  };
};

const finding = (file: string, fault: Fault, level: Finding['level']): Finding => ({
  id: fault.where,
  instance: null,
  level,
  message: faultLine(file, { ...fault, remedy: '' }),
  remedy: fault.remedy,
});
