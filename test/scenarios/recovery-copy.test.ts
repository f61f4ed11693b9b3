/**
 * The copy of Assent that an instance keeps: a change is killed, then the Assent that made it is gone, and with it everything under HOME/runtimes and the
 * cache, in a world without a network and without a Node on the PATH. `recover/assent` ends the change all the same, and removes itself where nothing may stay.
 */

import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Looks, leftovers, looksOf } from '../support/oracle.ts';
import { programCopy } from '../support/program-copy.ts';
import { quickProduct } from '../support/quick-product.ts';
import { freePorts, makeSandbox, removeSandbox } from '../support/sandbox.ts';
import { type Run, type Scenario, scenario } from '../support/scenario.ts';
import { nobody, repository } from '../support/seed.ts';

const crashAt = join(repository, 'test/support/crash-at.mjs');

it.each([
  ['in the middle of the switch', 12, 'old'],
  ['while the new server starts', 20, 'old'],
  ['behind its commit', 24, 'new'],
])('an upgrade killed %s is ended where nothing else of Assent is left', { timeout: 300_000 }, async (_, at, ends) => {
  const stage = await makeStage();
  await stage.fine('install', `${stage.product}@2.2.1`, ...stage.settings, '--yes', '--telemetry=off');
  const old = await stage.looks();
  expect((await stage.crash(['upgrade', 'maildev', '--yes'], at)).signal).toBe('SIGKILL');
  stage.loseAssent();
  expect(await stage.recovery('recover', 'maildev')).toMatchObject({ exit: 0 });
  const now = await stage.looks();
  if (ends === 'old') expect(now).toEqual(old);
  else expect(now).toMatchObject({ current: expect.stringContaining('3.0.0'), answers: 'healthz 401, api 200' });
  expect(now.answers).not.toBe('healthz 0, api 0');
  expect(leftovers(stage.world, 'maildev')).toEqual([]);
  expect(existsSync(stage.copy), 'it stays').toBe(true);
  const status = await stage.recovery('status', '--json');
  expect(JSON.parse(status.stdout)).toMatchObject({ instances: [{ name: 'maildev', state: 'running' }] });
  // Through a link, from elsewhere, and as the changes that came later would: none of them needs the network.
  const link = join(stage.world.folder, 'rescue');
  symlinkSync(stage.copy, link);
  expect(await stage.typed(link, 'restart', 'maildev')).toMatchObject({ exit: 0 });
  expect(await stage.looks()).toEqual(now);
});

it('a first install that it undoes leaves only its log', { timeout: 300_000 }, async () => {
  const stage = await makeStage();
  const install = ['install', `${stage.product}@2.2.1`, ...stage.settings, '--yes', '--telemetry=off'];
  expect((await stage.crash(install, 8)).signal).toBe('SIGKILL');
  stage.loseAssent();
  expect(await stage.recovery('recover', 'maildev')).toMatchObject({ exit: 0 });
  const left = readdirSync(stage.world.path('instances/maildev'));
  expect(left.filter((name) => !['journal', 'logs', 'notices'].includes(name) && !name.startsWith('consent'))).toEqual(
    [],
  );
});

it('a purge that it finishes leaves nothing, itself included', { timeout: 300_000 }, async () => {
  const stage = await makeStage();
  await stage.fine('install', `${stage.product}@2.2.1`, ...stage.settings, '--yes', '--telemetry=off');
  const purge = ['uninstall', 'maildev', '--purge', '--ack', 'purge-data', '--yes'];
  expect((await stage.crash(purge, 14)).signal, 'behind its commit').toBe('SIGKILL');
  stage.loseAssent();
  const ended = await stage.recovery('recover', 'maildev');
  expect(ended).toMatchObject({ exit: 0 });
  expect(ended.stderr + ended.stdout).not.toContain('could not be removed');
  expect(existsSync(stage.world.path('instances/maildev'))).toBe(false);
});

