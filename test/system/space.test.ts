import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listMounts, mountPointOf } from '../../src/system/mounts.ts';
import { freeSpace } from '../../src/system/space.ts';
import { mountTmpfs } from '../support/mounts.ts';
import { sandbox } from '../support/sandbox.ts';
import { eventually } from '../support/service.ts';

const df = (path: string, column: string) =>
  execFileSync('df', ['--output=' + column, '-B1', path], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .at(-1)
    ?.trim();

test('agrees with df, also for a folder that is yet to be made', async () => {
  const folder = sandbox();
  // Others write and remove at the same time.
  await eventually(() => {
    const space = freeSpace(join(folder, 'not', 'yet', 'there'));
    expect(space.mount).toBe(df(folder, 'target'));
    expect(space.device).toBe(statSync(folder).dev);
    expect(Math.abs(space.bytes - Number(df(folder, 'avail')))).toBeLessThan(300_000_000);
    const inodes = Number(df(folder, 'iavail'));
    if (space.inodes !== null) expect(Math.abs(space.inodes - inodes)).toBeLessThan(50_000);
  }, 30_000);
});

test('tells filesystems apart, with their own bytes and inodes, and names with spaces', ({ skip }) => {
  const folder = sandbox();
  const disk = join(folder, 'a disk\\ä');
  mkdirSync(disk);
  mountTmpfs(skip, disk, 'size=1m,nr_inodes=50');
  const space = freeSpace(join(disk, 'below'));
  expect(space).toMatchObject({ mount: disk, bytes: 1024 * 1024, inodes: 49 });
  expect(space.device).not.toBe(freeSpace(folder).device);
  symlinkSync(disk, join(folder, 'link'));
  expect(freeSpace(join(folder, 'link', 'below'))).toEqual(space);
});

test('a filesystem without a limit on files has no number of them', ({ skip }) => {
  const disk = join(sandbox(), 'disk');
  mkdirSync(disk);
  mountTmpfs(skip, disk, 'size=1m,nr_inodes=0');
  expect(freeSpace(disk).inodes).toBeNull();
});

test('the longest mount point above a path is its own', () => {
  const mounts = ['/', '/srv', '/srv/data', '/srv/dat'].map((point) => ({ point, type: 'ext4', flags: ['rw'] }));
  const found = ['/srv/data/x', '/srv/data', '/srv/database', '/srv/dat', '/home', '/'].map((path) =>
    mountPointOf(path, mounts),
  );
  expect(found).toEqual(['/srv/data', '/srv/data', '/srv', '/srv/dat', '/', '/']);
  expect(listMounts().map((mount) => mount.point)).toContain('/proc');
});
