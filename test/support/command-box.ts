/** The real command in a box with a booted systemd, root's home and Alice's in it: what scenarios ask of both. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Bind, type Box, bootBox, whyNoBox } from './nspawn.ts';
import type { Receiver } from './receiver.ts';
import { lookAt, type Running } from './running.ts';
import { makeSandbox, removeSandbox } from './sandbox.ts';
import type { Document } from './scenario.ts';
import { copyStore, repository, seedStore } from './seed.ts';

export interface Stock {
  /** What the stores hold from the beginning. */
  readonly releases: readonly string[];
  /** Whether Alice has a store of her own with the same. */
  readonly forAlice?: boolean;
  readonly binds?: readonly Bind[];
}

export interface Answer {
  readonly exit: number | null;
  readonly document: Document;
}

export interface CommandBox {
  /** Why there is none. */
  readonly why: string | undefined;
  readonly run: Box['run'];
  readonly kill: Box['kill'];
  /** The command, with `--json`. */
  assent(words: string, uid?: number, env?: readonly string[]): Answer;
  /** The words of a yes to the notice of a release with these settings. */
  yesTo(settings: string, home?: string, of?: string): string;
  property(unit: string, name: string): string;
  asAlice(...words: string[]): ReturnType<Box['run']>;
  /** Every unit of Assent's but those of recovery and trial, whether systemd has it loaded or only a file of it lies there. */
  units(uid?: number): string[];
  running(unit: string): Running;
  /** From outside: a place in root's home. */
  here(...parts: string[]): string;
}

/** For one file of tests: booted before them, gone behind them. `stock` is told a folder for whatever it makes. */
export const commandBox = (what: string, stock: (folder: string) => Promise<Stock>): CommandBox => {
  const why = whyNoBox();
  if (why !== undefined) console.log(`skipped: ${what}, for ${why}`);
  let box: Box | undefined;
  let folder: string | undefined;
  beforeAll(async () => {
    if (why !== undefined) return;
    folder = makeSandbox();
    box = await boot(folder, await stock(folder));
  });
  afterAll(async () => {
    await box?.stop();
    if (folder !== undefined) removeSandbox(folder);
  });
  const run: Box['run'] = (...command) => (box as Box).run(...command);
  return {
    ...asks(run),
    why,
    run,
    kill: (...whom) => box?.kill(...whom),
    here: (...parts) => join(folder ?? '', 'root', ...parts),
  };
};

const boot = async (folder: string, { releases, forAlice, binds = [] }: Stock): Promise<Box> => {
  await seedStore(releases);
  await copyStore(join(folder, 'root'), releases, true);
  const homes = [{ from: join(folder, 'root'), to: '/var/lib/assent' }];
  if (forAlice === true) {
    await copyStore(join(folder, 'alice'), releases, true);
    spawnSync('chown', ['-R', '-h', '1000:1000', join(folder, 'alice')]);
    homes.push({ from: join(folder, 'alice'), to: '/home/alice/assent' });
  }
  return bootBox([...homes, ...binds]);
};

const asks = (run: Box['run']): Omit<CommandBox, 'why' | 'run' | 'kill' | 'here'> => {
  const assent: CommandBox['assent'] = (words, uid = 0, env = []) => {
    const command = ['env', ...env, join(repository, 'bin/assent'), ...words.split(' '), '--json'];
    const { code, stdout, stderr } = run(command, { uid });
    expect(stdout, stderr).not.toBe('');
    const document = JSON.parse(stdout);
    if (code !== 0) console.log(words, JSON.stringify(document.error), stderr.slice(-500));
    return { exit: code, document };
  };
  const asAlice: CommandBox['asAlice'] = (...words) =>
    run(['env', 'XDG_RUNTIME_DIR=/run/user/1000', 'systemctl', '--user', ...words], { uid: 1000 });
  const property: CommandBox['property'] = (unit, name) =>
    run(['systemctl', 'show', '--value', `--property=${name}`, unit]).stdout.trim();
  return {
    assent,
    asAlice,
    property,
    yesTo: (settings, home = '', of = 'maildev@3.0.0') => {
      const { notice } = assent(`telemetry notice ${of} ${settings}${home}`).document;
      return `--yes --telemetry=on --telemetry-notice=${notice.id} ${settings}${home}`;
    },
    units: (uid = 0) => namesOf((...words) => (uid === 0 ? run(['systemctl', ...words]) : asAlice(...words))),
    running: (unit) => lookAt(property(unit, 'MainPID'), (script) => run(['sh', '-c', script]).stdout),
  };
};

const namesOf = (ask: CommandBox['asAlice']): string[] => {
  const listed = [['list-units', '--all'], ['list-unit-files']].flatMap((words) =>
    ask(...words, '--plain', '--no-legend', 'assent-*').stdout.split('\n'),
  );
  const names = new Set(listed.map((line) => line.trim().split(' ')[0] ?? ''));
  return [...names].filter((name) => name !== '' && !/\.(recover|trial)\./.test(name)).sort();
};

/** In the box. */
export const inBox = (name: string): string => `/var/lib/assent/instances/${name}`;

/** Words of a change without a yes. */
export const change = '--yes --telemetry=off';

export const settingsFor = ([web, smtp]: readonly number[], to: Receiver): string =>
  `--set webPort=${web} --set smtpPort=${smtp} --set telemetry.endpoint=${to.url}`;
