/** Copies of instances, with owners, modes, times and links, that attacks begin from again and again. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The instances that lie in a folder, into another one that is there or can be made. */
export const copyInstances = (from: string, to: string): void => {
  mkdirSync(to, { recursive: true });
  for (const instance of readdirSync(from)) {
    const [source, target] = [join(from, instance), join(to, instance)];
    const { mode, uid, gid } = statSync(source);
    mkdirSync(target);
    chownSync(target, uid, gid);
    chmodSync(target, mode);
    for (const entry of readdirSync(source)) copyPart(join(source, entry), join(target, entry));
  }
};

/** The marks of consent that lie in a folder, into another one, instead of those that lie there: laying back a home, and not only a backup of its instances. */
export const copyMarks = (from: string, to: string): void => {
  const marksIn = (folder: string): string[] =>
    existsSync(folder) ? readdirSync(folder).filter((entry) => entry.includes('.consent-mark')) : [];
  mkdirSync(to, { recursive: true });
  for (const mark of marksIn(to)) rmSync(join(to, mark), { recursive: true });
  for (const mark of marksIn(from)) copyPart(join(from, mark), join(to, mark));
};

/** One file or folder of an instance. The program that it keeps (130 MB, to which nothing writes in place) gets second names where it can. */
export const copyPart = (from: string, to: string): void => {
  if (basename(from) === 'recover' && spawnSync('cp', ['-al', from, to]).status === 0) return;
  rmSync(to, { recursive: true, force: true });
  const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
};
