/** Plays a case of consent-cases.json with the real rule code on real files: what each event does, and what must be true behind it. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { consentOf } from '../../src/consent/gather.ts';
import { loadLog } from '../../src/consent/log.ts';
import { removeMark } from '../../src/consent/mark.ts';
import { noticeId } from '../../src/consent/notice.ts';
import { sayNo, withdraw } from '../../src/consent/withdraw.ts';
import { readState } from '../../src/instance/state.ts';
import { sandbox } from '../support/sandbox.ts';
import { refusalOf } from './real-conduct.ts';
import {
  answerOf,
  type CaseAnswer,
  conduct,
  type Ends,
  finish,
  type Home,
  inMemory,
  type Kind,
  keepCopy,
  makeHome,
  noticeOf,
  undo,
} from './support.ts';
import { tamper } from './tamper.ts';

interface CaseEvent {
  change?: Kind;
  ends?: Ends;
  answer?: CaseAnswer | null;
  recover?: 'finish' | 'undo';
  withdraw?: boolean;
  unchanged?: Kind;
  dryRun?: Kind;
  environment?: { DO_NOT_TRACK: string };
  tamper?: string;
  restoreData?: boolean;
  catalogueNoticeChanges?: boolean;
  product?: 'no-telemetry';
  instance?: string;
  look?: string;
  purge?: boolean;
}

export interface Case {
  name: string;
  events: CaseEvent[];
  expect: { state?: string; collecting: boolean; reason?: string };
}

export const casesFile = 'test/fixtures/consent-cases.json';
export const { cases } = JSON.parse(readFileSync(casesFile, 'utf8')) as { cases: Case[] };

/** With `twice`, every operation is said twice, as recovery does. */
export const playCase = async (one: Case, twice: boolean): Promise<void> => {
  const folder = join(sandbox(inMemory), 'home');
  mkdirSync(folder);
  let at: Scene = { home: makeHome(folder, { name: one.events[0]?.instance ?? 'mail', twice }), veto: undefined };
  for (const event of one.events) at = await play(at, event);
  expect(consentOf(at.home.world, at.home.paths, at.veto)).toMatchObject(one.expect);
};

interface Scene {
  home: Home;
  veto: string | undefined;
}

const play = async (scene: Scene, event: CaseEvent): Promise<Scene> => {
  const { home } = scene;
  if (event.change) return { ...scene, home: await playChange(home, event) };
  if (event.recover) await (event.recover === 'finish' ? finish(home) : undo(home));
  if (event.withdraw) await playWithdrawal(home);
  if (event.unchanged && event.answer?.say === 'no') await sayNo(home.world, home.paths, event.answer.by);
  if (event.dryRun) await playDryRun(home, event);
  if (event.catalogueNoticeChanges) expect(noticeId(noticeOf('2.2.1', '!'))).not.toBe(readState(home.paths)?.noticeId);
  if (event.environment) return { ...scene, veto: event.environment.DO_NOT_TRACK };
  if (event.tamper) return { ...scene, home: await tamper(home, event.tamper) };
  if (event.look) return { ...scene, home: makeHome(home.folder, { name: event.look }) };
  return scene;
};

const playChange = async (home: Home, { change, ends, answer, product, instance, purge }: CaseEvent): Promise<Home> => {
  if (!change || !ends) throw new Error('no change');
  const at = instance ? makeHome(home.folder, { name: instance, twice: home.twice }) : home;
  await conduct(at, { change, ends, answer: answer ?? null, telemetry: product !== 'no-telemetry' });
  const state = readState(at.paths);
  if (state && existsSync(at.paths.consent)) keepCopy(at, `generation-${state.generation}`);
  if (purge) {
    rmSync(at.paths.folder, { recursive: true });
    removeMark(at.paths);
  }
  return at;
};

const playWithdrawal = async (home: Home): Promise<void> => {
  if (existsSync(home.paths.consent)) keepCopy(home, 'before-withdrawal');
  await withdraw(home.world, home.paths);
  expect(answerOf(home).collecting).toBe(false);
};

/** By the real command's own way. Somebody else may have MailDev's ports here: the no would be on record before that is seen. */
const playDryRun = async (home: Home, { dryRun, answer }: CaseEvent): Promise<void> => {
  if (!dryRun || answer?.say !== 'no') throw new Error('the other dry runs say nothing here');
  const lines = loadLog(home.paths).length;
  const request = { kind: dryRun, instance: home.paths.name, dryRun: true };
  expect(['not refused', 'refused-port']).toContain(await refusalOf(home, request));
  expect(loadLog(home.paths).length).toBe(lines);
};
