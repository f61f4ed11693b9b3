/** A copy of the repository whose source is damaged on purpose, built, and made into a program of its own beside the one that is attacked. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programCopy } from '../../support/program-copy.ts';
import { repository } from '../../support/seed.ts';
import type { Sabotage } from './faults.ts';

export interface Workshop {
  /** Runs the work with the damaged source; whatever comes of it, the source is as it was afterwards. */
  readonly sabotaged: (sabotage: Sabotage, work: () => Promise<void>) => Promise<void>;
  /** Builds the source as it is now, and runs the work with that as the program that is attacked. */
  readonly asProgram: (work: () => Promise<void>) => Promise<void>;
  /** What the tests of the file say that fail with the source as it is now; undefined where all pass. */
  readonly failureOf: (test: string) => string | undefined;
  readonly close: () => void;
}

export const openWorkshop = (): Workshop => {
  const folder = mkdtempSync(join(tmpdir(), 'assent-sabotage-'));
  spawnSync('chmod', ['a+rx', folder]);
  const [shop, program] = [join(folder, 'repository'), join(folder, 'program')];
  mkdirSync(shop);
  for (const part of copied) cpSync(join(repository, part), join(shop, part), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(shop, 'node_modules'));
  return {
    sabotaged: (sabotage, work) => sabotaged(shop, sabotage, work),
    asProgram: (work) => asProgram(shop, program, work),
    failureOf: (test) => {
      const { status, stdout, stderr } = run(shop, 'node_modules/vitest/vitest.mjs', 'run', test);
      return status === 0 ? undefined : stdout + stderr;
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
};

const copied = [
  ...['bin', 'products', 'schema', 'scripts', 'src', 'test'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'vitest.config.ts'],
];

const sabotaged = async (shop: string, { file, changes }: Sabotage, work: () => Promise<void>): Promise<void> => {
  const path = join(shop, file);
  const whole = readFileSync(path, 'utf8');
  const damaged = changes.reduce((text, [search, replace]) => {
    assert.equal(text.split(search).length, 2, `${file} has once: ${search}`);
    return text.replace(search, () => replace);
  }, whole);
  writeFileSync(path, damaged);
  try {
    await work();
  } finally {
    writeFileSync(path, whole);
  }
};

const asProgram = async (shop: string, program: string, work: () => Promise<void>): Promise<void> => {
  const { status, stderr } = run(shop, 'scripts/build.mjs');
  assert.equal(status, 0, stderr);
  const copy = join(program, 'copy');
  rmSync(program, { recursive: true, force: true });
  mkdirSync(program);
  spawnSync('cp', ['-al', programCopy(), copy]);
  rmSync(join(copy, 'dist'), { recursive: true });
  cpSync(join(shop, 'dist'), join(copy, 'dist'), { recursive: true });
  spawnSync('chmod', ['-R', 'a+rX', program]);
  const real = process.env.ASSENT_TEST_PROGRAM;
  process.env.ASSENT_TEST_PROGRAM = program;
  try {
    await work();
  } finally {
    process.env.ASSENT_TEST_PROGRAM = real;
  }
};

const run = (cwd: string, ...command: string[]) =>
  spawnSync(process.execPath, command, { cwd, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
