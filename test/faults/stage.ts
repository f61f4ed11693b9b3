/**
 * One instance of a real server in a world of its own, and how to bring it where an attack begins. The server is JSON Server (its manifest is in test/fixtures/products): it starts
 * in a third of a second, writes data of its own, and its two releases answer differently, so that thousands of cases can be played with it.
 *
 * What an attack begins from is made once by commands and then laid back from a snapshot, which is quicker and always the same.
 */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Looks, looksOf } from '../support/oracle.ts';
import { endProcesses, processesOf } from '../support/processes.ts';
import { freePort } from '../support/sandbox.ts';
import { endScenario, makeScenario, type Run, type Scenario, type ScenarioOptions } from '../support/scenario.ts';
import { repository } from '../support/seed.ts';
import { set } from '../support/steps.ts';
import { copyInstances, copyMarks, copyPart } from './copies.ts';

export { endProcesses };

export const product = join(repository, 'test/fixtures/products/json-server/manifest.yaml');
export const name = 'json-server';
export const versions = { old: '0.17.4', new: '1.0.0-beta.15' } as const;

export interface Stage {
  readonly world: Scenario;
  readonly port: number;
  /** The instance's folder, or a path in it. */
  readonly place: (...parts: string[]) => string;
  /** Runs a command that has to succeed. */
  readonly fine: (...args: string[]) => Promise<Run>;
  /** The old release as a client has used it, with this answer about telemetry. */
  readonly install: (telemetry: 'yes' | 'no') => Promise<void>;
  readonly purge: () => Promise<void>;
  readonly looks: () => Promise<Looks>;
  /** Keeps the instance as it is under a name; it has to stand still (no command, a server that writes nothing). */
  readonly keep: (as: string) => void;
  /** Ends whatever runs, lays back what was kept, and starts the server where it ran. */
  readonly layBack: (as: string) => Promise<void>;
  /** The same while the server goes on, where everything is as it was kept but for what changes leave: journals, backups, consent, the generation. */
  readonly freshen: (as: string) => void;
  /** The same without starting anything, and so without a command: for what was kept while the server was stopped. */
  readonly layStill: (as: string) => void;
  readonly close: () => Promise<void>;
}

/** Arguments of the changes that attacks make; each takes the plan as it is. */
export const upgrade = ['upgrade', name, '--to', versions.new, '--yes', '--telemetry=off'] as const;
export const rollback = ['rollback', name, '--yes', '--telemetry=off'] as const;
export const reinstall = ['reinstall', name, '--set', 'greeting=again', '--yes', '--telemetry=off'] as const;
export const uninstall = ['uninstall', name, '--yes', '--telemetry=off'] as const;
export const purging = ['uninstall', name, '--purge', '--ack', 'purge-data', '--yes', '--telemetry=off'] as const;

export const makeStage = async (options: ScenarioOptions = {}): Promise<Stage> => {
  const world = await makeScenario([`${product}@${versions.old}`, `${product}@${versions.new}`], options);
  const port = await freePort();
  // A secret of our own: a generated one would make every installation another one.
  const token = join(world.folder, 'token');
  writeFileSync(token, 'not-a-generated-one\n', { mode: 0o644 });
  const place = (...parts: string[]): string => world.path('instances', name, ...parts);
  const fine = async (...args: string[]): Promise<Run> => {
    const run = await world.run(args);
    assert.equal(run.exit, 0, `${args.join(' ')}: ${run.stdout}${run.stderr}`);
    return run;
  };
  const install = async (telemetry: 'yes' | 'no'): Promise<void> => {
    const settings = set({ webPort: port, token: `@file:${token}` });
    const what = ['install', `${product}@${versions.old}`, ...settings, '--yes'];
    await fine(...what, ...(telemetry === 'no' ? ['--telemetry=off'] : await acceptance(world)));
    await use(port);
  };
  return {
    world,
    port,
    place,
    fine,
    install,
    purge: async () => void (await fine(...purging)),
    looks: () => looksOf(world, name, () => answersAt(port)),
    keep: (as) => keep(world, as),
    layBack: (as) => layBack(world, as, fine),
    freshen: (as) => freshen(world, as),
    layStill: (as) => layStill(world, as),
    close: () => endScenario(world),
  };
};

