/**
 * The verified copy of Assent itself, with the Node that it runs on: HOME/runtimes/assent/VERSION-DIGEST. Whatever outlives the command
 * (units, timers, a detached run) executes this copy, never the clone, the npx cache or a global folder that may change or vanish.
 *
 * dist/build.json, written by the build, names every file of the program with its sha256; the copy is made of exactly these, each one
 * checked. DIGEST is build.json's own, so another build is another folder. A copy that is there is looked at each time (build.json's bytes
 * and every file's size), and made anew where it is not whole.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { readBytesIfThere, renameDurably, statIfThere, syncTree } from '../system/files.ts';
import { doubleQuickly, setMode, writeQuickly } from '../system/quick-files.ts';
import type { World } from '../system/world.ts';
import { homePaths } from './layout.ts';

export interface Program {
  /** Path of the Node. */
  readonly node: string;
  /** Path of dist/main.mjs. */
  readonly main: string;
}

interface Build {
  readonly version: string;
  /** Path in the program -> sha256. */
  readonly files: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

const sizesName = 'sizes.json';

/** Where the copy is, or would be; nothing is made. Failure 'refused-check' where the running program was not built. */
export const findProgram = (world: World, home: string): Program => programIn(folderOf(home, buildOf(world)));

/** Whether the copy is there and whole, as far as sizes tell. */
export const hasProgram = (world: World, home: string): boolean => {
  const build = buildOf(world);
  return isWhole(folderOf(home, build), build);
};

/** The copy; made now unless it is there. Failures as of ensureNode, and 'refused-check' where the running program is not the one that was built. */
export const ensureProgram = async (world: World, home: string): Promise<Program> => {
  const build = buildOf(world);
  const target = folderOf(home, build);
  if (isWhole(target, build)) return programIn(target);
  const [{ ensureNode }, { ownNodeVersion }, { withStaging }, { settle }] = await Promise.all([
    import('./runtime.ts'),
    import('./runtimes.ts'),
    import('./staging.ts'),
    import('./settle.ts'),
  ]);
  const node = await ensureNode(world, home, ownNodeVersion);
  await withStaging(world, home, async (staging) => {
    const folder = join(staging, 'program');
    copyProgram(world, build, folder);
    doubleQuickly(node, programIn(folder).node);
    syncTree(folder);
    if (statIfThere(target) !== undefined && !isWhole(target, build)) putAside(target, join(staging, 'damaged'));
    settle(folder, target);
  });
  return programIn(target);
};

const buildOf = (world: World): Build => {
  const file = join(world.program, 'dist/build.json');
  const bytes = readBytesIfThere(file);
  const build = bytes && parsed<Omit<Build, 'bytes'>>(bytes);
  if (bytes !== undefined && typeof build?.version === 'string' && typeof build.files === 'object')
    return { ...build, bytes };
  throw new Failure(
    'refused-check',
    `${file} is ${bytes === undefined ? 'missing: this copy of Assent was not built' : 'damaged'}.`,
    'Build it: npm run build. Nothing was changed.',
  );
};

const parsed = <T>(bytes: Buffer): T | undefined => {
  try {
    return JSON.parse(bytes.toString('utf8')) as T;
  } catch {
    return undefined;
  }
};

const folderOf = (home: string, { version, bytes }: Build): string =>
  join(homePaths(home).runtimes, 'assent', `${version}-${sha256(bytes).slice(0, 8)}`);

const programIn = (folder: string): Program => ({
  node: join(folder, 'node', 'bin', 'node'),
  main: join(folder, 'dist', 'main.mjs'),
});

const isWhole = (folder: string, build: Build): boolean => {
  const there = readBytesIfThere(join(folder, 'dist/build.json'));
  const noted = readBytesIfThere(join(folder, sizesName));
  const sizes = noted && parsed<Record<string, number>>(noted);
  if (there === undefined || !sizes || !there.equals(build.bytes)) return false;
  if ((statIfThere(programIn(folder).node)?.size ?? 0) === 0) return false;
  return Object.entries(sizes).every(([name, size]) => statIfThere(join(folder, name))?.size === size);
};

const copyProgram = (world: World, build: Build, folder: string): void => {
  const sizes: Record<string, number> = {};
  for (const [name, expected] of Object.entries(build.files)) {
    const path = join(world.program, name);
    const bytes = readBytesIfThere(path);
    if (bytes === undefined || sha256(bytes) !== expected) throw changedSinceBuild(path, bytes === undefined);
    sizes[name] = bytes.length;
    writeQuickly(join(folder, name), bytes, ((statIfThere(path)?.mode ?? 0) & 0o100) !== 0 ? 0o755 : 0o644);
  }
  writeQuickly(join(folder, 'dist/build.json'), build.bytes, 0o644);
  writeQuickly(join(folder, sizesName), JSON.stringify(sizes), 0o644);
};

const putAside = (target: string, to: string): void => {
  setMode(target, 0o755);
  renameDurably(target, to);
};

const changedSinceBuild = (path: string, isGone: boolean): Failure =>
  new Failure(
    'refused-check',
    `${path} is ${isGone ? 'gone' : 'not what it was'} since Assent was built: no verified copy can be made of it.`,
    'Install Assent anew, or in a clone build it: npm run build. Nothing was changed.',
  );

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
