/**
 * How the program is bundled: modules for Node, code shared between the entries split into chunks, each library in a chunk of
 * its own where the source imports it lazily. A test bundles a program of its own with these, with every library in it.
 */
import { join } from 'node:path';
import { commonJsNames } from './commonjs-names.mjs';
import { oneCore } from './one-core.mjs';

/** Runs on every Node that the launcher accepts. @param {string} root @param {{ in: string, out: string }[]} entryPoints */
export function programOptions(root, entryPoints) {
  const options = { ...common(root), splitting: true, chunkNames: 'chunks/[name]-[hash]', target: 'node22' };
  return { ...options, entryPoints, plugins: [commonJsNames, oneCore(root)] };
}

/** Lives in servers: whole files, for a chunk that it shares with others would bring what those need. @param {string} root @param {{ in: string, out: string }[]} entryPoints */
export function guestOptions(root, entryPoints) {
  return { ...common(root), entryPoints, target: 'node20' };
}

/** Shares nothing: it must not drag in a chunk that was written for a newer Node. @param {string} root */
export function bootstrapOptions(root) {
  return { ...common(root), entryPoints: [{ in: 'src/bootstrap.ts', out: 'bootstrap' }], target: 'node18' };
}

/** Scripts that are put into a page as they are: nothing is loaded, and nothing of Node is there. @param {string} root @param {{ in: string, out: string }[]} entryPoints */
export function pageOptions(root, entryPoints) {
  const { outExtension: _, ...options } = common(root);
  const browser = /** @type {const} */ ({ platform: 'browser', format: 'iife', target: 'es2022', minify: true });
  return { ...options, ...browser, entryPoints };
}

/** @param {string} root @returns {import('esbuild').BuildOptions & { write: false, metafile: true }} */
function common(root) {
  return {
    absWorkingDir: root,
    outdir: join(root, 'dist'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    // Identifiers keep their names: a stack trace in a bug report has to be readable.
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [commonJsNames],
    legalComments: 'none',
    logLevel: 'warning',
  };
}
