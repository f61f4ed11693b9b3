/**
 * A copy of a catalogue's product whose health does not have to stay good for seconds, and which is not rehearsed: for tests that start it a
 * hundred times. Everything else is the product as it is.
 */

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { repository } from './seed.ts';

/** Path of the copy's manifest in `folder`; `change` may alter the manifest further. */
export const quickProduct = (
  folder: string,
  name: string,
  change: (manifest: Record<string, unknown>) => void = () => undefined,
): string => {
  const target = join(folder, name);
  cpSync(join(repository, 'products', name), target, { recursive: true });
  const file = join(target, 'manifest.yaml');
  editManifest(file, (manifest) => {
    const { defaults, releases } = manifest as unknown as Manifest;
    for (const part of [defaults, ...releases]) {
      if (part?.health) part.health.stableSeconds = 0;
      delete part?.rehearsal;
    }
    change(manifest);
  });
  return file;
};

/**
 * MailDev whose next start a file in the instance's folder makes fail: SICK-VERSION, where SICK is a setting. And 3.0.0 has data of another format, so that a
 * rollback takes the data of then unless it is told otherwise.
 */
export const fallibleMailDev = (folder: string): string =>
  quickProduct(folder, 'maildev', (manifest) => {
    const { settings, releases } = manifest as { settings: object; releases: { version: string; service: object }[] };
    Object.assign(settings, { sick: { type: 'text', title: 'Sick', default: 'sick', pattern: '[a-z]+', ask: false } });
    for (const release of releases) {
      Object.assign(release.service, { prepare: [['/usr/bin/test', '!', '-e', '{{data}}/../{{sick}}-{{version}}']] });
      if (release.version === '3.0.0') Object.assign(release, { data: { format: 2 } });
    }
  });

/** A copy of Haraka whose new release does not write connection.ini, and so ends at its first connection. */
export const withoutMigration = (folder: string): string => {
  cpSync(join(repository, 'products/haraka'), join(folder, 'haraka'), { recursive: true });
  const manifest = join(folder, 'haraka/manifest.yaml');
  const text = readFileSync(manifest, 'utf8');
  const without = text.replace('      - { template: templates/3.3/connection.ini, file: config/connection.ini }\n', '');
  if (without === text) throw new Error('the manifest has no such migration');
  writeFileSync(manifest, without);
  return manifest;
};
/**
 * MailDev whose 3.0.0 is on trial for so many minutes after an upgrade. It is unwell while a file `sick` lies in the instance's folder, and does not start
 * while one called `dead` does. Its data are of another format, so going back takes those of then.
 */
export const mailDevOnTrial = (folder: string, minutes: number): string =>
  quickProduct(folder, 'maildev', (manifest) => {
    const release = (manifest as unknown as { releases: TrialRelease[] }).releases.find(
      (one) => one.version === '3.0.0',
    );
    if (release === undefined) throw new Error('there is no 3.0.0');
    const lacks = (file: string): string[] => ['/usr/bin/test', '!', '-e', `{{data}}/../${file}`];
    Object.assign(release, { probation: minutes, data: { format: 2 } });
    Object.assign(release.service, { prepare: [lacks('dead')] });
    release.health.checks.push({ kind: 'command', command: lacks('sick') });
  });

interface TrialRelease {
  readonly version: string;
  readonly service: object;
  readonly health: { readonly checks: object[] };
}

/** Alters a manifest where it lies. */
export const editManifest = (file: string, change: (manifest: Record<string, unknown>) => void): void => {
  const manifest = parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(manifest);
  writeFileSync(file, JSON.stringify(manifest, null, 1));
};

interface Manifest {
  readonly defaults?: Part;
  readonly releases: Part[];
}

interface Part {
  readonly health?: { stableSeconds?: number };
  rehearsal?: object;
}
