/**
 * An esbuild plugin: what every run loads is one chunk, and what `status` needs beside it another.
 *
 * esbuild makes a chunk for each set of entries that share code, and each lazy import is an entry: modules that all commands use would lie in
 * dozens of small files, and opening one costs a quarter of a millisecond of a start of twenty. So every lazy import of ours goes
 * through a small module that names the cores, too. Then all entries share them, and esbuild puts each into one chunk. No module
 * is in two files: there is one class Failure, and one list of signal handlers.
 *
 * A core is a module with all that it imports at once; it must do nothing but declare. Those who need the second have loaded the first.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const cores = ['src/cli/run.ts', 'src/cli/server-view.ts'];

/** @param {string} root @returns {import('esbuild').Plugin} */
export function oneCore(root) {
  const paths = cores.map((name) => join(root, name)).filter((path) => existsSync(path));
  return {
    name: 'one-core',
    setup(build) {
      build.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, async ({ path, kind, resolveDir, pluginData }) => {
        if (kind !== 'dynamic-import' || pluginData === 'inner') return undefined;
        const found = await build.resolve(path, { kind, resolveDir, pluginData: 'inner' });
        if (found.errors.length > 0 || found.path === paths[0]) return undefined;
        return { path: found.path, namespace: 'one-core' };
      });
      build.onLoad({ filter: /.*/, namespace: 'one-core' }, ({ path }) => {
        const needed = paths.includes(path) ? paths.slice(0, paths.indexOf(path)) : paths;
        const imports = needed.map((core) => `import ${JSON.stringify(core)};`);
        return {
          contents: [...imports, `export * from ${JSON.stringify(path)};`].join('\n'),
          resolveDir: root,
          loader: 'js',
        };
      });
    },
  };
}
