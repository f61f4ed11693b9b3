/** Asking is light: no library and no slow part of Node is loaded on the way to an answer. */
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const bundle = async (entry: string) => {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
    outdir: 'out',
  });
  const [output] = Object.values(metafile.outputs);
  const imports = output?.imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path) ?? [];
  return { bytes: output?.bytes ?? 0, imports: [...new Set(imports)].sort(), inputs: Object.keys(metafile.inputs) };
};

test('the resolver by itself is a few kilobytes and imports nothing', async () => {
  const { bytes, imports } = await bundle('src/consent/resolver.ts');
  expect(imports).toEqual([]);
  expect(bytes).toBeLessThan(5_000);
});

test('from the files to the answer: files and digests, nothing else', async () => {
  const { bytes, imports, inputs } = await bundle('src/consent/gather.ts');
  expect(imports.filter((path) => !['node:fs', 'node:path', 'node:crypto'].includes(path))).toEqual([]);
  expect(bytes).toBeLessThan(40_000);
  expect(inputs.filter((path) => path.includes('/product/') || path.includes('/change/'))).toEqual([]);
});
