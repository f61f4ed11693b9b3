/**
 * The product of what an uninstall has kept, as far as a purge has to know it. Nothing of it is stored, configured or run any more, so the state alone tells
 * enough. Neither catalogue nor store are asked: both may have forgotten the release long ago, and what was kept has to go all the same.
 */

import type { InstanceState } from '../instance/state.ts';
import type { Product, Release } from '../product/manifest.ts';

/** With one release, the one that ran last, which can be named and not run. `folder` is the instance's. */
export const keptProduct = (state: InstanceState, folder: string): { product: Product; release: Release } => {
  const { product: name, title, release: last } = state;
  const release: Release = { ...nothingToRun, product: name, version: last.version };
  const summary = `uninstalled; what it kept lies in ${folder}`;
  return { product: { name, title, summary, folder, settings: [], urls: {}, releases: [release] }, release };
};

const nothingToRun = {
  parts: [],
  config: [],
  size: { download: 0, installed: 0, files: 0 },
  data: { format: 1 },
  service: {
    command: [],
    environment: {},
    directory: '{{data}}',
    stopSignal: 'SIGTERM',
    stopSeconds: 0,
    startSeconds: 0,
    prepare: [],
    jit: false,
  },
  health: { checks: [], stableSeconds: 0 },
} satisfies Omit<Release, 'product' | 'version'>;