it('is another Assent’s after its change, is mended where it was damaged, and goes with the server', {
  timeout: 300_000,
}, async () => {
  const stage = await makeStage();
  await stage.fine('install', `${stage.product}@2.2.1`, ...stage.settings, '--yes', '--telemetry=off');
  const folder = stage.world.path('instances/maildev/recover');
  const [name = ''] = readdirSync(folder).filter((entry) => entry !== 'assent');
  const main = join(folder, name, 'dist/main.mjs');
  expect(statSync(main).ino, 'a second name costs nothing').toBe(
    statSync(stage.world.path('runtimes/assent', name, 'dist/main.mjs')).ino,
  );
  const damaged = readFileSync(main);
  damaged[0] = (damaged[0] ?? 0) ^ 1;
  rmSync(main);
  writeFileSync(main, damaged);
  const reinstall = ['reinstall', 'maildev', '--yes', '--set', 'webUser=somebody'];
  await stage.fine(...reinstall);
  expect(await stage.recovery('--version')).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^\d/) });
  stage.becomeAnother();
  await stage.fine('upgrade', 'maildev', '--yes');
  expect(readdirSync(folder).filter((entry) => entry !== 'assent')).toEqual([expect.stringMatching(/^9\.9\.9-/)]);
  expect((await stage.recovery('status', 'maildev')).exit).toBe(0);
  await stage.fine('uninstall', 'maildev', '--yes');
  expect(existsSync(folder)).toBe(false);
});

interface Stage {
  readonly world: Scenario;
  readonly product: string;
  readonly settings: readonly string[];
  readonly copy: string;
  readonly fine: (...args: string[]) => Promise<void>;
  readonly crash: (args: readonly string[], at: number) => Promise<Run>;
  /** The Assent that was installed, whatever it has made for itself under the home, and what could be fetched again. */
  readonly loseAssent: () => void;
  /** The installed Assent is another build from now on. */
  readonly becomeAnother: () => void;
  /** Through the instance's own copy, without a network and without a Node on the PATH. */
  readonly recovery: (...args: string[]) => Promise<Run>;
  readonly typed: (command: string, ...args: string[]) => Promise<Run>;
  readonly looks: () => Promise<Looks>;
}

const makeStage = async (): Promise<Stage> => {
  const folder = makeSandbox();
  const product = quickProduct(folder, 'maildev');
  const world = await scenario([`${product}@2.2.1`, `${product}@3.0.0`]);
  const program = join(world.folder, 'program');
  spawnSync('cp', ['-a', programCopy(), program]);
  const [web = 0, smtp = 0] = await freePorts(2);
  const settings = [`webPort=${web}`, `smtpPort=${smtp}`].flatMap((setting) => ['--set', setting]);
  const installed = join(program, 'bin/assent');
  const copy = world.path('instances/maildev/recover/assent');
  const bare = { ...world.env, PATH: pathWithoutNode(world.folder), npm_config_registry: 'http://127.0.0.1:9/' };
  delete (bare as Record<string, string>)['ASSENT_HOME'];
  const typed = (command: string, ...args: string[]) => run(world, command, args, bare);
  return {
    world,
    product,
    settings,
    copy,
    fine: async (...args) => {
      const ended = await run(world, installed, args, world.env);
      expect(ended, `${args.join(' ')}: ${ended.stderr}`).toMatchObject({ exit: 0 });
    },
    crash: (args, at) =>
      run(world, installed, args, {
        ...world.env,
        NODE_OPTIONS: `--import=${crashAt}`,
        ASSENT_TEST_CRASH: String(at),
      }),
    loseAssent: () => {
      for (const path of [program, world.path('runtimes'), world.path('cache')]) removeSandbox(path);
    },
    becomeAnother: () => {
      spawnSync('sed', ['-i', 's/"version": "[^"]*"/"version": "9.9.9"/', join(program, 'dist/build.json')]);
    },
    recovery: (...args) => typed(copy, ...args),
    typed,
    looks: () => looksOf(world, 'maildev', () => answersAt(web)),
  };
};

const run = (
  world: Scenario,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Run> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { cwd: world.folder, env, stdio: ['ignore', 'pipe', 'pipe'], ...nobody });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (exit, signal) => resolve({ exit, signal, stdout, stderr }));
  });

/** Everything of /usr/bin and /bin but Node. */
const pathWithoutNode = (folder: string): string => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const from of ['/usr/bin', '/bin']) {
    for (const name of readdirSync(from).filter((entry) => !/^(node|nodejs|npm|npx|corepack)$/.test(entry)))
      linkOnce(join(from, name), join(bin, name));
  }
  return bin;
};

const linkOnce = (from: string, to: string): void => {
  try {
    symlinkSync(from, to);
  } catch {
    // It is there.
  }
};

/** Which MailDev answers: 3.0.0 has another API than 2.2.1. */
const answersAt = async (port: number): Promise<string> => {
  const status = async (path: string): Promise<number> => {
    try {
      return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    } catch {
      return 0;
    }
  };
  return `healthz ${await status('/healthz')}, api ${await status('/api/healthz')}`;
};
