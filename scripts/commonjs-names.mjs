/**
 * An esbuild plugin: `await import('x')` of a CommonJS library gives the same names in the bundle as in Node.
 *
 * esbuild puts such a library into a chunk that exports `default` alone, while Node finds the names that the library assigns to
 * `exports`. Code that works in the tests would then fail in the package. So each of these imports goes through a small module that
 * exports what Node itself finds.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const bare = /^[@a-z]/;

/** @type {import('esbuild').Plugin} */
export const commonJsNames = {
  name: 'commonjs-names',
  setup(build) {
    build.onResolve({ filter: bare }, async ({ path, kind, resolveDir, pluginData }) => {
      if (kind !== 'dynamic-import' || path.startsWith('node:') || pluginData === 'inner') return undefined;
      const found = await build.resolve(path, { kind, resolveDir, pluginData: 'inner' });
      if (found.errors.length > 0 || found.external || !isCommonJs(found.path)) return undefined;
      return { path: found.path, namespace: 'commonjs-names' };
    });
    build.onLoad({ filter: /.*/, namespace: 'commonjs-names' }, async ({ path }) => {
      const names = await exportedNames(path);
      const contents = [
        `const library = require(${JSON.stringify(path)});`,
        'export default library;',
        names.length > 0 ? `export const { ${names.join(', ')} } = library;` : '',
      ].join('\n');
      return { contents, resolveDir: dirname(path), loader: 'js' };
    });
  },
};

/** @param {string} path */
async function exportedNames(path) {
  const module = await import(pathToFileURL(path).href);
  const isName = /^[A-Za-z_$][\w$]*$/;
  return Object.keys(module).filter((name) => isName.test(name) && !['default', '__esModule'].includes(name));
}

/** Whether Node takes the file for CommonJS: by its ending, else by the nearest package.json. @param {string} path */
function isCommonJs(path) {
  if (path.endsWith('.cjs')) return true;
  if (!path.endsWith('.js')) return false;
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = readIfThere(join(folder, 'package.json'));
    if (manifest !== undefined) return JSON.parse(manifest).type !== 'module';
  }
  return true;
}

/** @param {string} path */
function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
