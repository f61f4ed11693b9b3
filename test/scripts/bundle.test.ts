/**
 * Every library that the program may use, bundled with the options of the build and run from a folder that has no node_modules
 * anywhere above it. A library that only works unbundled would otherwise be found out by the first user of the package.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { programOptions } from '../../scripts/bundle-options.mjs';
import { withCommonJsNames, withQuickBuiltins } from '../../scripts/finish-output.mjs';

const uses = {
  chalk: "new (await import('chalk')).Chalk({ level: 1 }).red('x').length",
  commander: "new (await import('commander')).Command('a').exitOverride().parse(['--'], { from: 'user' }).name()",
  conf: "new (await import('conf')).default({ cwd: folder, schema: { a: { type: 'number' } } }).set('a', 1)",
  execa: "(await (await import('execa')).execa('echo', ['hi'])).stdout",
  'fastest-levenshtein': "(await import('fastest-levenshtein')).closest('instal', ['install', 'start'])",
  '@inquirer/core': "typeof (await import('@inquirer/core')).createPrompt",
  '@inquirer/prompts': "typeof (await import('@inquirer/prompts')).confirm",
  mustache: "(await import('mustache')).default.render('{{a}}', { a: 'm' })",
  'node-diff3': "(await import('node-diff3')).mergeDiff3(['a'], ['a'], ['b']).result[0]",
  '@npmcli/agent': "typeof (await import('@npmcli/agent')).default.getAgent",
  '@npmcli/config': `await (async () => {
    const { default: Config } = await import('@npmcli/config');
    const { definitions, flatten, shorthands, nerfDarts } = (await import('@npmcli/config/lib/definitions/index.js')).default;
    const config = new Config({ npmPath: folder, definitions, flatten, shorthands, nerfDarts, env: {}, argv: ['node', 'npm'], cwd: folder });
    await config.load();
    return typeof config.flat.registry;
  })()`,
  'npm-registry-fetch': "typeof (await import('npm-registry-fetch')).default.json",
  semver: "(await import('semver')).default.gt('2.0.0', '1.0.0')",
  tar: "typeof (await import('tar')).extract",
  yaml: "(await import('yaml')).parse('a: [1]').a[0]",
  zod: "(await import('zod')).z.object({ a: (await import('zod')).z.string() }).safeParse({ a: 1 }).success",
};
const expected: Record<keyof typeof uses, unknown> = {
  chalk: 11,
  commander: 'a',
  conf: null,
  execa: 'hi',
  'fastest-levenshtein': 'install',
  '@inquirer/core': 'function',
  '@inquirer/prompts': 'function',
  mustache: 'm',
  'node-diff3': 'b',
  '@npmcli/agent': 'function',
  '@npmcli/config': 'string',
  'npm-registry-fetch': 'function',
  semver: true,
  tar: 'function',
  yaml: 1,
  zod: false,
};

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'assent-bundle-'));
  const source = Object.entries(uses).map(([name, code]) => `told[${JSON.stringify(name)}] = (${code}) ?? null;`);
  const contents = ['const folder = process.argv[2], told = {};', ...source, 'console.log(JSON.stringify(told));'].join(
    '\n',
  );
  const { outputFiles } = await build({
    ...withoutEntries(programOptions(process.cwd(), [])),
    stdin: { contents, resolveDir: process.cwd(), sourcefile: 'entry.js' },
    outdir: folder,
    logLevel: 'error',
  });
  for (const file of outputFiles) {
    mkdirSync(dirname(file.path), { recursive: true });
    writeFileSync(file.path, withCommonJsNames(withQuickBuiltins(file.text)));
  }
  writeFileSync(join(folder, 'package.json'), '{"name":"alone","version":"1.0.0"}');
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every library works bundled, without node_modules and without a warning', () => {
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'stdin.mjs'), folder], {
    encoding: 'utf8',
    cwd: folder,
  });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual(expected);
});

const withoutEntries = ({ entryPoints: _, ...options }: ReturnType<typeof programOptions>) => options;
