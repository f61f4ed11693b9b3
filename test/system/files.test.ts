import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  isTemporary,
  listFolder,
  makeFolder,
  readBytesIfThere,
  readIfThere,
  removeFile,
  renameDurably,
  replaceLink,
  statIfThere,
  syncTree,
  writeDurably,
} from '../../src/system/files.ts';
import { withTinyDisk } from '../support/mounts.ts';
import { asRoot, sandbox } from '../support/sandbox.ts';
import { tracedCalls } from '../support/trace.ts';

const modeOf = (path: string) => lstatSync(path).mode & 0o7777;

describe('writeDurably', () => {
  test('never replaces a pipe, a device or a folder: root could otherwise take /dev/null away from everybody', () => {
    const folder = sandbox();
    spawnSync('mkfifo', [join(folder, 'pipe')]);
    mkdirSync(join(folder, 'folder'));
    for (const name of ['pipe', 'folder']) {
      expect(() => writeDurably(join(folder, name), 'x')).toThrow(/Not a regular file/);
    }
    expect(lstatSync(join(folder, 'pipe')).isFIFO()).toBe(true);
    expect(readdirSync(folder)).toEqual(['folder', 'pipe']);
  });

  test('writes text and bytes with the exact mode, whatever the umask', () => {
    const folder = sandbox();
    const before = process.umask(0o077);
    try {
      writeDurably(join(folder, 'text'), 'ä\n');
      writeDurably(join(folder, 'bytes'), new Uint8Array([0, 255]), { mode: 0o600 });
      writeDurably(join(folder, 'shared'), 'x', { mode: 0o664 });
    } finally {
      process.umask(before);
    }
    expect(readFileSync(join(folder, 'text'), 'utf8')).toBe('ä\n');
    expect([...readFileSync(join(folder, 'bytes'))]).toEqual([0, 255]);
    expect(['text', 'bytes', 'shared'].map((name) => modeOf(join(folder, name)))).toEqual([0o644, 0o600, 0o664]);
    expect(readdirSync(folder).sort()).toEqual(['bytes', 'shared', 'text']);
  });

  test('replaces a link instead of writing through it', () => {
    const folder = sandbox();
    writeFileSync(join(folder, 'victim'), 'untouched');
    symlinkSync('victim', join(folder, 'file'));
    writeDurably(join(folder, 'file'), 'new');
    expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('untouched');
    expect(lstatSync(join(folder, 'file')).isFile()).toBe(true);
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('new');
  });

  test('does not write into the other names of the old file', () => {
    const folder = sandbox();
    writeFileSync(join(folder, 'file'), 'old');
    linkSync(join(folder, 'file'), join(folder, 'kept'));
    writeDurably(join(folder, 'file'), 'new');
    expect(readFileSync(join(folder, 'kept'), 'utf8')).toBe('old');
  });

  test('leaves nothing behind where it fails', () => {
    const folder = sandbox();
    mkdirSync(join(folder, 'taken'));
    expect(() => writeDurably(join(folder, 'taken'), 'x')).toThrow(/Not a regular file/);
    expect(() => writeDurably(join(folder, 'missing', 'file'), 'x')).toThrow(/ENOENT/);
    expect(readdirSync(folder)).toEqual(['taken']);
  });

  test('keeps the old file, and no temporary, when the disk is full', ({ skip }) => {
    withTinyDisk(skip, (disk) => {
      writeDurably(join(disk, 'file'), 'old');
      expect(() => writeDurably(join(disk, 'file'), Buffer.alloc(4_000_000, 1))).toThrow(/ENOSPC/);
      expect(readFileSync(join(disk, 'file'), 'utf8')).toBe('old');
      expect(readdirSync(disk)).toEqual(['file']);
    });
  });

  test('writes out the file before it renames, and the folder after', ({ skip }) => {
    const folder = sandbox();
    const calls = tracedCalls(skip, `writeDurably(${JSON.stringify(join(folder, 'file'))}, 'x')`);
    const interesting = calls.filter((call) => /file|fsync/.test(call));
    const made = interesting.findIndex((call) => call.startsWith('open') && call.includes('.part'));
    expect(interesting[made]).toMatch(/O_CREAT\|O_EXCL\|O_NOFOLLOW/);
    const after = interesting.slice(made).map((call) => call.replace(/\(.*/, ''));
    expect(after.filter((name) => /fsync|rename/.test(name))).toEqual(['fsync', 'rename', 'fsync']);
  });

  test('gives the file to its owner before it appears', ({ skip }) => {
    asRoot(skip);
    const folder = sandbox();
    writeDurably(join(folder, 'file'), 'x', { mode: 0o600, owner: { uid: 65534, gid: 65534 } });
    const { uid, gid } = statSync(join(folder, 'file'));
    expect([uid, gid, modeOf(join(folder, 'file'))]).toEqual([65534, 65534, 0o600]);
  });
});

describe('reading', () => {
  test('what is not there is undefined; what is no file is an error', () => {
    const folder = sandbox();
    writeFileSync(join(folder, 'file'), 'text');
    symlinkSync('file', join(folder, 'link'));
    spawnSync('mkfifo', [join(folder, 'pipe')]);
    expect(readIfThere(join(folder, 'file'))).toBe('text');
    expect(readBytesIfThere(join(folder, 'file'))).toEqual(Buffer.from('text'));
    expect(readIfThere(join(folder, 'nothing'))).toBeUndefined();
    expect(readIfThere(join(folder, 'file', 'below'))).toBeUndefined();
    expect(() => readIfThere(join(folder, 'link'))).toThrow(/ELOOP/);
    expect(() => readIfThere(join(folder, 'pipe'))).toThrow(/Not a regular file/);
    expect(() => readIfThere(folder)).toThrow(/Not a regular file|EISDIR/);
  });

  test('tells what stands at a path, without following links', () => {
    const folder = sandbox();
    writeFileSync(join(folder, 'file'), 'text', { mode: 0o600 });
    symlinkSync('file', join(folder, 'link'));
    spawnSync('mkfifo', [join(folder, 'pipe')]);
    const kinds = ['file', 'link', 'pipe', '.', 'nothing'].map((name) => statIfThere(join(folder, name))?.kind);
    expect(kinds).toEqual(['file', 'link', 'other', 'folder', undefined]);
    expect(statIfThere(join(folder, 'file'))).toMatchObject({ size: 4, mode: 0o600, uid: process.getuid?.() });
  });

  test('lists names in order, without leftovers of killed writes', () => {
    const folder = sandbox();
    for (const name of ['b', 'a', 'B', '.hidden', '.state.json.0123456789abcdef.part'])
      writeFileSync(join(folder, name), '');
    expect(listFolder(folder)).toEqual(['.hidden', 'B', 'a', 'b']);
    expect(listFolder(join(folder, 'nothing'))).toEqual([]);
    expect(isTemporary('.state.json.0123456789abcdef.part')).toBe(true);
    expect(isTemporary('state.json')).toBe(false);
  });
});

describe('folders and names', () => {
  test('makes folders with exact modes, those above with 0755', () => {
    const folder = sandbox();
    const before = process.umask(0o077);
    try {
      makeFolder(join(folder, 'a', 'b'), { mode: 0o2750 });
    } finally {
      process.umask(before);
    }
    expect([modeOf(join(folder, 'a')), modeOf(join(folder, 'a', 'b'))]).toEqual([0o755, 0o2750]);
  });

  test('brings one that is there to the mode asked for, and else leaves it as it is', () => {
    const folder = sandbox();
    mkdirSync(join(folder, 'a'), { mode: 0o700 });
    chmodSync(join(folder, 'a'), 0o700);
    makeFolder(join(folder, 'a'));
    expect(modeOf(join(folder, 'a'))).toBe(0o700);
    makeFolder(join(folder, 'a'), { mode: 0o711 });
    expect(modeOf(join(folder, 'a'))).toBe(0o711);
    expect(() => makeFolder(join(folder, 'a'), { exclusive: true })).toThrow(/EEXIST/);
  });

  test('takes neither a link nor a file for a folder', () => {
    const folder = sandbox();
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'link'));
    writeFileSync(join(folder, 'file'), '');
    expect(() => makeFolder(join(folder, 'link'), { mode: 0o700 })).toThrow(/ENOTDIR|ELOOP/);
    expect(() => makeFolder(join(folder, 'file'))).toThrow(/ENOTDIR/);
    expect(modeOf(join(folder, 'real'))).not.toBe(0o700);
  });

  test('replaces a link in one step, and makes it where there is none', () => {
    const folder = sandbox();
    replaceLink('one', join(folder, 'current'));
    replaceLink('two', join(folder, 'current'));
    expect(readlinkSync(join(folder, 'current'))).toBe('two');
    expect(readdirSync(folder)).toEqual(['current']);
    mkdirSync(join(folder, 'full'));
    expect(() => replaceLink('x', join(folder, 'full'))).toThrow(/EISDIR|EEXIST/);
    expect(readdirSync(folder)).toEqual(['current', 'full']);
  });

  test('renames across folders, removes once or twice', () => {
    const folder = sandbox();
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'x'), '1');
    renameDurably(join(folder, 'x'), join(folder, 'a', 'y'));
    expect(readFileSync(join(folder, 'a', 'y'), 'utf8')).toBe('1');
    removeFile(join(folder, 'a', 'y'));
    removeFile(join(folder, 'a', 'y'));
    removeFile(join(folder, 'nothing', 'y'));
    expect(readdirSync(join(folder, 'a'))).toEqual([]);
    expect(() => removeFile(join(folder, 'a'))).toThrow(/EISDIR|EPERM/);
  });

  test('writes out a filesystem, and fails for one that is not there', () => {
    const folder = sandbox();
    syncTree(folder);
    expect(() => syncTree(join(folder, 'nothing'))).toThrow(/Could not write out/);
  });
});
