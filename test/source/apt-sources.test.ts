/** The host's sources of apt: both ways to write them, and which mirror a suite is asked of. */
import { expect, test } from 'vitest';
import { parseAptSources, publicSource, sourcesFor, sourcesText } from '../../src/source/apt-sources.ts';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const deb822 = `# the machine's own
Types: deb deb-src
URIs: http://mirror.example/debian
# a comment in the middle
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: ${keyring}

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: sid
Components: main

Types: deb-src
URIs: http://source.example/debian
Suites: trixie
Components: main

Types: deb
URIs: https://vendor.example/apt
Suites: nodistro
Components: main
Trusted: yes
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----
`;
const lines = `deb http://mirror.example/debian bookworm main contrib # on
# deb http://off.example/debian sid main
deb-src http://source.example/debian trixie main
deb [arch=amd64 signed-by=/a.gpg,/b.gpg trusted=yes] https://vendor.example/apt nodistro main
deb http://flat.example/ ./
`;

test('deb822 files: enabled binary entries, one for each suite, a key kept as it is written', () => {
  const found = parseAptSources(deb822, 'debian.sources');
  expect(found.map(({ suite }) => suite)).toEqual(['bookworm', 'bookworm-updates', 'nodistro']);
  expect(found[0]).toEqual({
    suite: 'bookworm',
    uris: ['http://mirror.example/debian'],
    components: ['main', 'contrib'],
    signedBy: keyring,
  });
  expect(sourcesText(found.slice(2))).toContain('Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n');
  expect(sourcesText(found)).not.toMatch(/trusted/i);
});

test('files of lines: what is switched off, sources and flat repositories stay out, and so does trust without a signature', () => {
  const found = parseAptSources(lines, 'sources.list');
  expect(found).toEqual([
    { suite: 'bookworm', uris: ['http://mirror.example/debian'], components: ['main', 'contrib'] },
    { suite: 'nodistro', uris: ['https://vendor.example/apt'], components: ['main'], signedBy: '/a.gpg /b.gpg' },
  ]);
  expect(parseAptSources(sourcesText(found), 'x.sources')).toEqual(found);
});

test('a suite is taken from who has it; backports and other releases of Debian from the same mirror', () => {
  const host = parseAptSources(deb822, 'debian.sources');
  const { sources, missing } = sourcesFor(['bookworm', 'bookworm-backports', 'trixie'], host);
  expect(missing).toEqual([]);
  expect(sources.map(({ suite, uris }) => `${suite} ${uris}`)).toEqual([
    'bookworm http://mirror.example/debian',
    'bookworm-backports http://mirror.example/debian',
    'trixie http://mirror.example/debian',
  ]);
  expect(sources[1]?.signedBy).toBe(keyring);
});

test('security updates lie elsewhere, and nobody guesses where on a mirror; nor the mirror of an unknown suite', () => {
  const host = parseAptSources(deb822, 'debian.sources');
  expect(sourcesFor(['bookworm-security', 'jammy'], host)).toEqual({
    sources: [],
    missing: ['bookworm-security', 'jammy'],
  });
  expect(sourcesFor(['bookworm-backports'], parseAptSources(lines.split('\n')[3] ?? '', 'a.list')).missing).toEqual([
    'bookworm-backports',
  ]);
});

test("what no mirror of the host's has is Debian's public archive's, with Debian's keyring; of others nothing is known", () => {
  const debian = { suite: 'bookworm-backports', uris: ['http://deb.debian.org/debian'], components: ['main'] };
  expect(publicSource('bookworm-backports')).toEqual({ ...debian, signedBy: keyring });
  const security = { suite: 'bookworm-security', uris: ['http://security.debian.org/debian-security'] };
  expect(publicSource('bookworm-security')).toEqual({ ...debian, ...security, signedBy: keyring });
  for (const suite of ['jammy', 'noble-security', 'security', 'bookworm-pgdg'])
    expect(publicSource(suite)).toBeUndefined();
});

test("a vendor's stable is no mirror of Debian; one that says Debian is", () => {
  const host = (uri: string) => parseAptSources(`deb ${uri} stable main\n`, 'a.list');
  expect(sourcesFor(['bookworm'], host('https://vendor.example/linux/browser/deb')).missing).toEqual(['bookworm']);
  expect(sourcesFor(['bookworm'], host('http://mirror.example/debian')).missing).toEqual([]);
});
