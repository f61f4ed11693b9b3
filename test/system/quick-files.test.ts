import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolderQuickly } from '../../src/system/quick-files.ts';
import { mountTmpfs } from '../support/mounts.ts';
import { sandbox } from '../support/sandbox.ts';

test('makes the folders that lack, with their mode, and again without harm', () => {
  const folder = sandbox();
  for (let again = 0; again < 2; again++) makeFolderQuickly(join(folder, 'a/b/c'), 0o700);
  expect(statSync(join(folder, 'a/b/c')).mode & 0o7777).toBe(0o700);
});

test('what stands in the place of a folder is told as what it is', () => {
  const folder = sandbox();
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('nowhere', join(folder, 'link'));
  expect(() => makeFolderQuickly(join(folder, 'file'))).toThrow(/EEXIST/);
  expect(() => makeFolderQuickly(join(folder, 'file/below'))).toThrow(/EEXIST|ENOTDIR/);
  expect(() => makeFolderQuickly(join(folder, 'link/below'))).toThrow(/EEXIST/);
});

test('a filesystem that can only be read is told as that', ({ skip }) => {
  const disk = join(sandbox(), 'disk');
  mkdirSync(disk);
  mountTmpfs(skip, disk, 'size=1m,ro');
  expect(() => makeFolderQuickly(join(disk, 'new/er'))).toThrow(expect.objectContaining({ code: 'EROFS' }));
});
