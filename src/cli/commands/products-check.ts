/** `assent products check FILE`: every fault of a manifest, with its line and a remedy. A product of the catalogue may be meant by its name. */

import { join, resolve } from 'node:path';
import type { Finding } from '../../change/doctor/finding.ts';
import { inspectProduct, isManifestPath } from '../../product/catalogue.ts';
import type { Fault } from '../../product/located-yaml.ts';
import { faultLine } from '../../product/located-yaml.ts';
import { manifestFailure } from '../../product/manifest.ts';
import { releaseFaults } from '../../release/check-product.ts';
import { statIfThere } from '../../system/files.ts';
import type { World } from '../../system/world.ts';
import { checkedLines, productView } from '../../ui/views/products.ts';
import type { Run } from '../invocation.ts';

export const run: Run = async ({ world, look, operands }) => {
  const given = operands[0] ?? '';
  const meant = isHere(world, given) ? `./${given}` : given;
  const { file, inspected } = await inspectProduct(world, meant, (product) => releaseFaults(world, product));
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

/** What lies here under a name without a slash is meant before the catalogue's product of that name. */
const isHere = (world: World, given: string): boolean => {
  if (isManifestPath(given)) return false;
  const path = resolve(world.cwd, given);
  return statIfThere(path)?.kind === 'file' || statIfThere(join(path, 'manifest.yaml')) !== undefined;
};

const finding = (file: string, fault: Fault, level: Finding['level']): Finding => ({
  id: fault.where,
  instance: null,
  level,
  message: faultLine(file, { ...fault, remedy: '' }),
  remedy: fault.remedy,
});
