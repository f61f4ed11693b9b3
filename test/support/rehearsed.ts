/** Rehearsals, seen from outside: a mail server to rehearse, the process that is tried, and that nothing is left of it. */

import { type ChildProcess, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { forgetAccount } from './as-root.ts';
import { sendMail } from './mail.ts';
import { leftovers } from './oracle.ts';
import { quickProduct } from './quick-product.ts';
import { freePorts, isRoot, makeSandbox, removeSandbox } from './sandbox.ts';
import { type Document, type Scenario, scenario } from './scenario.ts';
import { nobody } from './seed.ts';
import { set } from './steps.ts';

/** True, and the reason printed, where tests don't run as root or namespaces can't be made; never in CI. */
export const cantRehearse = (): boolean => {
  const why = isRoot ? (makesNamespaces() ? '' : 'no namespaces') : 'not root';
  const isSkipped = why !== '' && !process.env.CI;
  if (isSkipped) process.stderr.write(`skipped, rehearsals: ${why}\n`);
  return isSkipped;
};

/** A change that was made behind a rehearsal, where this machine lets one be made. */
export const expectRehearsed = ({ plan, warnings }: Document): void => {
  const tried = plan.some(({ id }: Document) => id === 'rehearse');
  const told = warnings.filter(({ id }: Document) => id === 'no-rehearsal');
  expect(tried || told[0]?.message.includes("can't be made here")).toBe(true);
  if (tried) expect(told).toEqual([]);
};

const makesNamespaces = (): boolean => {
  const command = ['-m', '-n', '-p', '-f', 'ip', 'link', 'set', 'lo', 'up'];
  const asUser = spawnSync('unshare', ['-r', ...command], { ...nobody, cwd: '/' });
  return spawnSync('unshare', command).status === 0 && asUser.status === 0;
};

/** `expected`: what a change that is open has there. */
export const expectNothingLeft = (world: Scenario, name: string, expected = /^telemetry$/): void => {
  expect(leftovers(world, name).filter((path) => !expected.test(path))).toEqual([]);
  expect(existsSync(world.path('scratch'))).toBe(false);
};

export interface MailServer {
  readonly world: Scenario;
  readonly name: string;
  readonly manifest: string;
  readonly webPort: number;
}

/** MailDev 2.2.1 with a mail in it; 3.0.0 has to be good for some seconds, so that its rehearsal can be looked at. */
export const mailServer = async ({
  asRoot,
  consent,
}: {
  asRoot: boolean;
  consent: 'on' | 'off';
}): Promise<MailServer> => {
  const folder = makeSandbox();
  onTestFinished(() => removeSandbox(folder));
  const manifest = quickProduct(folder, 'maildev', (written) => {
    const copy = { kind: 'command', command: ['/bin/cp', '-a', '{{data}}/.', '.'] };
    for (const release of written.releases as Document[]) {
      release.rehearsal = { copy };
      if (release.version === '3.0.0') release.health.stableSeconds = 4;
    }
  });
  const name = `r${process.pid}`;
  const world = await scenario([`${manifest}@2.2.1`, `${manifest}@3.0.0`], onTestFinished, { asRoot });
  if (asRoot) onTestFinished(() => forgetAccount(`assent-${name}`));
  const [webPort = 0, smtpPort = 0] = await freePorts(2);
  const mail = { world, name, manifest, webPort };
  const said = consent === 'on' ? await yesTo({ world, name: `${manifest}@2.2.1` }) : ['--telemetry=off'];
  const args = ['install', `${manifest}@2.2.1`, '--name', name, '--supervisor', 'process', '--yes', ...said];
  const { document } = await world.json([...args, ...set({ webPort, smtpPort })]);
  expect(document).toMatchObject({ outcome: 'installed', consent: { collecting: consent === 'on' } });
  await sendMail(smtpPort, 'one');
  // It says that it has a mail before it has written it.
  const kept = world.path('instances', name, 'data/mail');
  await expect.poll(() => existsSync(kept) && readdirSync(kept).some((file) => holdsMail(join(kept, file)))).toBe(true);
  return mail;
};

const holdsMail = (file: string): boolean =>
  file.endsWith('.eml') && readFileSync(file, 'utf8').includes('The text of one');

export const yesTo = async ({ world, name }: Pick<MailServer, 'world' | 'name'>, to?: string): Promise<string[]> => {
  const { document } = await world.json(['telemetry', 'notice', name, ...(to === undefined ? [] : ['--to', to])]);
  return ['--telemetry=on', `--telemetry-notice=${document.notice.id}`];
};

/** The pid of a server of that instance which runs in another network than we do, once there is one. */
export const rehearsing = async ({ world, name }: MailServer): Promise<number> => {
  const ours = readlinkSync('/proc/self/ns/net');
  const home = `HOME=${world.path('instances', name, 'data')}`;
  let found: number | undefined;
  const look = (): number | undefined =>
    readdirSync('/proc')
      .map(Number)
      .find((pid) => {
        try {
          const isElsewhere = readlinkSync(`/proc/${pid}/ns/net`) !== ours;
          return pid > 0 && isElsewhere && wordsOf(pid, 'environ').includes(home) && isServer(pid);
        } catch {
          return false;
        }
      });
  await expect.poll(() => (found ??= look()), { timeout: 60_000, interval: 50 }).toBeGreaterThan(0);
  return found ?? 0;
};

const isServer = (pid: number): boolean => wordsOf(pid, 'cmdline').some((word) => word.endsWith('/maildev.js'));

export const wordsOf = (pid: number, what: 'environ' | 'cmdline'): string[] =>
  readFileSync(`/proc/${pid}/${what}`, 'utf8').split('\0');

export const versionOf = async ({ world, name, webPort }: MailServer): Promise<string> => {
  const password = readFileSync(world.path('instances', name, 'secrets/webPassword'), 'utf8').trim();
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  for (const path of ['/config', '/api/config']) {
    const answer = await fetch(`http://127.0.0.1:${webPort}${path}`, { headers: { authorization } });
    if (answer.ok) return ((await answer.json()) as { version: string }).version;
  }
  return 'none';
};

/** What a command that was started with --json says. */
export const documentOf = (child: ChildProcess): Promise<Document> =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (said: string) => {
      text += said;
    });
    child.on('close', () => {
      try {
        resolve(JSON.parse(text));
      } catch (error) {
        reject(error);
      }
    });
  });
