/**
 * A server of root's whose account has been taken over, and races links and folders into every path that it may write while root changes, removes, mends or looks at the instance. Whatever
 * comes of the command, the canary is neither read nor written, and no copy of it turns up where the account could read it; and once the account has ended, one `recover` leaves
 * nothing open.
 *
 * A round is one command under attack. The server is stopped, and what the command begins from is laid back from a snapshot; never while the racer is at it, for then we
 * would be led away ourselves.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, findAccount, forgetAccount, isGroup } from '../support/as-root.ts';
import { freePort, isRoot } from '../support/sandbox.ts';
import { endScenario, makeScenario, type Scenario } from '../support/scenario.ts';
import { set } from '../support/steps.ts';
import type { Attack } from './attack.ts';
import { chanceOf } from './chance.ts';
import { deal } from './changes.ts';
import { copyInstances, copyMarks } from './copies.ts';
import { canaryLooks, copiesOf, isReadingSeen, makeCanary, startRacer } from './hostile/racer.ts';
import { endProcesses, product, versions } from './stage.ts';

interface Scene {
  readonly world: Scenario;
  readonly name: string;
  readonly account: Account;
  readonly canary: string;
  readonly place: (...parts: string[]) => string;
}

/** What the command begins from, where the account races, the command, and the exit codes that it may end with. */
interface Play {
  readonly from: 'base' | 'open' | 'upgraded';
  readonly places: readonly string[];
  readonly command: (name: string) => readonly string[];
  readonly exits: readonly number[];
}

const yes = ['--yes', '--telemetry=off'];
const upgrading = (name: string): string[] => ['upgrade', name, '--to', versions.new, ...yes];

/** Exit 3: a tree that does not stand still is refused; 6: and undone. 7 never: the instance's own folder is root's. */
const plays: Readonly<Record<string, Play>> = {
  upgrade: {
    from: 'base',
    places: ['data', 'data.next'],
    command: upgrading,
    exits: [0, 3, 6],
  },
  reinstall: {
    from: 'base',
    places: ['data', 'data.next', 'logs', 'run'],
    command: (name) => ['reinstall', name, ...yes],
    exits: [0, 3, 6],
  },
  rollback: {
    from: 'upgraded',
    places: ['backups/000003-upgrade/data', 'data', 'data.next'],
    command: (name) => ['rollback', name, '--data', 'then', ...yes],
    exits: [0, 3, 6],
  },
  recover: {
    from: 'open',
    places: ['data', 'data.next', 'backups/000003-upgrade/data'],
    command: (name) => ['recover', name],
    exits: [0],
  },
  withdraw: {
    from: 'base',
    places: ['telemetry/counts', 'telemetry', 'data'],
    command: (name) => ['telemetry', 'off', name],
    exits: [0],
  },
  doctor: {
    from: 'base',
    places: ['data', 'logs', 'run', 'backups/000002-reinstall/data'],
    command: (name) => ['doctor', name],
    exits: [0, 3],
  },
  uninstall: {
    from: 'base',
    places: ['data', 'logs', 'run'],
    command: (name) => ['uninstall', name, ...yes],
    exits: [0],
  },
  purge: {
    from: 'base',
    places: ['data', 'telemetry/counts', 'backups/000002-reinstall/data'],
    command: (name) => ['uninstall', name, '--purge', '--ack', 'purge-data', ...yes],
    exits: [0, 8],
  },
};

export const hostile: Attack = {
  name: 'hostile',
  title: "a hostile account of a server of root's races links and folders into every path that it may write",
  atLeast: 1600,
  cannot: () => (isRoot ? (missingTool() ?? unseen()) : 'it needs root'),
  run: async (tally, options) => {
    const rounds = options.full ? 200 : 1;
    const ids = Object.keys(plays).flatMap((play) => Array.from({ length: rounds }, (_, at) => `${play}:${at + 1}`));
    const opened: Opened[] = [];
    const scenes: Scene[] = [];
    const exits = new Map<number | null, number>();
    const counted = { swaps: 0 };
    try {
      for (let job = 0; job < options.jobs; job += 1) {
        const one = await open(job);
        opened.push(one);
        scenes.push(await makeScene(one));
      }
      await deal(scenes, chanceOf(options.seed, 'hostile').some(ids, ids.length), async (scene, id) => {
        await tally.check(id, async () => {
          const exit = await raced(scene, id.split(':')[0] ?? '', counted);
          exits.set(exit, (exits.get(exit) ?? 0) + 1);
        });
      });
    } finally {
      for (const one of opened) await close(one);
    }
    const ends = [...exits].map(([exit, times]) => `${times} times exit ${exit}`);
    tally.note([...ends, `${counted.swaps} swaps`].join(', '));
  },
};

