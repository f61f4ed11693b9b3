import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { identify, isAlive, sleep, waitGone } from '../../src/system/processes.ts';
import { copyTree, digestCopied, digestTree, measureTree, removeTree, updateTree } from '../../src/system/tree.ts';
import { mountBind, mountTmpfs, withTinyDisk } from '../support/mounts.ts';
import { isRoot, makeSandbox, removeSandbox, sandbox } from '../support/sandbox.ts';

const nobody = { uid: 65534, gid: 65534 };

/** A tree with one of everything that a server's data may hold. */
const makeTree = (folder: string): string => {
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'deep', 'er'), { recursive: true });
  writeFileSync(join(tree, 'file'), 'content', { mode: 0o640 });
  writeFileSync(join(tree, 'deep', 'er', 'program'), '#!/bin/sh\n');
  chmodSync(join(tree, 'deep', 'er', 'program'), 0o4755);
  writeFileSync(join(tree, 'empty'), '');
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/name-`), Buffer.from([0xff, 0xfe])]), 'not UTF-8');
  writeFileSync(join(tree, 'with\nnewline'), 'x');
  symlinkSync('file', join(tree, 'link'));
  symlinkSync('/nowhere/at all', join(tree, 'deep', 'dangling'));
  linkSync(join(tree, 'file'), join(tree, 'deep', 'second-name'));
  mkdirSync(join(tree, 'read-only'));
  writeFileSync(join(tree, 'read-only', 'inside'), 'x');
  chmodSync(join(tree, 'read-only'), 0o555);
  utimesSync(join(tree, 'file'), 1_600_000_000.123456, 1_500_000_000.654321);
  utimesSync(join(tree, 'deep'), 1_600_000_000, 1_400_000_000.5);
  return tree;
};

/** Everything that a copy has to keep: as text that can be compared, and the seconds. `find` prints raw bytes and nanoseconds. */
const entriesOf = (tree: string): { text: string; seconds: number }[] =>
  execFileSync('find', ['.', '-printf', '%P|%y|%m|%U:%G|%s|%l|%T@\\0'], { cwd: tree, encoding: 'latin1' })
    .split('\0')
    .filter((line) => line !== '')
    .sort()
    .map((line) => line.replace(/^([^|]*\|d\|[^|]*\|[^|]*)\|\d+/, '$1'))
    .map((line) => ({ text: line.replace(/[^|]*$/, ''), seconds: Number(/[^|]*$/.exec(line)?.[0]) }));

/** A copy keeps times to the microsecond. */
const expectSame = (copy: string, tree: string): void => {
  const [copied, given] = [entriesOf(copy), entriesOf(tree)];
  expect(copied.map(({ text }) => text)).toEqual(given.map(({ text }) => text));
  for (const [at, { text, seconds }] of copied.entries())
    expect(Math.abs(seconds - (given[at]?.seconds ?? 0)), text).toBeLessThan(2e-6);
};

const inode = (path: string) => lstatSync(path).ino;

describe('copyTree', () => {
  test('keeps contents, modes, times, links, hard links and names that are no UTF-8', async () => {
    const folder = sandbox();
    const tree = makeTree(folder);
    const copy = join(folder, 'copy');
    const size = await copyTree(tree, copy);
    expectSame(copy, tree);
    expect(inode(join(copy, 'deep', 'second-name'))).toBe(inode(join(copy, 'file')));
    expect(inode(join(copy, 'file'))).not.toBe(inode(join(tree, 'file')));
    expect(await digestTree(copy)).toBe(await digestTree(tree));
    expect(size).toEqual({ bytes: 7 + 10 + 9 + 1 + 1, files: 12, left: [] });
  });

  test('fills an empty folder, and refuses one with something in it', async () => {
    const folder = sandbox();
    const tree = makeTree(folder);
    mkdirSync(join(folder, 'empty'));
    await copyTree(tree, join(folder, 'empty'));
    expectSame(join(folder, 'empty'), tree);
    await expect(copyTree(tree, join(folder, 'empty'))).rejects.toMatchObject({ code: 'ENOTEMPTY' });
  });

  test('leaves sockets and pipes out, and names them', async () => {
    const folder = sandbox();
    const tree = makeTree(folder);
    spawnSync('mkfifo', [join(tree, 'deep', 'pipe')]);
    const { left } = await copyTree(tree, join(folder, 'copy'));
    expect(left).toEqual([{ path: join(tree, 'deep', 'pipe'), kind: 'pipe' }]);
    expect(existsSync(join(folder, 'copy', 'deep', 'pipe'))).toBe(false);
    const digest = digestTree(tree);
    await expect(digest).rejects.toThrow(/deep\/pipe is a pipe/);
  });

  test('keeps holes: a file that reserved much takes little in its copy', async () => {
    const folder = sandbox();
    mkdirSync(join(folder, 'tree'));
    const fd = openSync(join(folder, 'tree', 'db'), 'w');
    ftruncateSync(fd, 200_000_000);
    writeSync(fd, 'in the middle', 100_000_000);
    closeSync(fd);
    await copyTree(join(folder, 'tree'), join(folder, 'copy'));
    const copy = statSync(join(folder, 'copy', 'db'));
    expect(copy.size).toBe(200_000_000);
    expect(copy.blocks * 512).toBeLessThan(2_000_000);
    expect((await measureTree(join(folder, 'copy'))).bytes).toBeLessThan(2_000_000);
    const part = Buffer.alloc(13);
    const copied = openSync(join(folder, 'copy', 'db'), 'r');
    readSync(copied, part, 0, 13, 100_000_000);
    closeSync(copied);
    expect(part.toString()).toBe('in the middle');
  });

  test('a full disk is ENOSPC with a path that people know', async ({ skip }) => {
    const folder = sandbox();
    mkdirSync(join(folder, 'tree', 'sub'), { recursive: true });
    writeFileSync(join(folder, 'tree', 'sub', 'big'), Buffer.alloc(3_000_000, 7));
    await withTinyDisk(skip, async (disk) => {
      const copying = copyTree(join(folder, 'tree'), join(disk, 'copy'));
      await expect(copying).rejects.toMatchObject({ code: 'ENOSPC' });
      await expect(copying).rejects.toThrow(join('sub', 'big'));
      await expect(copying).rejects.not.toThrow('/proc/self');
    });
  });

  test('does not follow a link at its top', async () => {
    const folder = sandbox();
    symlinkSync(makeTree(folder), join(folder, 'link'));
    await expect(copyTree(join(folder, 'link'), join(folder, 'copy'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    await expect(copyTree(join(folder, 'nothing'), join(folder, 'copy'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('tells how far it is', async () => {
    const folder = sandbox();
    mkdirSync(join(folder, 'tree'));
    for (let i = 0; i < 12; i++) writeFileSync(join(folder, 'tree', `f${i}`), Buffer.alloc(20_000_000, i));
    const seen: number[] = [];
    await copyTree(join(folder, 'tree'), join(folder, 'copy'), { onProgress: ({ bytes }) => seen.push(bytes) });
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  test('a copy of a tree that is written meanwhile ends well', async () => {
    const folder = sandbox();
    const tree = join(folder, 'tree');
    mkdirSync(tree);
    const churn = `cd ${tree}; i=0; while :; do i=$((i+1)); mkdir -p d$((i%7)); echo $i > d$((i%7))/f$((i%5)); mv d$((i%7))/f$((i%5)) g$((i%11)); rm -rf d$(((i+3)%7)); done`;
    // Killed as a group, with what it has started; whoever held the pipe last is gone at its end.
    const writer = spawn('sh', ['-c', churn], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    try {
      for (let i = 0; i < 4; i++) await copyTree(tree, join(folder, `copy${i}`));
    } finally {
      process.kill(-writer.pid!, 'SIGKILL');
    }
    await once(writer, 'close');
    await updateTree(tree, join(folder, 'copy0'));
    expectSame(join(folder, 'copy0'), tree);
    expect(await digestTree(join(folder, 'copy0'))).toBe(await digestTree(tree));
  });
});

describe('updateTree', () => {
  // Most of a server's files were written long before they are copied: here, more than two seconds.
  const folders = Array.from({ length: 4 }, () => makeSandbox());
  const settled = () => {
    const folder = folders.pop()!;
    return { tree: join(folder, 'tree'), copy: join(folder, 'copy') };
  };
  beforeAll(async () => {
    for (const folder of folders) {
      const tree = makeTree(folder);
      writeFileSync(join(tree, 'rewritten'), 'before');
      writeFileSync(join(tree, 'becomes-folder'), 'file');
      mkdirSync(join(tree, 'becomes-file'));
      writeFileSync(join(tree, 'sly'), 'AAAA');
      utimesSync(join(tree, 'sly'), 1_500_000_000, 1_500_000_000);
    }
    await sleep(2200);
  });
  const made = [...folders];
  afterAll(() => made.forEach(removeSandbox));

  test('copies what changed, removes what is gone, leaves the rest alone', async () => {
    const { tree, copy } = settled();
    await copyTree(tree, copy);
    const untouched = ['empty', 'file', 'deep/er/program'].map((name) => inode(join(copy, name)));
    writeFileSync(join(tree, 'rewritten'), 'afters');
    rmSync(join(tree, 'becomes-folder'));
    mkdirSync(join(tree, 'becomes-folder'));
    writeFileSync(join(tree, 'becomes-folder', 'new'), 'x');
    rmSync(join(tree, 'becomes-file'), { recursive: true });
    writeFileSync(join(tree, 'becomes-file'), 'now a file');
    rmSync(join(tree, 'link'));
    symlinkSync('empty', join(tree, 'link'));
    rmSync(join(tree, 'deep', 'dangling'));
    chmodSync(join(tree, 'read-only'), 0o755);
    writeFileSync(join(tree, 'read-only', 'added'), 'y');
    chmodSync(join(tree, 'read-only'), 0o555);
    const { bytes } = await updateTree(tree, copy);
    expectSame(copy, tree);
    expect(await digestTree(copy)).toBe(await digestTree(tree));
    expect(['empty', 'file', 'deep/er/program'].map((name) => inode(join(copy, name)))).toEqual(untouched);
    expect(bytes).toBeLessThan(50);
  });

  test('sees a change that kept size and time, and one in the same moment as the first pass', async () => {
    const { tree, copy } = settled();
    writeFileSync(join(tree, 'hot'), 'AAAA');
    await copyTree(tree, copy);
    const hot = lstatSync(join(tree, 'hot'));
    writeFileSync(join(tree, 'hot'), 'BBBB');
    utimesSync(join(tree, 'hot'), hot.atime, hot.mtime);
    writeFileSync(join(tree, 'sly'), 'BBBB');
    utimesSync(join(tree, 'sly'), 1_500_000_000, 1_500_000_000);
    await updateTree(tree, copy);
    expect(readFileSync(join(copy, 'sly'), 'utf8')).toBe('BBBB');
    expect(readFileSync(join(copy, 'hot'), 'utf8')).toBe('BBBB');
  });

  test('names that were one file come apart again, and others become one', async () => {
    const { tree, copy } = settled();
    await copyTree(tree, copy);
    writeFileSync(join(tree, 'fresh'), 'content');
    renameSync(join(tree, 'fresh'), join(tree, 'file'));
    linkSync(join(tree, 'empty'), join(tree, 'empty-too'));
    await updateTree(tree, copy);
    expect(inode(join(copy, 'file'))).not.toBe(inode(join(copy, 'deep', 'second-name')));
    expect(inode(join(copy, 'empty'))).toBe(inode(join(copy, 'empty-too')));
    appendFileSync(join(copy, 'file'), '!');
    expect(readFileSync(join(copy, 'deep', 'second-name'), 'utf8')).toBe('content');
  });

  test('may be repeated, and then copies nothing', async () => {
    const { tree, copy } = settled();
    await copyTree(tree, copy);
    expect((await updateTree(tree, copy)).bytes).toBe(0);
    expectSame(copy, tree);
  });
});

describe('removeTree', () => {
  test('removes read-only folders, follows no link, and is content with nothing', async () => {
    const folder = sandbox();
    const tree = makeTree(folder);
    mkdirSync(join(folder, 'outside'));
    writeFileSync(join(folder, 'outside', 'kept'), 'x');
    symlinkSync(join(folder, 'outside'), join(tree, 'way-out'));
    mkdirSync(join(tree, 'closed', 'in'), { recursive: true });
    chmodSync(join(tree, 'closed', 'in'), 0o000);
    chmodSync(join(tree, 'closed'), 0o000);
    expect(await removeTree(tree)).toEqual({ left: [] });
    expect(existsSync(tree)).toBe(false);
    expect(readdirSync(join(folder, 'outside'))).toEqual(['kept']);
    expect(await removeTree(tree)).toEqual({ left: [] });
  });

  test('takes a link at its top for what it is', async () => {
    const folder = sandbox();
    const tree = makeTree(folder);
    symlinkSync(tree, join(folder, 'link'));
    await removeTree(join(folder, 'link'));
    expect(existsSync(join(folder, 'link'))).toBe(false);
    expect(existsSync(join(tree, 'file'))).toBe(true);
  });

  test('leaves alone what is mounted inside: another disk, and a folder of the same one', async ({ skip }) => {
    const folder = sandbox();
    const tree = makeTree(folder);
    mkdirSync(join(folder, 'elsewhere'));
    writeFileSync(join(folder, 'elsewhere', 'kept'), 'x');
    for (const name of ['disk', 'bind mount']) mkdirSync(join(tree, 'deep', name));
    mountTmpfs(skip, join(tree, 'deep', 'disk'), 'size=1m');
    writeFileSync(join(tree, 'deep', 'disk', 'kept'), 'x');
    mountBind(skip, join(folder, 'elsewhere'), join(tree, 'deep', 'bind mount'));
    const { left } = await removeTree(tree);
    expect(left.map(({ path, kind }) => `${kind} ${path}`).sort()).toEqual([
      `mount ${join(tree, 'deep', 'bind mount')}`,
      `mount ${join(tree, 'deep', 'disk')}`,
    ]);
    expect(readFileSync(join(folder, 'elsewhere', 'kept'), 'utf8')).toBe('x');
    expect(readFileSync(join(tree, 'deep', 'disk', 'kept'), 'utf8')).toBe('x');
    expect(readdirSync(tree)).toEqual(['deep']);
    expect((await removeTree(join(tree, 'deep', 'disk'))).left).toHaveLength(1);
    expect(readFileSync(join(tree, 'deep', 'disk', 'kept'), 'utf8')).toBe('x');
  });

  test('a copy does not enter what is mounted inside, but has a place for it', async ({ skip }) => {
    const folder = sandbox();
    const tree = makeTree(folder);
    mkdirSync(join(tree, 'disk'));
    mountTmpfs(skip, join(tree, 'disk'), 'size=1m');
    writeFileSync(join(tree, 'disk', 'big'), 'x');
    const { left } = await copyTree(tree, join(folder, 'copy'));
    expect(left).toEqual([{ path: join(tree, 'disk'), kind: 'mount' }]);
    expect(readdirSync(join(folder, 'copy', 'disk'))).toEqual([]);
    expect((await updateTree(tree, join(folder, 'copy'))).left).toEqual(left);
    expect((await measureTree(tree)).left).toEqual(left);
    await expect(digestTree(tree)).rejects.toThrow(/is a mount/);
  });
});

describe('digestTree and measureTree', () => {
  test('the digest changes with every single thing, and with nothing else', async () => {
    const folder = sandbox();
    const tree = makeTree(folder);
    const seen = new Set([await digestTree(tree)]);
    const changes: (() => void)[] = [
      () => writeFileSync(join(tree, 'file'), 'Content'),
      () => chmodSync(join(tree, 'file'), 0o600),
      () => renameSync(join(tree, 'empty'), join(tree, 'empty2')),
      () => mkdirSync(join(tree, 'new-folder')),
      () => {
        rmSync(join(tree, 'link'));
        symlinkSync('empty2', join(tree, 'link'));
      },
      () => appendFileSync(join(tree, 'deep', 'er', 'program'), '\n'),
    ];
    for (const change of changes) {
      change();
      const digest = await digestTree(tree);
      expect(digest).toMatch(/^[0-9a-f]{64}$/);
      expect(seen.has(digest), String(change)).toBe(false);
      seen.add(digest);
    }
    const before = await digestTree(tree);
    utimesSync(join(tree, 'file'), 1, 1);
    chmodSync(tree, 0o700);
    expect(await digestTree(tree)).toBe(before);
    writeFileSync(join(tree, 'seal.json'), before);
    expect(await digestTree(tree)).not.toBe(before);
    expect(await digestTree(tree, { except: ['seal.json'] })).toBe(before);
  });

  test('of what a copy would have, a pipe that a server left is no part', async () => {
    const tree = makeTree(sandbox());
    const whole = await digestTree(tree);
    expect((await digestCopied(tree)).digest).toBe(whole);
    execFileSync('mkfifo', [join(tree, 'deep', 'pipe')]);
    await expect(digestTree(tree)).rejects.toThrow(/is a pipe/);
    expect((await digestCopied(tree)).digest).toBe(whole);
  });

  test('hashes files beyond one read as sha256sum does', async () => {
    const folder = sandbox();
    mkdirSync(join(folder, 'tree'));
    writeFileSync(join(folder, 'tree', 'big'), Buffer.alloc(3_500_001, 'abc'));
    chmodSync(join(folder, 'tree', 'big'), 0o644);
    const sum = execFileSync('sha256sum', [join(folder, 'tree', 'big')], { encoding: 'utf8' }).slice(0, 64);
    const record = `big\0file\0${'644'}\0${process.getuid?.()}:${process.getgid?.()}\0${3_500_001}\0${sum}\0`;
    const expected = execFileSync('sha256sum', { input: record, encoding: 'utf8' }).slice(0, 64);
    expect(await digestTree(join(folder, 'tree'))).toBe(expected);
  });

  test('measures what du measures', async () => {
    const folder = sandbox();
    const tree = makeTree(folder);
    writeFileSync(join(tree, 'big'), Buffer.alloc(1_000_000, 1));
    execFileSync('sync', ['-f', tree]);
    const disk = Number(execFileSync('du', ['-s', '-B1', tree], { encoding: 'utf8' }).split('\t')[0]);
    const inodes = Number(execFileSync('du', ['-s', '--inodes', tree], { encoding: 'utf8' }).split('\t')[0]);
    const stamps = execFileSync('find', [tree, '-printf', '%C@\n'], { encoding: 'utf8' }).trim().split('\n');
    // Seconds with ten digits behind the point, of which a float would lose some.
    const changedMs = Math.max(...stamps.map((stamp) => Number(stamp.replace('.', '').slice(0, -7))));
    expect(await measureTree(tree)).toEqual({ bytes: disk, files: inodes, left: [], changedMs });
  });
});

describe.skipIf(!isRoot)('as root, work in a folder of another user (needs root)', () => {
  const userTree = (folder: string): string => {
    const tree = makeTree(folder);
    execFileSync('chown', ['-hR', '65534:65534', tree]);
    return tree;
  };

  test('is done as that user, even where nobody said so', async () => {
    const folder = sandbox();
    const tree = userTree(folder);
    const copy = join(folder, 'copy');
    await copyTree(tree, copy);
    expectSame(copy, tree);
    expect(statSync(join(copy, 'file')).uid).toBe(65534);
    writeFileSync(join(tree, 'file'), 'changed');
    await updateTree(tree, copy, { as: nobody });
    expect(readFileSync(join(copy, 'file'), 'utf8')).toBe('changed');
    await removeTree(copy, { as: nobody });
    expect(existsSync(copy)).toBe(false);
  });

  test("can't be led to what only root may read or remove", async () => {
    const folder = sandbox();
    const tree = userTree(folder);
    writeFileSync(join(folder, 'secret'), 'of root', { mode: 0o600 });
    linkSync(join(folder, 'secret'), join(tree, 'deep', 'trap'));
    await expect(copyTree(tree, join(folder, 'copy'))).rejects.toMatchObject({ code: 'EACCES' });
    rmSync(join(tree, 'deep', 'trap'));
    mkdirSync(join(tree, 'roots'), { mode: 0o755 });
    writeFileSync(join(tree, 'roots', 'kept'), 'x');
    await expect(removeTree(tree)).rejects.toMatchObject({ code: 'EACCES' });
    expect(readFileSync(join(tree, 'roots', 'kept'), 'utf8')).toBe('x');
  });

  test('the user need not be able to read our program', async () => {
    const folder = sandbox();
    const tree = userTree(folder);
    const program = join(folder, 'program');
    mkdirSync(program);
    cpSync(fileURLToPath(new URL('../../src', import.meta.url)), join(program, 'src'), { recursive: true });
    chmodSync(program, 0o700);
    const code = `const { copyTree, removeTree } = await import(${JSON.stringify(join(program, 'src', 'system', 'tree.ts'))});
      await copyTree(${JSON.stringify(tree)}, ${JSON.stringify(join(folder, 'copy'))});
      await removeTree(${JSON.stringify(tree)});`;
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(statSync(join(folder, 'copy', 'file')).uid).toBe(65534);
    expect(existsSync(tree)).toBe(false);
  });

  test('a copy of our own tree keeps each owner', async () => {
    const folder = sandbox();
    const tree = makeTree(folder);
    chownSync(join(tree, 'file'), 65534, 0);
    chownSync(join(tree, 'deep'), 0, 65534);
    chmodSync(join(tree, 'deep'), 0o2775);
    await copyTree(tree, join(folder, 'copy'));
    expectSame(join(folder, 'copy'), tree);
  });
});

test('the child ends when we are killed', async () => {
  const folder = sandbox();
  mkdirSync(join(folder, 'tree'));
  for (let i = 0; i < 60; i++) writeFileSync(join(folder, 'tree', `f${i}`), Buffer.alloc(5_000_000, i));
  const module = new URL('../../src/system/tree.ts', import.meta.url).href;
  const code = `const { copyTree } = await import(${JSON.stringify(module)}); await copyTree(${JSON.stringify(join(folder, 'tree'))}, ${JSON.stringify(join(folder, 'copy'))}, { onProgress: () => console.log('going') });`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => parent.stdout.once('data', resolve));
  const children = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  const child = identify(children[0]!)!;
  expect(isAlive(child)).toBe(true);
  parent.kill('SIGKILL');
  expect(await waitGone(child, 60_000)).toBe(true);
});

test('a child that somebody else has ended is told as that, and not as a bug', async () => {
  const folder = sandbox();
  mkdirSync(join(folder, 'tree'));
  for (let i = 0; i < 60; i++) writeFileSync(join(folder, 'tree', `f${i}`), Buffer.alloc(5_000_000, i));
  const children = () => readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  const copier = (): number | undefined =>
    children()
      .split(' ')
      .filter((pid) => pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('tree-child'))
      .map(Number)[0];
  const copied = copyTree(join(folder, 'tree'), join(folder, 'copy'), {
    onProgress: () => {
      const pid = copier();
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
  });
  await expect(copied).rejects.toMatchObject({ code: 'refused-check', message: expect.stringContaining('SIGKILL') });
});

test('a child whose parent went while it wrote out the disk makes nothing any more', () => {
  const folder = sandbox();
  const [tree, copy] = [join(folder, 'tree'), join(folder, 'copy')];
  mkdirSync(tree);
  const child = fileURLToPath(new URL('../../src/system/tree-child.ts', import.meta.url));
  // We are its parent, and not the one that has asked.
  const order = { request: { job: 'copy', from: tree, to: copy }, parent: 1 };
  const { status, stdout } = spawnSync(process.execPath, [child], { input: JSON.stringify(order), encoding: 'utf8' });
  expect([status, stdout]).toEqual([1, '']);
  expect(existsSync(copy)).toBe(false);
});
