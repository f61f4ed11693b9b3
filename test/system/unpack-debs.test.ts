/** Debian packages in a private prefix: what an archive may do to the disk, read by the real dpkg-deb. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unpackDebs } from '../../src/system/unpack-debs.ts';
import { debOf, sha256Integrity } from '../source/debs.ts';
import type { TarEntry } from '../source/registry.ts';
import { sandbox } from '../support/sandbox.ts';

const unpack = (packages: readonly (readonly TarEntry[])[], maxBytes = 1_000_000) => {
  const folder = sandbox();
  const archives = packages.map((entries, at) => {
    const bytes = debOf(`thing${at}`, entries);
    const path = join(folder, `${at}.deb`);
    writeFileSync(path, bytes);
    return { path, integrity: sha256Integrity(bytes), label: `thing${at} 1.0` };
  });
  const target = join(folder, 'prefix');
  return { folder, target, archives, go: () => unpackDebs({ archives, folder: target, maxBytes }) };
};

test('files, folders and links, with plain modes: no setuid, no setgid, no sticky bit', () => {
  const { target, go } = unpack([
    [
      { path: './', type: '5', mode: 0o755 },
      { path: './usr/bin/', type: '5', mode: 0o3777 },
      { path: './usr/bin/su', text: 'program', mode: 0o4755 },
      { path: './usr/share/doc/text', text: 'words', mode: 0o2664 },
      { path: './var/lib/empty/', type: '5', mode: 0o700 },
      { path: './usr/bin/same', type: '1', link: './usr/bin/su' },
    ],
    [{ path: './usr/bin/other', text: 'more', mode: 0o755 }],
  ]);
  expect(go()).toEqual({ files: 6, bytes: 23 });
  const mode = (path: string) => (statSync(join(target, path)).mode & 0o7777).toString(8);
  expect(['usr/bin', 'usr/bin/su', 'usr/share/doc/text', 'var/lib/empty'].map(mode)).toEqual([
    '755',
    '755',
    '644',
    '755',
  ]);
  expect(readFileSync(join(target, 'usr/bin/same'), 'utf8')).toBe('program');
  expect(lstatSync(join(target, 'usr/bin/same')).nlink).toBe(1);
});

test('links stay inside: absolute ones become relative, with every .. in front', () => {
  const { target, go } = unpack([
    [
      { path: './usr/lib/a.so', type: '2', link: 'a.so.1' },
      { path: './usr/lib/x/b', type: '2', link: '/etc/b' },
      { path: './usr/lib/x/c', type: '2', link: 'y/../../z' },
      { path: './usr/lib/root', type: '2', link: '/' },
      { path: './usr/lib/here', type: '2', link: '.' },
    ],
  ]);
  go();
  const to = (path: string) => readlinkSync(join(target, 'usr/lib', path));
  expect(['a.so', 'x/b', 'x/c', 'root', 'here'].map(to)).toEqual(['a.so.1', '../../../etc/b', '../z', '../..', '.']);
});

test.each<[string, TarEntry[][], RegExp]>([
  ['a path upwards', [[{ path: './../x', text: '' }]], /"\.\/\.\.\/x", which leads out of the package/],
  ['an absolute path', [[{ path: '/etc/x', text: '' }]], /leads out of the package/],
  [
    'a link upwards',
    [[{ path: './usr/x', type: '2', link: '../../x' }]],
    /the link usr\/x leads out of the package, to \.\.\/\.\.\/x/,
  ],
  ['a device', [[{ path: './dev/sda', type: '3' }]], /dev\/sda is no file, folder or link/],
  [
    'a file behind a link of its own',
    [
      [
        { path: './etc', type: '2', link: 'usr' },
        { path: './etc/passwd', text: '' },
      ],
    ],
    /etc is a folder here and something else there/,
  ],
  [
    'a file behind a link of another',
    [[{ path: './lib', type: '2', link: 'usr/lib' }], [{ path: './lib/x', text: '' }]],
    /thing1 1\.0: lib is a folder here/,
  ],
  [
    'one file of two packages',
    [[{ path: './etc/x', text: 'a' }], [{ path: './etc/x', text: 'b' }]],
    /thing1 1\.0: etc\/x is there already, from another package/,
  ],
  ['a second name of nothing', [[{ path: './x', type: '1', link: './y' }]], /x is a second name for something/],
])('refused: %s', (_, packages, says) => {
  expect(unpack(packages).go).toThrow(says);
});

test('an archive that is another by now, one that is none, and one that is too large', () => {
  const changed = unpack([[{ path: './a', text: 'a' }], [{ path: './b', text: 'b' }]]);
  writeFileSync(changed.archives[1]?.path ?? '', 'something else');
  expect(changed.go()).toMatchObject({ mismatch: 'thing1 1.0' });
  const none = Buffer.from('no package');
  const broken = unpack([]);
  mkdirSync(join(broken.folder, 'in'));
  const path = join(broken.folder, 'in/none.deb');
  writeFileSync(path, none);
  const archives = [{ path, integrity: sha256Integrity(none), label: 'none 1.0' }];
  expect(() => unpackDebs({ archives, folder: broken.target, maxBytes: 1000 })).toThrow(
    /none 1\.0: dpkg-deb can't read it/,
  );
  expect(unpack([[{ path: './large', text: 'x'.repeat(100_000) }]], 50_000).go).toThrow(
    /unpacks to more than 50000 bytes/,
  );
  expect(readdirSync(broken.target)).toEqual([]);
});