const missingTool = (): string | undefined =>
  ['setpriv', 'perl', 'mkfifo']
    .find((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
    ?.concat(' is missing');

const unseen = (): string | undefined =>
  isReadingSeen() ? undefined : 'this filesystem keeps no times of reading (noatime)';

const raced = async (scene: Scene, kind: string, counted: { swaps: number }): Promise<number | null> => {
  const play = plays[kind];
  assert.ok(play, `there is no ${kind}`);
  const { world, name, account, canary, place } = scene;
  layBack(scene, play.from);
  const before = canaryLooks(canary);
  const racer = startRacer(
    account,
    canary,
    play.places.map((path) => place(path)),
  );
  await racer.begun();
  const { exit, stderr } = await world.run(play.command(name)).finally(racer.end);
  counted.swaps += racer.swaps();
  endProcesses(world.home);
  await nothingOpen(scene);
  endProcesses(world.home);
  assert.equal(canaryLooks(canary), before, `${kind}, exit ${exit}: the canary: ${stderr}`);
  if (existsSync(place())) assert.deepEqual(copiesOf(place()), [], 'copies of the canary');
  assert.ok(play.exits.includes(exit ?? -1), `${kind}: exit ${exit}: ${stderr}`);
  return exit;
};

/** The account has ended: what is still to be done of the change gets done. */
const nothingOpen = async ({ world, name }: Scene): Promise<void> => {
  const { exit, stderr } = await world.run(['recover', name]);
  assert.ok(exit === 0 || exit === 10, `recover: exit ${exit}: ${stderr}`);
  const { document } = await world.json(['status', name]);
  assert.equal(document.instance?.unfinished, undefined);
};

interface Opened {
  readonly world: Scenario;
  readonly name: string;
}

const open = async (job: number): Promise<Opened> => ({
  world: await makeScenario([`${product}@${versions.old}`, `${product}@${versions.new}`], { asRoot: true }),
  name: `h${process.pid}-${job}`,
});

const close = async ({ world, name }: Opened): Promise<void> => {
  await endScenario(world);
  forgetAccount(`assent-${name}`);
};

/** `base` has a backup, a yes in force and its server stopped; `upgraded` has a release before; `open` was killed in the middle of an upgrade. */
const makeScene = async ({ world, name }: Opened): Promise<Scene> => {
  const place = (...parts: string[]): string => world.path('instances', name, ...parts);
  const fine = async (...args: string[]): Promise<void> => {
    const { exit, stderr } = await world.run(args);
    assert.equal(exit, 0, `${args.join(' ')}: ${stderr}`);
  };
  const { document } = await world.json(['telemetry', 'notice', `${product}@${versions.old}`]);
  const accepting = ['--telemetry=on', `--telemetry-notice=${document.notice.id}`];
  const token = join(world.folder, 'token');
  writeFileSync(token, 'not-a-generated-one\n');
  const settings = set({ webPort: await freePort(), token: `@file:${token}` });
  await fine('install', `${product}@${versions.old}`, '--name', name, '--supervisor', 'process', ...settings, ...yes);
  await fine('reinstall', name, '--set', 'greeting=again', '--yes', ...accepting);
  await fine('stop', name);
  const account = findAccount(`assent-${name}`);
  assert.ok(account, 'it has an account of its own');
  keep(world, 'base');
  await fine(...upgrading(name));
  keep(world, 'upgraded');
  layBack({ world, account }, 'base');
  const crash = join(import.meta.dirname, '../support/crash-at.mjs');
  const env = { NODE_OPTIONS: `--import=${crash}`, ASSENT_TEST_CRASH: '9' };
  const crashed = await world.run(upgrading(name), { env });
  assert.equal(crashed.signal, 'SIGKILL', `exit ${crashed.exit}: ${crashed.stderr}`);
  assert.match(readFileSync(place('journal/open.jsonl'), 'utf8'), /"entry":"done","step":"data"/);
  keep(world, 'open');
  return { world, name, account, canary: makeCanary(world.folder), place };
};

const keptIn = (world: Scenario, as: string): string => join(world.folder, 'kept', as);

const keep = (world: Scenario, as: string): void => {
  copyInstances(world.path('instances'), keptIn(world, as));
  copyMarks(world.path('locks'), `${keptIn(world, as)}.marks`);
};

const layBack = ({ world, account }: Pick<Scene, 'world' | 'account'>, as: string): void => {
  for (const part of ['instances', 'staging']) rmSync(world.path(part), { recursive: true, force: true });
  copyInstances(keptIn(world, as), world.path('instances'));
  copyMarks(`${keptIn(world, as)}.marks`, world.path('locks'));
  // A purge takes the account with it.
  if (!isGroup(account.name)) spawnSync('groupadd', ['--system', '--gid', String(account.gid), account.name]);
  if (findAccount(account.name) === undefined)
    spawnSync('useradd', [
      '--system',
      '--uid',
      String(account.uid),
      '--gid',
      String(account.gid),
      '--no-create-home',
      account.name,
    ]);
};
