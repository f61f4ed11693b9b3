/** Prosody as root under a real systemd: a shut-in unit in which no memory may be written and executed, with libraries of the release's own. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, bootBox, whyNoBox } from '../support/nspawn.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import type { Document } from '../support/scenario.ts';
import { copyStore, repository, seedStore } from '../support/seed.ts';

const why = whyNoBox();
if (why !== undefined) console.log(`skipped: Prosody under a real systemd, for ${why}`);

const domain = 'chat.example';
let box: Box;
let folder: string;

beforeAll(async () => {
  if (why !== undefined) return;
  await seedStore(['prosody@13.0.1']);
  folder = makeSandbox();
  const home = join(folder, 'root');
  await copyStore(home, ['prosody@13.0.1'], false);
  box = await bootBox([{ from: home, to: '/var/lib/assent' }]);
}, 1_800_000);

afterAll(async () => {
  await box?.stop();
  if (folder !== undefined) removeSandbox(folder);
});

const assent = (words: string): { exit: number | null; document: Document } => {
  const { code, stdout, stderr } = box.run([join(repository, 'bin/assent'), ...words.split(' '), '--json']);
  expect(stdout, stderr).not.toBe('');
  return { exit: code, document: JSON.parse(stdout) };
};

const property = (name: string): string =>
  box.run(['systemctl', 'show', '--value', `--property=${name}`, 'assent-prosody']).stdout.trim();

describe.skipIf(why !== undefined)('as root', () => {
  test('runs with its own certificate in a unit that is shut in, and starts again by itself', async () => {
    const [client, federation, web] = await freePorts(3);
    const ports = `--set clientPort=${client} --set federationPort=${federation} --set webPort=${web}`;
    const installed = assent(
      `install prosody --yes --telemetry=off --set domain=${domain} --set selfSigned=true ${ports}`,
    );
    expect(installed, JSON.stringify(installed)).toMatchObject({
      exit: 0,
      document: { outcome: 'installed', instance: { supervisor: 'systemd', state: 'running', health: 'healthy' } },
    });
    expect(property('User')).toBe('assent-prosody');
    expect(property('MemoryDenyWriteExecute')).toBe('yes');
    expect(property('Environment')).toContain('LD_LIBRARY_PATH=/var/lib/assent/releases/prosody/');
    expect(box.run(['systemd-analyze', 'security', '--threshold=15', 'assent-prosody']).code).toBe(0);
    const key = box.run(['stat', '-c', '%a %U', '/var/lib/assent/instances/prosody/data/self-signed.key']);
    expect(key.stdout).toBe('600 assent-prosody\n');

    const config = '/var/lib/assent/instances/prosody/config';
    const listed = box.run([
      'runuser',
      '-u',
      'assent-prosody',
      '--',
      'sh',
      `${config}/prosodyctl`,
      'shell',
      'user',
      'list',
      'chat.example',
    ]);
    expect(listed.stdout + listed.stderr).toContain('admin@chat.example');

    expect(box.run(['systemctl', 'restart', 'assent-prosody']).code).toBe(0);
    await expect
      .poll(() => assent('status prosody').document.instance, { timeout: 60_000, interval: 1000 })
      .toMatchObject({ state: 'running', health: 'healthy' });

    const { id } = assent('telemetry notice prosody').document.notice;
    const again = assent(`reinstall prosody --yes --telemetry=on --telemetry-notice=${id}`);
    expect(again, JSON.stringify(again)).toMatchObject({ exit: 0, document: { consent: { collecting: true } } });
    const socket = '/var/lib/assent/instances/prosody/telemetry/counts/requests.sock';
    const isListening = () => box.run(['test', '-S', socket]).code === 0;
    await expect.poll(isListening, { timeout: 60_000 }).toBe(true);
    const dropIn = '/run/systemd/system/assent-prosody.service.d';
    const vetoed = `mkdir ${dropIn} && printf '[Service]\\nEnvironment=DO_NOT_TRACK=1\\n' >${dropIn}/override.conf`;
    const anew = 'systemctl daemon-reload && systemctl restart assent-prosody';
    expect(box.run(['sh', '-c', `${vetoed} && ${anew}`]).code).toBe(0);
    expect(assent('telemetry status prosody').document.consent).toMatchObject({ reason: 'do-not-track' });
    await expect.poll(isListening, { timeout: 60_000 }).toBe(false);
    expect(box.run(['sh', '-c', `rm -r ${dropIn} && ${anew}`]).code).toBe(0);
    await expect.poll(isListening, { timeout: 60_000 }).toBe(true);
    expect(assent('telemetry status prosody').document.consent).toMatchObject({ collecting: true });
    expect(assent('uninstall prosody --yes --purge --ack purge-data')).toMatchObject({ exit: 0 });
  }, 300_000);
});
