import { expect, test } from 'vitest';
import { refuseForeignPlatform } from '../../src/cli/platform.ts';

const here = { platform: 'linux', arch: 'x64', libc: 'glibc' } as const;

test.each([
  ['macOS', { ...here, platform: 'darwin', arch: 'arm64' }, 'darwin on arm64'],
  ['Windows', { ...here, platform: 'win32' }, 'win32 on x64'],
  ['an unknown processor', { ...here, arch: 'riscv64' }, 'linux on riscv64'],
  ['musl', { ...here, libc: 'other' as const }, 'Linux without glibc'],
])('one clear sentence on %s', (_, world, named) => {
  expect(() => refuseForeignPlatform(world, true)).toThrow(
    expect.objectContaining({ code: 'refused-platform', exit: 3, message: expect.stringContaining(named) }),
  );
});

test('Linux with glibc is fine, and reading asks for no C library', () => {
  refuseForeignPlatform(here, true);
  refuseForeignPlatform({ ...here, arch: 'arm64' }, true);
  refuseForeignPlatform({ ...here, libc: 'other' }, false);
});
