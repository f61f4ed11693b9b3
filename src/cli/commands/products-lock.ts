/** `assent products lock FILE`: writes the locks of a manifest that are missing, with --refresh all of them, and tells what changed. */

import { isManifestPath, loadWithoutFiles, pickRelease } from '../../product/catalogue.ts';
import { lockProduct } from '../../release/lock-product.ts';
import { printable } from '../../ui/layout.ts';
import { lockLines } from '../../ui/views/locks.ts';
import type { Run } from '../invocation.ts';

export const run: Run = async ({ world, home, operands, flags, look, say }) => {
  const given = operands[0] ?? '';
  const path = isManifestPath(given) ? given : `./${given}`;
  const product = await loadWithoutFiles(world, path);
  const releases = flags.release === undefined ? product.releases : [pickRelease(product, flags.release)];
  const events = {
    progress: () => {},
    note: (text: string) => {
      if (!flags.quiet) say([`  ${look.paint.faint(printable(text))}`]);
    },
  };
  const locks = await lockProduct({ world, home, product, releases, refresh: flags.refresh, events });
  const changed = locks.some((lock) => lock.changed);
  return {
    result: { ...(changed ? {} : { outcome: 'unchanged' as const }), changed, locks },
    screen: lockLines(locks, path, look),
  };
};
