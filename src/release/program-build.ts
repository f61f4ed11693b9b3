/**
 * The program as the build made it: dist/build.json names every file of it with its sha256. From that list copies are made, each file checked, and
 * copies are told whole from broken ones.
 *
 * A copy has a Node of its own, and says which it is and what its bytes are (node/node.json): so a copy can be made from a copy where
 * nothing else is left, and none of its bytes is taken on trust.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { readBytesIfThere, statIfThere } from '../system/files.ts';
import { doubleQuickly, writeQuickly } from '../system/quick-files.ts';
import type { World } from '../system/world.ts';
import { ownNodeVersion } from './runtimes.ts';

export interface Program {
  /** Path of the Node. */
  readonly node: string;
  /** Path of dist/main.mjs. */
  readonly main: string;
}

export interface Build {
  readonly version: string;
  /** Path in the program -> sha256. */
  readonly files: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

const sizesName = 'sizes.json';
const nodeRecord = 'node/node.json';

/** What the running program was built as. Failure 'refused-check' where it was not built. */
export const buildOf = (world: World): Build => {
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

/** VERSION-DIGEST: another build is another name. */
export const nameOfBuild = ({ version, bytes }: Build): string => `${version}-${sha256(bytes).slice(0, 8)}`;

export const programIn = (folder: string): Program => ({
  node: join(folder, 'node', 'bin', 'node'),
  main: join(folder, 'dist', 'main.mjs'),
});

/** As far as sizes tell: what is looked at each time. */
export const isWhole = (folder: string, build: Build): boolean => {
  const there = readBytesIfThere(join(folder, 'dist/build.json'));
  const noted = readBytesIfThere(join(folder, sizesName));
  const sizes = noted && parsed<Record<string, number>>(noted);
  if (there === undefined || !sizes || !there.equals(build.bytes)) return false;
  if ((statIfThere(programIn(folder).node)?.size ?? 0) === 0) return false;
  return Object.entries(sizes).every(([name, size]) => statIfThere(join(folder, name))?.size === size);
};

/** By every byte of the program; its Node has to be the very file `node`, or one of the same bytes. */
export const isVerified = (folder: string, build: Build, node: string): boolean =>
  isWhole(folder, build) &&
  Object.entries(build.files).every(([name, expected]) => digestOf(join(folder, name)) === expected) &&
  isSame(programIn(folder).node, node);

/**
 * Makes the copy in a new folder: each file is given a second name where the one in `lender` (a copy, too) has the right bytes, else it is written from the
 * running program. Failure 'refused-check' where that is not what was built. Not synced.
 */
export const copyProgram = (world: World, build: Build, folder: string, node: string, lender?: string): void => {
  const sizes: Record<string, number> = {};
  for (const [name, expected] of Object.entries(build.files)) {
    const lent = lender === undefined ? undefined : join(lender, name);
    if (lent !== undefined && digestOf(lent) === expected) doubleQuickly(lent, join(folder, name));
    else writeChecked(join(world.program, name), join(folder, name), expected);
    sizes[name] = statIfThere(join(folder, name))?.size ?? 0;
  }
  doubleQuickly(node, programIn(folder).node);
  const record = { version: ownNodeVersion, sha256: digestOf(node) };
  writeQuickly(join(folder, nodeRecord), JSON.stringify(record), 0o644);
  writeQuickly(join(folder, 'dist/build.json'), build.bytes, 0o644);
  writeQuickly(join(folder, sizesName), JSON.stringify(sizes), 0o644);
};

/** The Node that the running program has of its own, where it is that version and what it says of itself is true. */
export const ownNode = (world: World, version: string): string | undefined => {
  const bytes = readBytesIfThere(join(world.program, nodeRecord));
  const record = bytes && parsed<{ version?: unknown; sha256?: unknown }>(bytes);
  const { node } = programIn(world.program);
  return record?.version === version && record.sha256 === digestOf(node) ? node : undefined;
};

const writeChecked = (from: string, to: string, expected: string): void => {
  const bytes = readBytesIfThere(from);
  if (bytes === undefined || sha256(bytes) !== expected) throw changedSinceBuild(from, bytes === undefined);
  writeQuickly(to, bytes, ((statIfThere(from)?.mode ?? 0) & 0o100) !== 0 ? 0o755 : 0o644);
};

const isSame = (one: string, other: string): boolean => {
  const [a, b] = [statIfThere(one), statIfThere(other)];
  if (a === undefined || b === undefined) return false;
  return (a.dev === b.dev && a.ino === b.ino) || (a.mode === b.mode && digestOf(one) === digestOf(other));
};

const digestOf = (path: string): string | undefined => {
  const bytes = readBytesIfThere(path);
  return bytes && sha256(bytes);
};

const parsed = <T>(bytes: Buffer): T | undefined => {
  try {
    return JSON.parse(bytes.toString('utf8')) as T;
  } catch {
    return undefined;
  }
};

const changedSinceBuild = (path: string, isGone: boolean): Failure =>
  new Failure(
    'refused-check',
    `${path} is ${isGone ? 'gone' : 'not what it was'} since Assent was built: no verified copy can be made of it.`,
    'Install Assent anew, or in a clone build it: npm run build. Nothing was changed.',
  );

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
