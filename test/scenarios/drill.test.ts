/**
 * "Could I roll back right now?", with a real server: `doctor` finds each thing that would spoil a rollback, and `doctor --drill` tries one on a copy while
 * the server of now answers every poll and nothing of the instance is touched.
 */

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findCommand } from '../../src/system/namespace.ts';
import { findAccount, forgetAccount } from '../support/as-root.ts';
import { mountTmpfs } from '../support/mounts.ts';
import { leftovers } from '../support/oracle.ts';
import { programCopy } from '../support/program-copy.ts';
import { asRoot, freePort } from '../support/sandbox.ts';
import { type Document, endScenario, makeScenario, type Scenario, scenario } from '../support/scenario.ts';
import { nobody, repository } from '../support/seed.ts';
import { change, set, touchedDigest } from '../support/steps.ts';

const manifest = join(repository, 'test/fixtures/products/json-server/manifest.yaml');
const releases = [`${manifest}@0.17.4`, `${manifest}@1.0.0-beta.15`];
const name = 'json-server';

const strace = findCommand('strace') ?? '';
if (strace === '') process.stderr.write('skipped, a drill without namespaces: it needs strace\n');

let world: Scenario;
let port = 0;
beforeAll(async () => {
  world = await makeScenario(releases);
  port = await upgraded(world);
}, 600_000);
afterAll(() => endScenario(world));

const upgraded = async (here: Scenario): Promise<number> => {
  const webPort = await freePort();
  await change(here, 'install', releases[0] ?? '', ...set({ webPort }));
  await change(here, 'upgrade', name, '--to', '1.0.0-beta.15');
  return webPort;
};

const place = (here: Scenario, ...parts: string[]): string => here.path('instances', name, ...parts);
const backupOf = (here: Scenario): string => {
  const [backup = ''] = readdirSync(place(here, 'backups'));
  return place(here, 'backups', backup);
};

interface Told {
  readonly exit: number | null;
  /** Ids of what is to be mended about a rollback. */
  readonly found: string[];
  readonly messages: string;
  readonly notes: Document[];
  readonly document: Document;
}

const doctor = async (here: Scenario, ...more: string[]): Promise<Told> => {
  const { exit, document } = await here.json(['doctor', name, ...more]);
  const about = (document.findings as Document[]).filter(({ id }) => /^(rollback|drill)/.test(id));
  const messages = about.map(({ message }) => message).join('\n');
  return { exit, found: about.map(({ id }) => id), messages, notes: document.notes, document };
};

