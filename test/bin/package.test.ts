/** The packed program, installed the way its users do it, on the machine's Node and on the newest. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type LauncherWorld,
  launcherWorld,
  machineNode,
  newNode,
  pathOf,
  placePrivateNode,
} from '../support/launcher.ts';

interface Packed {
  filename: string;
  files: { path: string; mode: number }[];
}

let clone: string;
let packed: Packed;
let world: LauncherWorld | undefined;
/** The environment without what an `npm test` around us has put there. */
const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
const withNode = (node: string) => ({ ...clean, PATH: `${dirname(node)}:${process.env.PATH}` });

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'assent-pack-'));
  const tracked = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  }).stdout;
  for (const name of tracked.split('\0').filter((path) => path !== '' && existsSync(path))) {
    cpSync(name, join(clone, name), { recursive: true });
  }
  symlinkSync(join(process.cwd(), 'node_modules'), join(clone, 'node_modules'));
  const pack = ['pack', '--json', '--loglevel=error', `--pack-destination=${clone}`];
  const { stdout, stderr, status } = spawnSync('npm', pack, {
    cwd: clone,
    encoding: 'utf8',
    env: withNode(machineNode),
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringMatching(/warn|error/i) });
  const [first] = Object.values(JSON.parse(stdout.slice(stdout.search(/^[[{]/m))) as Record<string, Packed>);
  packed = first as Packed;
  world = launcherWorld();
}, 120_000);
afterAll(() => {
  world?.remove();
  rmSync(clone, { recursive: true, force: true });
});

test('it holds the program and its papers, nothing else, and depends on nothing', () => {
  const paths = packed.files.map((file) => file.path);
  const build = JSON.parse(readFileSync(join(clone, 'dist/build.json'), 'utf8')) as { files: Record<string, string> };
  expect(paths).toEqual(
    expect.arrayContaining(['bin/assent', 'dist/main.mjs', 'dist/bootstrap.mjs', 'dist/licenses.txt']),
  );
  const isPaper = (path: string): boolean => /^([A-Z]+\.md|LICENSE|docs\/.+\.md)$/.test(path);
  const made = ['dist/build.json', 'package.json'];
  expect(paths.filter((path) => !(path in build.files) && !made.includes(path) && !isPaper(path))).toEqual([]);
  const linked = [...readFileSync('README.md', 'utf8').matchAll(/\]\(([^):#]+)[^):]*\)/g)].map(([, link = '']) => link);
  expect(linked.length).toBeGreaterThan(5);
  expect(linked.filter((link) => !paths.some((path) => path.startsWith(link)))).toEqual([]);
  expect(Object.keys(build.files).filter((path) => !paths.includes(path))).toEqual([]);
  const manifest = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as Record<string, unknown>;
  expect([manifest.dependencies, manifest.optionalDependencies, manifest.peerDependencies]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test.each([
  ["the machine's Node", machineNode],
  ['the newest Node', newNode],
])('npm install -g from the tarball, with %s: it runs, and says nothing on stderr', (_which, node) => {
  if (world === undefined) throw new Error('The program was not packed.');
  placePrivateNode(world);
  world.provide('node', { link: node });
  const prefix = join(world.folder, 'prefix');
  mkdirSync(prefix);
  const install = [
    'install',
    '-g',
    `--prefix=${prefix}`,
    join(clone, packed.filename),
    '--offline',
    '--no-audit',
    '--no-fund',
  ];
  // npm's own news of a newer npm, once a week and only for whom its cache has not told yet, is none of ours.
  const env = { ...withNode(node), npm_config_userconfig: '/dev/null', npm_config_update_notifier: 'false' };
  const installed = spawnSync(pathOf('npm'), install, { encoding: 'utf8', env });
  expect({ code: installed.status, stderr: installed.stderr }).toEqual({ code: 0, stderr: '' });

  const assent = join(prefix, 'bin/assent');
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(world.run(['--version'], { assent })).toEqual({ code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
  const program = join(prefix, 'lib/node_modules/assent');
  expect(existsSync(join(program, 'node_modules'))).toBe(false);
  expect(statSync(join(program, 'bin/assent')).mode & 0o111).toBe(0o111);
  rmSync(prefix, { recursive: true });
});
