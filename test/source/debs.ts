/** Debian packages for tests, made byte by byte, however wicked; and an apt that believes in other mirrors than the machine's. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { realWorld, type World } from '../../src/system/world.ts';
import { archive, type TarEntry } from './registry.ts';

/** A .deb of exactly these entries. */
export const debOf = (name: string, entries: readonly TarEntry[]): Buffer => {
  const control = `Package: ${name}\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: test\n`;
  return Buffer.concat([
    Buffer.from('!<arch>\n'),
    member('debian-binary', Buffer.from('2.0\n')),
    member('control.tar', gunzipSync(archive([{ path: './control', text: control }]))),
    member('data.tar', gunzipSync(archive(entries))),
  ]);
};

const member = (name: string, data: Buffer): Buffer => {
  const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(data.length).padEnd(10)}\`\n`;
  return Buffer.concat([Buffer.from(header), data, Buffer.alloc(data.length % 2, '\n')]);
};

export const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
export const sha256Integrity = (bytes: Buffer): string =>
  `sha256-${createHash('sha256').update(bytes).digest('base64')}`;

/** The world of a machine whose apt has these sources and no others, and `more` lines of configuration. */
export const worldWithSources = (folder: string, sources: string, more = ''): World => {
  mkdirSync(join(folder, 'host.d'), { recursive: true });
  writeFileSync(join(folder, 'host.d/test.list'), sources);
  const file = join(folder, 'host.conf');
  const settings = { sourcelist: '/dev/null', sourceparts: `${folder}/host.d/` };
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([name, path]) => `Dir::Etc::${name} "${path}";\n`)
      .join('') + more,
  );
  const world = realWorld();
  return { ...world, env: { ...world.env, APT_CONFIG: file } };
};
