import { spawnSync } from 'node:child_process';
import { lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { appendDurably } from '../../src/system/append.ts';
import { withTinyDisk } from '../support/mounts.ts';
import { sandbox } from '../support/sandbox.ts';

const modeOf = (path: string) => lstatSync(path).mode & 0o7777;

describe('appendDurably', () => {
  test('makes the file, then appends line by line', () => {
    const file = join(sandbox(), 'log');
    appendDurably(file, 'one', { mode: 0o640 });
    appendDurably(file, 'two\n', { mode: 0o600 });
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
    expect(modeOf(file)).toBe(0o640);
  });

  test('closes a torn line and keeps every byte of it', () => {
    const file = join(sandbox(), 'log');
    writeFileSync(file, '{"a":1}\n{"b":');
    appendDurably(file, '{"c":3}');
    expect(readFileSync(file, 'utf8')).toBe('{"a":1}\n{"b":\n{"c":3}\n');
  });

  test('refuses links, folders, pipes and more than one line', () => {
    const folder = sandbox();
    writeFileSync(join(folder, 'victim'), '');
    symlinkSync('victim', join(folder, 'link'));
    spawnSync('mkfifo', [join(folder, 'pipe')]);
    expect(() => appendDurably(join(folder, 'link'), 'x')).toThrow(/ELOOP/);
    expect(() => appendDurably(folder, 'x')).toThrow(/EISDIR/);
    expect(() => appendDurably(join(folder, 'pipe'), 'x')).toThrow(/Not a regular file/);
    expect(() => appendDurably(join(folder, 'victim'), 'x\ny')).toThrow(/More than one line/);
    expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('');
  });

  test('says so when the disk is full, and the next line stands by itself', ({ skip }) => {
    withTinyDisk(skip, (disk) => {
      appendDurably(join(disk, 'log'), 'first');
      expect(() => appendDurably(join(disk, 'log'), 'x'.repeat(4_000_000))).toThrow(/ENOSPC/);
      spawnSync('truncate', ['-s', '20', join(disk, 'log')]);
      appendDurably(join(disk, 'log'), 'last');
      expect(readFileSync(join(disk, 'log'), 'utf8')).toBe('first\nxxxxxxxxxxxxxx\nlast\n');
    });
  });

  test('whole lines from many writers at once', async () => {
    const file = join(sandbox(), 'log');
    const { spawn } = await import('node:child_process');
    const module = new URL('../../src/system/append.ts', import.meta.url).href;
    const code = (name: string) =>
      `const { appendDurably } = await import(${JSON.stringify(module)}); for (let i = 0; i < 20; i++) appendDurably(${JSON.stringify(file)}, '${name}'.repeat(500));`;
    await Promise.all(
      ['a', 'b', 'c'].map(
        (name) =>
          new Promise((resolve) => {
            spawn(process.execPath, ['--input-type=module', '-e', code(name)], { stdio: 'inherit' }).on(
              'close',
              resolve,
            );
          }),
      ),
    );
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    expect(lines).toHaveLength(60);
    expect(lines.every((line) => /^(a{500}|b{500}|c{500})$/.test(line))).toBe(true);
  });
});
