import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

interface Build {
  version: string;
  inputs: string;
  files: Record<string, string>;
}

let clone: string;
const build = (...flags: string[]) =>
  spawnSync(process.execPath, ['scripts/build.mjs', ...flags], { cwd: clone, encoding: 'utf8' });
const built = () => JSON.parse(readFileSync(join(clone, 'dist/build.json'), 'utf8')) as Build;
const writtenAt = () => statSync(join(clone, 'dist/build.json'), { bigint: true }).mtimeNs;
const write = (name: string, text: string) => writeFileSync(join(clone, name), text);

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'assent-build-'));
  for (const name of ['scripts', 'bin', 'package.json', 'package-lock.json'])
    cpSync(name, join(clone, name), { recursive: true });
  mkdirSync(join(clone, 'src/room'), { recursive: true });
  cpSync('src/bootstrap.ts', join(clone, 'src/bootstrap.ts'));
  write('src/main.ts', "const { word } = await import('./room/lazy.ts'); console.log('main', word);\n");
  write('src/room/lazy.ts', "export const word: string = 'one';\n");
  write('src/room/some-child.ts', "import { word } from './lazy.ts';\nconsole.log('child', word);\n");
  symlinkSync(join(process.cwd(), 'node_modules'), join(clone, 'node_modules'));
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

test('it builds the program, each *-child.ts beside it, and the list of their digests', () => {
  expect(build()).toMatchObject({ status: 0, stdout: '', stderr: '' });
  const run = (name: string) => spawnSync(process.execPath, [join(clone, 'dist', name)], { encoding: 'utf8' }).stdout;
  expect([run('main.mjs'), run('some-child.mjs')]).toEqual(['main one\n', 'child one\n']);
  const { files, version } = built();
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(Object.keys(files)).toEqual(
    expect.arrayContaining(['bin/assent', 'dist/main.mjs', 'dist/some-child.mjs', 'package.json']),
  );
  for (const [name, digest] of Object.entries(files)) {
    expect(
      createHash('sha256')
        .update(readFileSync(join(clone, name)))
        .digest('hex'),
      name,
    ).toBe(digest);
  }
});

test('--if-stale goes by content: a touched file is no reason, a changed word or a lost file is one', () => {
  build();
  const before = writtenAt();
  write('src/room/lazy.ts', "export const word: string = 'one';\n");
  build('--if-stale');
  expect(writtenAt()).toBe(before);

  write('src/room/lazy.ts', "export const word: string = 'two';\n");
  build('--if-stale');
  expect(writtenAt()).not.toBe(before);

  rmSync(join(clone, 'dist/main.mjs'));
  build('--if-stale');
  expect(existsSync(join(clone, 'dist/main.mjs'))).toBe(true);
});

test('chunks of the build before stay for those who still run it, and are gone when it is packed', () => {
  build();
  const chunks = Object.keys(built().files).filter((name) => name.startsWith('dist/chunks/'));
  expect(chunks.length).toBeGreaterThan(0);
  write('src/room/lazy.ts', "export const word: string = 'three';\n");
  build();
  expect(chunks.every((name) => existsSync(join(clone, name)))).toBe(true);
  build('--clean');
  expect(chunks.some((name) => existsSync(join(clone, name)))).toBe(false);
});

test('a fault in the source: where it is, exit 1, and the build before is left', () => {
  build();
  const before = built();
  write('src/room/lazy.ts', "export { word } from './nowhere.ts';\n");
  const { status, stderr } = build('--if-stale');
  write('src/room/lazy.ts', "export const word: string = 'one';\n");
  expect(status).toBe(1);
  expect(stderr).toContain('src/room/lazy.ts:1');
  expect(built()).toEqual(before);
});

test('what every run loads is one chunk, and no module is there twice', () => {
  write('src/errors.ts', 'export class Wrong extends Error {}\n');
  write('src/room/words.ts', "import { Wrong } from '../errors.ts'; export const wrong = () => new Wrong('words');\n");
  write('src/room/a.ts', "import { Wrong } from '../errors.ts'; export const a = () => new Wrong('a');\n");
  write('src/room/b.ts', "import { wrong } from './words.ts'; export const b = () => wrong();\n");
  mkdirSync(join(clone, 'src/cli'), { recursive: true });
  write(
    'src/cli/run.ts',
    `import { Wrong } from '../errors.ts';
    import { wrong } from '../room/words.ts';
    export const run = async () => {
      const { a } = await import('../room/a.ts');
      const { b } = await import('../room/b.ts');
      return [wrong(), a(), b()].map((error) => error instanceof Wrong && error.message);
    };`,
  );
  write('src/main.ts', "import { run } from './cli/run.ts'; console.log(await run());\n");
  expect(build()).toMatchObject({ status: 0, stderr: '' });
  const main = join(clone, 'dist/main.mjs');
  const { stdout } = spawnSync(process.execPath, [main], { encoding: 'utf8' });
  expect(stdout).toBe("[ 'words', 'a', 'words' ]\n");
  const imported = (path: string) => [...readFileSync(path, 'utf8').matchAll(/import(?:\{[^}]*\}from)?"(.*?)"/g)];
  const [core, ...others] = imported(main).map(([, name]) => name as string);
  expect(others).toEqual([]);
  expect(imported(join(clone, 'dist', core as string))).toEqual([]);
});
