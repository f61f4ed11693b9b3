/** Laying out: what an archive may do to the disk, and what npm itself would have made of the same lockfile. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { keepArtifact } from '../../src/source/artifact.ts';
import { fetchNpm, layOutNpm, unpackArtifact } from '../../src/source/npm.ts';
import { parseNpmLock } from '../../src/source/npm-lock.ts';
import { withReleaseWorkers } from '../../src/system/release-workers.ts';
import { realWorld } from '../../src/system/world.ts';
import { sandbox } from '../support/sandbox.ts';
import { archive, integrityOf, packageArchive } from './registry.ts';

const artifactOf = (folder: string, bytes: Buffer) => {
  const file = join(folder, 'incoming');
  writeFileSync(file, bytes);
  return keepArtifact(join(folder, 'cache'), file, integrityOf(bytes), bytes.length);
};

const unpackBytes = async (bytes: Buffer, programs: string[] = [], only: string[] = []): Promise<string> => {
  const folder = sandbox();
  const artifact = artifactOf(folder, bytes);
  const target = join(folder, 'out');
  await withReleaseWorkers(1, (workers) =>
    unpackArtifact(artifact, target, { workers, label: 'thing 1.0.0', programs, only }),
  );
  return target;
};

const listing = (folder: string): Record<string, string> =>
  Object.fromEntries(
    (readdirSync(folder, { recursive: true }) as string[])
      .sort()
      .filter((name) => !lstatSync(join(folder, name)).isDirectory() && !name.endsWith('.package-lock.json'))
      .map((name) => {
        const path = join(folder, name);
        const stat = lstatSync(path);
        if (stat.isSymbolicLink()) return [name, `-> ${readlinkSync(path)}`];
        return [name, `${stat.size} ${(stat.mode & 0o111) === 0 ? 'file' : 'program'}`];
      }),
  );

test('the first folder is dropped whatever its name; modes become plain ones; links and devices stay out', async () => {
  const out = await unpackBytes(
    archive([
      { path: 'odd-name/package.json', text: '{}' },
      { path: 'odd-name/bin/run.js', text: 'run' },
      { path: 'odd-name/tool', text: 'tool', mode: 0o4755 },
      { path: 'odd-name/wide', text: 'wide', mode: 0o666 },
      { path: 'odd-name/empty', type: '5' },
      { path: 'odd-name/link', type: '2', link: '/etc/passwd' },
      { path: 'odd-name/hard', type: '1', link: '/etc/passwd' },
      { path: 'odd-name/device', type: '3' },
    ]),
    ['bin/run.js'],
  );
  expect(listing(out)).toEqual({
    'bin/run.js': '3 program',
    'package.json': '2 file',
    tool: '4 program',
    wide: '4 file',
  });
  expect(statSync(join(out, 'tool')).mode & 0o7777).toBe(0o755);
  expect(statSync(join(out, 'wide')).mode & 0o7777).toBe(0o644);
});

test('a path that comes twice has the last contents', async () => {
  const out = await unpackBytes(
    archive([
      { path: 'package/./dist/index.js', text: 'first' },
      { path: 'package/dist//index.js', text: 'the second' },
    ]),
  );
  expect(readFileSync(join(out, 'dist/index.js'), 'utf8')).toBe('the second');
});

test('a file cannot be reached through a link that came before it', async () => {
  const outside = sandbox();
  const out = await unpackBytes(
    archive([
      { path: 'package/away', type: '2', link: outside },
      { path: 'package/away/file', text: 'x' },
    ]),
  );
  expect(readdirSync(outside)).toEqual([]);
  expect(readFileSync(join(out, 'away/file'), 'utf8')).toBe('x');
});

test('long names and names beyond ASCII', async () => {
  const deep = `${'folder-with-a-rather-long-name/'.repeat(8)}ünïcode.js`;
  const out = await unpackBytes(archive([{ path: `package/${deep}`.slice(0, 99), text: 'x' }]));
  expect(Object.keys(listing(out)).length).toBe(1);
});

test('only what is asked for', async () => {
  const bytes = packageArchive('thing', { 'bin/node': 'n', 'include/a.h': 'h', 'share/doc': 'd' });
  expect(Object.keys(listing(await unpackBytes(bytes, [], ['bin/node', 'include/'])))).toEqual([
    'bin/node',
    'include/a.h',
  ]);
});

test.each([
  ['a path above', archive([{ path: 'package/../../evil', text: 'x' }])],
  ['an absolute path', archive([{ path: '/etc/evil', text: 'x' }])],
  ['a path that is only the folder', archive([{ path: 'package', text: 'x' }])],
  [
    'a file below a file',
    archive([
      { path: 'package/a', text: 'x' },
      { path: 'package/a/b', text: 'x' },
    ]),
  ],
  ['no files', archive([{ path: 'package/', type: '5' }])],
  ['no tar', gzipSync('not a tar at all, but long enough to look at'.repeat(50))],
  ['no gzip', Buffer.from('plain text')],
  ['half an archive', packageArchive('thing', { 'a.js': 'x'.repeat(100_000) }).subarray(0, 200)],
])('%s is refused by name', async (_, bytes) => {
  await expect(unpackBytes(bytes)).rejects.toMatchObject({
    code: 'verification-failed',
    message: expect.stringContaining('thing 1.0.0'),
  });
});

test('an archive that unpacks to more than it may is refused, however small it is', async () => {
  const bytes = packageArchive('thing', { zeros: '\0'.repeat(20_000_000) });
  expect(bytes.length).toBeLessThan(100_000);
  const folder = sandbox();
  const artifact = artifactOf(folder, bytes);
  const out = join(folder, 'out');
  const work = withReleaseWorkers(1, (workers) =>
    unpackArtifact(artifact, out, { workers, label: 'thing 1.0.0', maxBytes: 10_000_000 }),
  );
  await expect(work).rejects.toMatchObject({ code: 'verification-failed' });
  expect(existsSync(out)).toBe(false);
});

test('an archive that changed on disk since it was checked is deleted and refused', async () => {
  const folder = sandbox();
  const bytes = packageArchive('thing');
  const artifact = artifactOf(folder, bytes);
  const changed = Buffer.from(bytes);
  changed[20] = changed[20]! ^ 1;
  writeFileSync(artifact.path, changed);
  const out = join(folder, 'out');
  const work = withReleaseWorkers(1, (workers) => unpackArtifact(artifact, out, { workers, label: 'thing 1.0.0' }));
  await expect(work).rejects.toMatchObject({
    code: 'verification-failed',
    message: expect.stringContaining('changed on disk'),
  });
  expect([existsSync(artifact.path), existsSync(out)]).toEqual([false, false]);
});

/** A command, a scope, a nested second version, a platform's optional package: the catalogue's smallest lockfile has it all. */
test('the tree is the one that npm ci makes, file by file', { timeout: 120_000 }, async () => {
  const folder = sandbox();
  const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')];
  mkdirSync(theirs);
  const source = 'products/haraka/locks/3.3.4';
  for (const name of ['package.json', 'package-lock.json'])
    writeFileSync(join(theirs, name), readFileSync(join(source, name)));
  const npm = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--cache', join(folder, 'npm-cache')],
    { cwd: theirs, encoding: 'utf8' },
  );
  expect(npm.status, npm.stderr).toBe(0);
  const world = realWorld();
  const lock = parseNpmLock(readFileSync(join(source, 'package-lock.json'), 'utf8'), source, world);
  mkdirSync(join(folder, 'staging'));
  const artifacts = await fetchNpm(lock, { world, cache: join(folder, 'cache'), staging: join(folder, 'staging') });
  const laid = await withReleaseWorkers(2, (workers) => layOutNpm(lock, artifacts, ours, { workers }));
  const expected = listing(join(theirs, 'node_modules'));
  const found = listing(join(ours, 'node_modules'));
  // npm renames a package's .gitignore, which nothing reads.
  for (const list of [expected, found])
    for (const name of Object.keys(list)) if (/\.(git|npm)ignore$/.test(name)) delete list[name];
  expect(found).toEqual(expected);
  expect(Object.values(found).filter((what) => what.startsWith('->')).length).toBeGreaterThan(0);
  expect(laid.files).toBeGreaterThan(1000);
});