const acceptance = async (world: Scenario): Promise<string[]> => {
  const { document } = await world.json(['telemetry', 'notice', `${product}@${versions.old}`]);
  return ['--telemetry=on', `--telemetry-notice=${document.notice.id}`];
};

/** What a user of the server leaves there: it must never be lost. */
const use = async (port: number): Promise<void> => {
  const post = { id: 'kept', title: 'written by a client' };
  const headers = { 'content-type': 'application/json' };
  const made = await fetch(`http://127.0.0.1:${port}/posts`, { method: 'POST', headers, body: JSON.stringify(post) });
  assert.equal(made.status, 201);
};

/** Which release answers, and with whose data. */
export const answersAt = async (port: number): Promise<string> => {
  // A connection that is kept for the next question may be closed by its server just then.
  const headers = { connection: 'close' };
  const ask = async (path: string): Promise<string> => {
    try {
      const signal = AbortSignal.timeout(10_000);
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers, signal });
      return response.status === 200 ? createdFrom(await response.text()) : String(response.status);
    } catch (error) {
      return `nobody (${whyNot(error)})`;
    }
  };
  return `db ${await ask('/db')}, pages ${await ask('/posts?_page=1&_per_page=50')}`;
};

const whyNot = (error: unknown): string => {
  const { cause, name } = error as { cause?: { code?: string }; name: string };
  return cause?.code ?? name;
};

/** Of an answer what tells releases and data apart. */
const createdFrom = (body: string): string =>
  `${body.includes('"first"') ? 'paged' : 'plain'}${body.includes('written by a client') ? ' with the post' : ''}`;

const keptIn = (world: Scenario, as: string): string => join(world.folder, 'kept', as);

const keep = (world: Scenario, as: string): void => {
  const to = keptIn(world, as);
  rmSync(to, { recursive: true, force: true });
  copyInstances(world.path('instances'), to);
  copyMarks(world.path('locks'), marksOf(world, as));
  rmSync(markOf(world, as), { force: true });
  if (processesOf(world.home).length > 0) writeFileSync(markOf(world, as), '');
};

const marksOf = (world: Scenario, as: string): string => `${keptIn(world, as)}.marks`;

/** There where a server ran. */
const markOf = (world: Scenario, as: string): string => `${keptIn(world, as)}.running`;

const layStill = (world: Scenario, as: string): void => {
  endProcesses(world.home);
  // What is in them, and not the folders: an attack may have mounted a filesystem there.
  for (const part of ['instances', 'staging'].map((one) => world.path(one)).filter((one) => existsSync(one)))
    for (const entry of readdirSync(part)) rmSync(join(part, entry), { recursive: true, force: true });
  copyInstances(keptIn(world, as), world.path('instances'));
  copyMarks(marksOf(world, as), world.path('locks'));
};

const layBack = async (world: Scenario, as: string, fine: Stage['fine']): Promise<void> => {
  layStill(world, as);
  if (existsSync(markOf(world, as))) await fine('start', name);
};

/** What a server writes, or holds open, stays. */
const livesOn = ['data', 'logs', 'run'];

const freshen = (world: Scenario, as: string): void => {
  const [from, to] = [join(keptIn(world, as), name), world.path('instances', name)];
  const stale = (folder: string): string[] => readdirSync(folder).filter((entry) => !livesOn.includes(entry));
  for (const entry of stale(to)) rmSync(join(to, entry), { recursive: true, force: true });
  for (const entry of stale(from)) copyPart(join(from, entry), join(to, entry));
  copyMarks(marksOf(world, as), world.path('locks'));
  rmSync(world.path('staging'), { recursive: true, force: true });
};
