/**
 * Plays the vectors of consent-cases.json with the real command on a real MailDev: each event is a command that somebody could type,
 * and each vector has an instance of its own.
 *
 * How the ends come about: `undone`, because a file makes the release that shall start fail at once; `refused`, by a port that is
 * taken or a danger that nobody accepted; `interrupted`, by SIGKILL right behind the journal's entry that the answer is on record. The
 * answers of prompts are flags here, unless a terminal is wanted.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { instancePaths } from '../../src/instance/paths.ts';
import { asInstanceName } from '../../src/values.ts';
import { type CaseAnswer, type Ends, type Kind, sure } from '../consent/support.ts';
import { editManifest, fallibleMailDev } from './quick-product.ts';
import { freePorts, makeSandbox, removeSandbox } from './sandbox.ts';
import { endScenario, makeScenario, readJson, type Scenario } from './scenario.ts';
import { repository } from './seed.ts';
import { set } from './steps.ts';

export interface CaseEvent {
  readonly change?: Kind;
  readonly ends?: Ends;
  readonly answer?: CaseAnswer | null;
  readonly recover?: 'finish' | 'undo';
  readonly withdraw?: boolean;
  readonly unchanged?: Kind;
  readonly dryRun?: Kind;
  readonly environment?: { readonly DO_NOT_TRACK: string };
  readonly tamper?: string;
  readonly restoreData?: boolean;
  readonly catalogueNoticeChanges?: boolean;
  readonly product?: 'no-telemetry';
  readonly instance?: string;
  readonly look?: string;
  readonly purge?: boolean;
}

export interface Case {
  readonly name: string;
  readonly events: readonly CaseEvent[];
  readonly expect: { readonly state?: string; readonly collecting: boolean; readonly reason?: string };
}

export const cases = (readJson(join(repository, 'test/fixtures/consent-cases.json')) as { cases: Case[] }).cases;

/** What all vectors share: a home, and a product whose next start a file can make fail. */
export interface Theatre {
  readonly world: Scenario;
  readonly folder: string;
  readonly product: string;
  /** Current notice ids by version. */
  readonly notices: Readonly<Record<string, string>>;
  /** A port that is taken. */
  readonly taken: number;
  readonly close: () => Promise<void>;
}

export const makeTheatre = async (): Promise<Theatre> => {
  const folder = makeSandbox();
  const product = fallibleMailDev(folder);
  const world = await makeScenario([`${product}@2.2.1`, `${product}@3.0.0`]);
  const idOf = async (version: string): Promise<string> =>
    (await world.json(['telemetry', 'notice', `${product}@${version}`])).document.notice.id;
  const blocker = await listening();
  const address = blocker.address();
  const close = async (): Promise<void> => {
    blocker.close();
    await endScenario(world);
    removeSandbox(folder);
  };
  const taken = typeof address === 'object' && address ? address.port : 0;
  return {
    world,
    folder,
    product,
    notices: { '2.2.1': await idOf('2.2.1'), '3.0.0': await idOf('3.0.0') },
    taken,
    close,
  };
};

const listening = (): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
  });

/** One vector's own instance. */
export interface Scene {
  readonly theatre: Theatre;
  readonly product: string;
  readonly names: Set<string>;
  ports: Readonly<Record<string, number>>;
  readonly folder: string;
  /** The instance that events are about. */
  name: string;
  /** Where a prompt's answer is typed; without it they are flags. */
  readonly typed?: TypeAnswer;
}

/** Runs a command at a terminal, answers the question about telemetry there, and returns the exit code. */
export type TypeAnswer = (world: Scenario, args: readonly string[], say: 'yes' | 'no') => Promise<number>;

export const makeScene = async (theatre: Theatre, name: string, typed?: TypeAnswer): Promise<Scene> => {
  const folder = join(theatre.folder, name);
  const product = join(folder, 'maildev/manifest.yaml');
  cpSync(join(theatre.product, '..'), join(folder, 'maildev'), { recursive: true });
  const scene = { theatre, product, names: new Set([name]), ports: await newPorts(), folder, name };
  return typed === undefined ? scene : { ...scene, typed };
};

const newPorts = async (): Promise<Record<string, number>> => {
  const [webPort = 0, smtpPort = 0] = await freePorts(2);
  return { webPort, smtpPort };
};

export const clearScene = async ({ theatre: { world }, names }: Scene): Promise<void> => {
  for (const name of names) {
    await world.run(['recover', name]);
    await world.run(['uninstall', name, '--purge', '--ack', 'purge-data', '--yes']);
  }
};

export const play = async (scene: Scene, events: readonly CaseEvent[]): Promise<void> => {
  for (const [at, event] of events.entries()) {
    const veto = events.slice(at).find(({ environment }) => environment)?.environment;
    await playEvent(scene, event, veto === undefined ? {} : { ...veto });
  }
};

