import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mustBeWritable } from '../../src/system/writable.ts';
import { isRoot, sandbox } from '../support/sandbox.ts';

test('a folder that is there, and one that could be made, however deep', () => {
  const folder = sandbox();
  for (const path of [folder, join(folder, 'new'), join(folder, 'not/yet/there')]) mustBeWritable(path);
});

test('a file in the place of a folder is told as what it is', () => {
  const file = join(sandbox(), 'file');
  writeFileSync(file, '');
  for (const path of [file, join(file, 'below'), join(file, 'far/below')])
    expect(() => mustBeWritable(path), path).toThrow(/ENOTDIR/);
});

test('the first path that could not be made is named', ({ skip }) => {
  skip(isRoot, 'root may write everywhere: the scenario of the questions types it as another user');
  const folder = join(sandbox(), 'closed');
  mkdirSync(folder);
  chmodSync(folder, 0o555);
  const refusal = (path: string) => expect.objectContaining({ code: 'EACCES', path });
  expect(() => mustBeWritable(folder)).toThrow(refusal(folder));
  expect(() => mustBeWritable(join(folder, 'new/er'))).toThrow(refusal(join(folder, 'new')));
});