describe('doctor', () => {
  it('says what a rollback would take, and that nothing stands in its way', async () => {
    const { exit, found, notes } = await doctor(world);
    expect({ exit, found }).toEqual({ exit: 0, found: [] });
    const told = notes.find(({ id }) => id === 'rollback');
    expect(told?.message).toMatch(
      /^A rollback goes to JSON Server 0\.17\.4 with the data of then, as 0\.17\.4 left it \d/,
    );
    expect(notes.map(({ id }) => id)).not.toContain('rollback-unchecked');
  });

  it('finds one byte, a file, and a mode that are not as they were, in any part', async () => {
    const file = join(backupOf(world), 'data/db.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('{', '['));
    expect(await doctor(world)).toMatchObject({
      exit: 3,
      found: ['rollback-backup'],
      messages: expect.stringContaining('backups/000002-upgrade/data'),
    });
    writeFileSync(file, text);
    chmodSync(file, 0o666);
    expect((await doctor(world)).found, 'a mode').toEqual(['rollback-backup']);
    chmodSync(file, 0o644);
    const config = join(backupOf(world), 'config/server.env');
    renameSync(config, `${world.folder}/aside`);
    const told = await doctor(world);
    expect(told.found, 'a file').toEqual(['rollback-backup']);
    expect(told.messages).toMatch(/config has \d+ files and folders of \d+ bytes in place of \d+/);
    renameSync(`${world.folder}/aside`, config);
    renameSync(join(backupOf(world), 'secrets'), `${world.folder}/aside`);
    expect((await doctor(world)).messages).toContain('secrets is gone');
    renameSync(`${world.folder}/aside`, join(backupOf(world), 'secrets'));
    expect((await doctor(world)).found, 'all is back').toEqual([]);
  });

  it('finds a release of before that was altered, and a Node that is gone or broken, which a rollback fetches', async () => {
    const stored = world.path('releases/json-server');
    const [release = ''] = readdirSync(stored).filter((entry) => entry.startsWith('0.17.4'));
    const file = join(stored, release, 'node_modules/json-server/package.json');
    const bytes = readFileSync(file);
    // What was lent is a second name of another's file: it is replaced, not written.
    const replace = (content: Uint8Array): void => {
      rmSync(file);
      writeFileSync(file, content, { mode: 0o444 });
    };
    replace(Buffer.concat([bytes, Buffer.from(' ')]));
    const altered = await doctor(world);
    expect(altered).toMatchObject({ exit: 3, found: ['rollback-release'] });
    expect(altered.messages).toContain('is not as it was sealed');
    replace(bytes);
    const runtime = world.path('runtimes/node-24.21.0');
    renameSync(runtime, `${runtime}.aside`);
    expect((await doctor(world)).found).toEqual(['rollback-runtime']);
    mkdirSync(join(runtime, 'bin'), { recursive: true });
    writeFileSync(join(runtime, 'bin/node'), '\x7fELF', { mode: 0o755 });
    expect((await doctor(world)).found, 'one that does not run').toEqual(['rollback-runtime']);
    const { plan } = (await world.json(['rollback', name, '--dry-run'])).document;
    expect(plan.map(({ step }: Document) => step)).toContain('runtime');
    rmSync(runtime, { recursive: true });
    renameSync(`${runtime}.aside`, runtime);
    const folder = join(stored, release);
    renameSync(folder, world.path('aside'));
    expect((await doctor(world)).messages).toContain('is missing or incomplete in the store');
    renameSync(world.path('aside'), folder);
    expect((await doctor(world)).found, 'all is back').toEqual([]);
  });

  it('says that it can’t tell where nothing was written down', async () => {
    const digests = join(backupOf(world), 'digests.json');
    renameSync(digests, `${world.folder}/aside`);
    const { exit, found, notes } = await doctor(world);
    expect({ exit, found }).toEqual({ exit: 0, found: [] });
    expect(notes.map(({ id }) => id)).toContain('rollback-unchecked');
    renameSync(`${world.folder}/aside`, digests);
  });

  it('finds that there is no space for it', async ({ skip }) => {
    asRoot(skip);
    const folder = place(world);
    const point = join(folder, 'backups');
    // The data of then lies on another filesystem: what it takes is looked for where the copy would be.
    const large = join(backupOf(world), 'data/large');
    writeFileSync(large, Buffer.alloc(30 * 1024 ** 2));
    onTestFinished(() => rmSync(large));
    const aside = `${world.folder}/instance`;
    spawnSync('cp', ['-a', folder, aside]);
    rmSync(join(aside, 'recover'), { recursive: true });
    mountTmpfs(skip, folder, 'size=60m,mode=0700');
    spawnSync('sh', ['-c', `cp -a ${aside}/. ${folder}/`]);
    if (nobody) spawnSync('chown', [`${nobody.uid}:${nobody.gid}`, folder]);
    const told = await doctor(world);
    spawnSync('umount', ['--lazy', folder]);
    expect(told.found).toContain('rollback-space');
    expect(told.messages).toMatch(/has \d+ MB free, \d+ MB are needed/);
    expect(existsSync(point)).toBe(true);
  });
});

describe('doctor --drill', () => {
  it('tries a rollback on a copy while the server answers every poll, and leaves nothing', async () => {
    const before = touchedDigest(place(world), ['logs']);
    const poll = polling(port);
    const { exit, found, notes, document } = await doctor(world, '--drill');
    const { answered, lost } = await poll.end();
    expect({ exit, found, drill: document.drill }).toMatchObject({
      exit: 0,
      found: [],
      drill: { version: '0.17.4', backup: '000002-upgrade', healthy: true, reason: null },
    });
    expect(lost).toEqual([]);
    expect(answered).toBeGreaterThan(5);
    const told = notes.find(({ id }) => id === 'drill')?.message;
    expect(told).toMatch(
      /A rollback to 0\.17\.4, with the data of then \(.*\), was tried on a copy: it was healthy\..* in [\d.]+ s/,
    );
    expect(touchedDigest(place(world), ['logs'])).toBe(before);
    expect(leftovers(world, name)).toEqual([]);
    expect(existsSync(world.path('scratch'))).toBe(false);
  });

  it('finds what would fail: data of then that the release can’t read', async () => {
    const file = join(backupOf(world), 'data/db.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, 'not what it was');
    const poll = polling(port);
    const { exit, found, messages, document } = await doctor(world, '--drill');
    expect((await poll.end()).lost).toEqual([]);
    writeFileSync(file, text);
    expect({ exit, found }).toEqual({ exit: 3, found: ['rollback-backup', 'drill'] });
    expect(document).toMatchObject({ drill: { healthy: false }, error: { code: 'refused-findings' } });
    expect(messages).toContain('would fail');
    expect(document.drill.log, 'the end of its log').not.toBe('');
    expect(existsSync(world.path('scratch'))).toBe(false);
  });

  it('has nothing to try where there was no upgrade', async () => {
    const fresh = await scenario(releases);
    await change(fresh, 'install', releases[1] ?? '', ...set({ webPort: await freePort() }));
    const { exit, found, notes } = await doctor(fresh);
    expect({ exit, found }).toEqual({ exit: 0, found: [] });
    expect(notes.map(({ id }) => id)).toContain('rollback-none');
    const { exit: drilled, document } = await fresh.json(['doctor', name, '--drill']);
    expect({ exit: drilled, error: document.error }).toMatchObject({ exit: 10, error: { code: 'no-previous' } });
  });

  it.skipIf(strace === '')('is refused, saying why, where no namespaces can be made', async () => {
    const before = touchedDigest(place(world), ['logs']);
    // As a kernel answers that lets users make none.
    const denied = ['-f', '-qq', '--seccomp-bpf', '-e', 'trace=unshare', '-e', 'inject=unshare:error=EPERM'];
    const command = [join(programCopy(), 'bin/assent'), 'doctor', name, '--drill', '--json'];
    const words = [...denied, '-o', '/dev/null', ...command];
    const { status, stdout, stderr } = spawnSync(strace, words, { env: world.env, encoding: 'utf8', ...nobody });
    expect(status, stderr).toBe(3);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'refused-check',
      message: expect.stringContaining("can't be made here"),
      advice: expect.stringContaining('Nothing was changed'),
    });
    expect(touchedDigest(place(world), ['logs'])).toBe(before);
    expect(existsSync(world.path('scratch'))).toBe(false);
  });
});

it('then the rollback itself holds, and what it leaves can be checked, too', { timeout: 120_000 }, async () => {
  await change(world, 'rollback', name);
  const { exit, found, notes } = await doctor(world);
  expect({ exit, found }).toEqual({ exit: 0, found: [] });
  expect(notes.find(({ id }) => id === 'rollback')?.message).toContain('1.0.0-beta.15');
});

it('as root the account reads its backup, and runs the copy', { timeout: 600_000 }, async ({ skip }) => {
  asRoot(skip);
  const own = `drill-${process.pid}`;
  const account = `assent-${own}`;
  const here = await makeScenario(releases, { asRoot: true });
  try {
    await change(here, 'install', releases[0] ?? '', '--name', own, ...set({ webPort: await freePort() }));
    await change(here, 'upgrade', own, '--to', '1.0.0-beta.15');
    const [backup = ''] = readdirSync(here.path('instances', own, 'backups'));
    const folder = here.path('instances', own, 'backups', backup);
    expect(statSync(join(folder, 'digests.json'))).toMatchObject({ uid: 0 });
    expect(statSync(join(folder, 'data')).uid, 'the account’s').toBe(findAccount(account)?.uid);
    const { exit, document } = await here.json(['doctor', own, '--drill']);
    expect({ exit, drill: document.drill, findings: document.findings }).toMatchObject({
      exit: 0,
      drill: { healthy: true },
      findings: [],
    });
    expect(existsSync(here.path('scratch'))).toBe(false);
    expect(statSync(here.path('instances', own, 'recover/assent'))).toMatchObject({ uid: 0 });
    await here.run(['uninstall', own, '--purge', '--ack', 'purge-data', '--yes']);
    expect(existsSync(here.path('instances', own))).toBe(false);
  } finally {
    await endScenario(here);
    forgetAccount(account);
  }
});

/** Asks the server again and again until it is told to end. */
const polling = (webPort: number) => {
  let [going, answered] = [true, 0];
  const lost: string[] = [];
  const loop = (async () => {
    while (going) {
      await fetch(`http://127.0.0.1:${webPort}/posts`).then(
        ({ status }) => {
          if (status === 200) answered += 1;
          else lost.push(`status ${status}`);
        },
        (error: Error) => lost.push(String(error.cause ?? error)),
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return {
    end: async () => {
      going = false;
      await loop;
      return { answered, lost };
    },
  };
};