const playEvent = async (scene: Scene, event: CaseEvent, env: Record<string, string>): Promise<void> => {
  const { world } = scene.theatre;
  const act = async (exit: number, ...args: string[]): Promise<void> => {
    const run = await world.run(args, { env });
    expect(run, `${args.join(' ')}: ${run.stderr}`).toMatchObject({ exit });
  };
  if (event.instance ?? event.look) scene.name = `${[...scene.names][0]}-${event.instance ?? event.look}`;
  if (!scene.names.has(scene.name)) scene.ports = await newPorts();
  scene.names.add(scene.name);
  if (event.change) await playChange(scene, event, env);
  if (event.recover) await act(0, 'recover', scene.name, `--${event.recover}`);
  if (event.withdraw) {
    keepCopy(scene, 'before-withdrawal');
    await act(0, 'telemetry', 'off', scene.name);
  }
  if (event.unchanged) await act(0, ...commandOf(scene, event.unchanged), '--yes', ...answerOf(scene, event));
  if (event.dryRun) await act(0, ...commandOf(scene, event.dryRun), '--dry-run', ...answerOf(scene, event));
  if (event.catalogueNoticeChanges) {
    const before = (await world.json(['telemetry', 'notice', `${scene.product}@2.2.1`])).document.notice.id;
    editManifest(scene.product, (manifest) => Object.assign(manifest, { title: 'MailDev, renamed' }));
    const after = (await world.json(['telemetry', 'notice', `${scene.product}@2.2.1`])).document.notice.id;
    expect(after).not.toBe(before);
  }
  if (event.tamper) restore(scene, event.tamper);
};

const playChange = async (scene: Scene, event: CaseEvent, env: Record<string, string>): Promise<void> => {
  const { change = 'install', ends = 'finished', answer } = event;
  const args = [...commandOf(scene, change), ...(event.purge ? ['--purge', '--ack', 'purge-data'] : []), '--yes'];
  const { more, undo } = bringAbout(scene, change, ends);
  const exit = { finished: 0, undone: 6, refused: 3, interrupted: null }[ends];
  if (scene.typed && answer?.by === 'prompt') {
    expect(await scene.typed(scene.theatre.world, [...args, ...more], answer.say)).toBe(exit);
  } else {
    const whole = [...args, ...more, ...answerOf(scene, event)];
    const killing = ends === 'interrupted' ? await killedBehindAnswer(scene, change) : {};
    const run = await scene.theatre.world.run(whole, { env: { ...env, ...killing } });
    expect(run, `${whole.join(' ')}: ${run.stderr}`).toMatchObject({ exit });
    expect(run.signal).toBe(exit === null ? 'SIGKILL' : null);
  }
  undo();
  const state = instancePaths(scene.theatre.world.home, sure(asInstanceName(scene.name))).state;
  if (existsSync(state)) keepCopy(scene, `generation-${readJson(state).generation}`);
};

/** What has to be so that the change ends like that: more arguments, and a way back. */
const bringAbout = ({ theatre, name }: Scene, change: Kind, ends: Ends): { more: string[]; undo: () => void } => {
  const sick = (word: string, version: string): (() => void) => {
    const file = theatre.world.path('instances', name, `${word}-${version}`);
    writeFileSync(file, '');
    return () => rmSync(file);
  };
  if (ends === 'refused') {
    const more = change === 'rollback' ? ['--data', 'now'] : set({ smtpPort: theatre.taken });
    return { more, undo: () => undefined };
  }
  if (ends !== 'undone') return { more: [], undo: () => undefined };
  if (change === 'reinstall') return { more: set({ sick: 'other' }), undo: sick('other', '2.2.1') };
  return { more: [], undo: sick('sick', versionOf(change)) };
};

const versionOf = (change: Kind): string => (change === 'upgrade' ? '3.0.0' : '2.2.1');

const commandOf = ({ product, name, ports }: Scene, change: Kind): string[] =>
  change === 'install' ? ['install', `${product}@2.2.1`, '--name', name, ...set(ports)] : [change, name];

const answerOf = ({ theatre, folder }: Scene, { answer, change, unchanged }: CaseEvent): string[] => {
  if (!answer) return [];
  const current = theatre.notices[versionOf(change ?? unchanged ?? 'install')];
  const id = { current, stale: 'n0000000000000000', none: undefined }[answer.notice ?? 'none'];
  const word = answer.say === 'yes' ? 'on' : 'off';
  if (answer.by !== 'answers') return [`--telemetry=${word}`, ...(id ? [`--telemetry-notice=${id}`] : [])];
  const file = join(folder, 'answers.yaml');
  writeFileSync(file, `telemetry: ${word}\n${id ? `telemetryNotice: ${id}\n` : ''}`);
  return ['--answers', file];
};

/** The journal's writes: the opening entry, and two for each step. */
const killedBehindAnswer = async (scene: Scene, change: Kind): Promise<Record<string, string>> => {
  const { document } = await scene.theatre.world.json([...commandOf(scene, change), '--dry-run']);
  const steps: string[] = document.plan.map(({ step }: { step: string }) => step);
  const behind = steps.indexOf('consent') - steps.indexOf('generation') + 1;
  const crashAt = join(repository, 'test/support/crash-at.mjs');
  return { NODE_OPTIONS: `--import=${crashAt}`, ASSENT_TEST_CRASH: String(1 + 2 * behind) };
};

const kept = ['consent.json', 'consent.log'];

/** Copies of an instance's consent, with owner and mode. */
export const keepCopy = ({ theatre, name, folder }: Scene, as: string): void => {
  const target = join(folder, 'copies', as);
  mkdirSync(target, { recursive: true });
  const files = kept.map((file) => theatre.world.path('instances', name, file)).filter((file) => existsSync(file));
  if (files.length > 0) spawnSync('cp', ['-a', ...files, theatre.world.path('instances', name, 'notices'), target]);
};

/** What somebody with a backup of consent.json does. */
const restore = ({ theatre, name, folder }: Scene, tamper: string): void => {
  const from = tamper.includes('previous-generation') ? 'generation-1' : 'before-withdrawal';
  const files = tamper.startsWith('consent-and-log') ? kept : ['consent.json'];
  for (const file of files) {
    const copy = join(folder, 'copies', from, file);
    expect(readFileSync(copy)).not.toHaveLength(0);
    spawnSync('cp', ['-a', copy, theatre.world.path('instances', name, file)]);
  }
};
