/**
 * Haraka, installed, upgraded and rolled back for real. The new release ends at its first connection unless the configuration is migrated, so
 * this is where the health gate, the undo and the three-way merge of edited files have to prove themselves.
 */

import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sendMail, smtpBanner, subjectsBelow } from '../support/mail.ts';
import { withoutMigration } from '../support/quick-product.ts';
import { freePort, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Scenario, scenario } from '../support/scenario.ts';
import { repository } from '../support/seed.ts';
import { change, expectHealthy, pathsBelow, refused, set, touchedDigest } from '../support/steps.ts';

const both = ['haraka@3.0.4', 'haraka@3.3.4'];

describe.concurrent('haraka', () => {
  it('takes mail in both releases, with its configuration migrated', async ({ onTestFinished }) => {
    const { world, smtpPort } = await installed(both, onTestFinished);
    await answersAs(world, smtpPort, '3.0.4');
    await sendMail(smtpPort, 'one', box);
    await expect(sendMail(smtpPort, 'spam', 'somebody@elsewhere.example')).rejects.toMatchObject({ responseCode: 550 });
    expect(existsSync(config(world, 'connection.ini'))).toBe(false);
    edit(config(world, 'smtp.ini'), 'inactivity_timeout=300', 'inactivity_timeout=120');

    const upgraded = await change(world, 'upgrade', 'haraka');
    expect(upgraded).toMatchObject({ outcome: 'upgraded', instance: { version: '3.3.4', previous: '3.0.4' } });
    expect(upgraded.warnings).toContainEqual(expect.objectContaining({ id: 'config-edited' }));
    await answersAs(world, smtpPort, '3.3.4');
    expect(read(world, 'connection.ini')).toMatch(/^\[message\]$/m);
    const merged = read(world, 'smtp.ini');
    expect(merged, 'the edit is kept').toContain('inactivity_timeout=120');
    expect(merged, 'what the new release moved elsewhere is gone').not.toContain('[headers]');
    await sendMail(smtpPort, 'two', box);
    expect(mails(world)).toEqual(['one', 'two']);

    const back = await change(world, 'rollback', 'haraka');
    expect(back).toMatchObject({ outcome: 'rolled-back', instance: { version: '3.0.4', previous: '3.3.4' } });
    await answersAs(world, smtpPort, '3.0.4');
    expect(read(world, 'smtp.ini')).toMatch(/inactivity_timeout=120[\s\S]*\[headers\]/);
    await sendMail(smtpPort, 'three', box);
    expect(mails(world), 'the mail of now is kept').toEqual(['one', 'three', 'two']);
  });

  it('never overwrites an edited file that the new release changes in the same place', async ({ onTestFinished }) => {
    const { world, smtpPort } = await installed(both, onTestFinished);
    edit(config(world, 'smtp.ini'), 'max_received=100', 'max_received=50');
    const edited = read(world, 'smtp.ini');
    const folder = world.path('instances/haraka');
    const before = touchedDigest(folder, ['logs']);

    const refusal = await refused(world, 3, 'refused-danger', 'upgrade', 'haraka');
    expect(refusal.error.message).toContain(conflict);
    await refused(world, 2, 'usage-ack', 'upgrade', 'haraka', '--ack', `${conflict},another`);
    expect(touchedDigest(folder, ['logs']), 'refused is untouched').toBe(before);
    await answersAs(world, smtpPort, '3.0.4');
    const planned = await change(world, 'upgrade', 'haraka', '--dry-run');
    expect(planned.dangers.map(({ id }: { id: string }) => id)).toEqual([conflict]);

    await change(world, 'upgrade', 'haraka', '--ack', conflict);
    await answersAs(world, smtpPort, '3.3.4');
    expect(read(world, 'smtp.ini')).toBe(edited);
    expect(read(world, 'smtp.ini.new')).not.toContain('[headers]');
  });

  it('is undone where the migration is missing, and answers as before', async ({ onTestFinished }) => {
    const folder = makeSandbox();
    onTestFinished(() => removeSandbox(folder));
    const manifest = withoutMigration(folder);
    const { world, smtpPort } = await installed(
      [`${manifest}@3.0.4`, `${manifest}@3.3.4`, ...both],
      onTestFinished,
      manifest,
    );
    await sendMail(smtpPort, 'one', box);
    const configuration = pathsBelow(world.path('instances/haraka/config'));

    const undone = await refused(world, 6, 'change-undone', 'upgrade', 'haraka', '--no-rehearsal');
    expect(undone).toMatchObject({ outcome: 'undone', changed: false });
    expect(undone.error.advice).toContain('Haraka 3.0.4');
    expect(readFileSync(world.path('instances/haraka/logs/server.log'), 'utf8')).toContain("reading 'greeting'");
    await answersAs(world, smtpPort, '3.0.4');
    expect(pathsBelow(world.path('instances/haraka/config'))).toEqual(configuration);
    await sendMail(smtpPort, 'two', box);
    expect(mails(world), 'mail of before and after').toEqual(['one', 'two']);

    cpSync(join(repository, 'products/haraka/manifest.yaml'), manifest);
    expect(await change(world, 'upgrade', 'haraka')).toMatchObject({ outcome: 'upgraded' });
    await answersAs(world, smtpPort, '3.3.4');
    expect(mails(world)).toEqual(['one', 'two']);
  });
});

const box = 'somebody@example.org';
const conflict = 'config-conflict:config/smtp.ini';

/** 3.0.4, installed from the catalogue or from a manifest of one's own. */
const installed = async (
  releases: readonly string[],
  onTestFinished: (end: () => Promise<void>) => void,
  product = 'haraka',
): Promise<{ world: Scenario; smtpPort: number }> => {
  const world = await scenario(releases, onTestFinished);
  const smtpPort = await freePort();
  const done = await change(world, 'install', `${product}@3.0.4`, ...set({ smtpPort, domain: 'example.org' }));
  expect(done).toMatchObject({ outcome: 'installed', consent: { reason: 'no-telemetry' } });
  return { world, smtpPort };
};

const answersAs = async (world: Scenario, port: number, version: string): Promise<void> => {
  expect(await smtpBanner(port)).toMatch(new RegExp(`^220 \\S+ ESMTP Haraka/${version} ready`));
  await expectHealthy(world, 'haraka', version);
};

const mails = (world: Scenario): string[] => subjectsBelow(world.path('instances/haraka/data/mail'));
const config = (world: Scenario, file: string): string => world.path('instances/haraka/config/config', file);
const read = (world: Scenario, file: string): string => readFileSync(config(world, file), 'utf8');

const edit = (file: string, from: string, to: string): void => {
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
};
