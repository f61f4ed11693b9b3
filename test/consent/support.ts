/**
 * A home with real files for tests of consent: state, journal, notices, record and log are written by the code that writes them for
 * people. Only the server and the plan are left out. `conduct` goes through a change in the order in which the real one does.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { nextGeneration } from '../../src/change/generation.ts';
import {
  beginGeneration,
  type GivenAnswer,
  type Raise,
  recordAnswer,
  voidGeneration,
} from '../../src/consent/decide.ts';
import { consentOf } from '../../src/consent/gather.ts';
import { type Asked, askedNow } from '../../src/consent/log.ts';
import { makeNotice, type Notice, noticeId } from '../../src/consent/notice.ts';
import { storeNotice } from '../../src/consent/notice-file.ts';
import { hear, logQuestion, type Said } from '../../src/consent/question.ts';
import type { Answer, Way } from '../../src/consent/resolver.ts';
import { sayNo } from '../../src/consent/withdraw.ts';
import { type InstancePaths, instancePaths } from '../../src/instance/paths.ts';
import { type Account, type InstanceState, readState, writeState } from '../../src/instance/state.ts';
import { writeLine } from '../../src/instance/unfinished.ts';
import type { TelemetryDeclaration } from '../../src/product/manifest.ts';
import { identify } from '../../src/system/processes.ts';
import { realWorld, type World } from '../../src/system/world.ts';
import { asGenerationKey, asInstanceName, asProductName, asVersion } from '../../src/values.ts';

export type Kind = 'install' | 'reinstall' | 'upgrade' | 'rollback' | 'uninstall';
export type Ends = 'finished' | 'undone' | 'refused' | 'interrupted';

/** As the vectors write it. */
export interface CaseAnswer {
  by: Way;
  say: 'yes' | 'no';
  notice?: 'current' | 'stale' | 'none';
}

export const sure = <T>(value: T | undefined | null): T => {
  if (value === undefined || value === null) throw new Error('nothing there');
  return value;
};

/** Hundreds of synced writes are quick there. */
export const inMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export const testWorld = (changes: Partial<World> = {}): World => {
  const real = realWorld();
  return Object.defineProperties({} as World, {
    ...Object.getOwnPropertyDescriptors(real),
    env: { value: {} },
    ...Object.getOwnPropertyDescriptors(changes),
  });
};

const declaration: TelemetryDeclaration = {
  counters: [{ name: 'mailbox-opened', title: 'mailbox opened', routes: ['GET /api/email'] }],
  dimensions: ['browser', 'hour'],
  smallestGroup: 5,
  period: 'week',
  retentionDays: 90,
  recipient: 'none',
};

/** Each version promises something else, so that an id of before is really an old one. */
export const noticeOf = (version: string, words = ''): Notice =>
  sure(
    makeNotice(
      {
        name: sure(asProductName('maildev')),
        title: `MailDev${words}`,
        telemetry: {
          ...declaration,
          counters: [
            ...declaration.counters,
            { name: `of-${version[0]}`, title: `counter of ${version}`, routes: ['GET /'] },
          ],
        },
      },
      {},
    ),
  );

export interface Home {
  world: World;
  readonly folder: string;
  readonly paths: InstancePaths;
  /** Says each operation twice, as recovery does. */
  readonly twice: boolean;
  /** The server's account, where there is one. */
  readonly account: Account | null;
  /** Where copies of the instance's folder lie, by what they show. */
  readonly copies: string;
}

export const makeHome = (
  folder: string,
  options: { name?: string; world?: World; twice?: boolean; account?: Account } = {},
): Home => ({
  world: options.world ?? testWorld(),
  folder,
  paths: instancePaths(folder, sure(asInstanceName(options.name ?? 'mail'))),
  twice: options.twice ?? false,
  account: options.account ?? null,
  copies: join(dirname(folder), 'copies'),
});

export const answerOf = (home: Home): Answer => consentOf(home.world, home.paths);

export interface Change {
  change: Kind;
  ends: Ends;
  answer: CaseAnswer | null;
  telemetry?: boolean;
}

/** Makes the change, with everything about consent that the real one does, in its order. */
export const conduct = async (home: Home, change: Change): Promise<void> => {
  const { world, paths } = home;
  const before = readState(paths);
  const version =
    change.change === 'upgrade'
      ? '3.0.0'
      : change.change === 'rollback'
        ? '2.2.1'
        : (before?.release.version ?? '2.2.1');
  const notice = change.telemetry === false ? null : noticeOf(version);
  const { answer, asked } = await listen(home, change, notice, version);
  if (answer.say === 'no' && before !== undefined) await sayNo(world, paths, answer.by);
  if (change.ends === 'refused') return;
  if (notice !== null) {
    mkdirSync(paths.folder, { recursive: true });
    storeNotice(world, paths, notice, home.account);
  }
  const raise = raiseOf(home, {
    change: change.change,
    version,
    notice,
    answer,
    ...asked,
    generation: nextGeneration(paths, before ?? null),
  });
  await open(home, change.change, raise, before);
  if (change.ends === 'interrupted') return;
  await (change.ends === 'finished' ? finish(home) : undo(home));
};

export const raiseOf = (
  home: Home,
  about: {
    change: string;
    version: string;
    notice: Notice | null;
    answer: GivenAnswer;
    generation: number;
  } & Pick<Asked, 'since'> &
    Partial<Asked>,
): Raise => ({
  generation: about.generation,
  key: sure(asGenerationKey(home.world.random(32).toString('hex'))),
  change: about.change,
  version: about.version,
  noticeId: about.notice && noticeId(about.notice),
  account: home.account,
  answer: about.answer,
  since: about.since,
  head: about.head,
  recorded: about.recorded,
});

const listen = async (home: Home, change: Change, notice: Notice | null, version: string) => {
  const { world, paths } = home;
  const id = notice && noticeId(notice);
  const stale = noticeId(noticeOf(version, ' of last year'));
  const prompted = change.answer?.by === 'prompt';
  const hearing = hear(saidOf(change.answer, id ?? stale, stale), id, { interactive: prompted, vetoed: false });
  const now = askedNow(paths);
  if (!hearing.ask) return { answer: hearing.answer, asked: now };
  const asked =
    readState(paths) === undefined
      ? now
      : await logQuestion(world, paths, { noticeId: sure(id), version, account: null });
  const said = sure(change.answer);
  const answer: GivenAnswer =
    said.say === 'yes' ? { say: 'yes', by: said.by, noticeId: sure(id) } : { say: 'no', by: said.by };
  return { answer, asked };
};

const saidOf = (answer: CaseAnswer | null, current: string, stale: string): Said | null => {
  if (answer === null || answer.by === 'prompt') return null;
  if (answer.say === 'no') return { say: 'off', by: answer.by };
  const id = { current, stale, none: undefined }[answer.notice ?? 'none'];
  return { say: 'on', by: answer.by, ...(id === undefined ? {} : { noticeId: id }) };
};

/** From the opening entry to the consent step. */
export const open = async (home: Home, kind: Kind, raise: Raise, before: InstanceState | undefined): Promise<void> => {
  const { world, paths } = home;
  writeOpening(home, kind, raise, before);
  await repeated(home, () => beginGeneration(world, paths, raise));
  writeState(paths, stateAfter(home, kind, raise, before));
  await repeated(home, () => recordAnswer(world, paths, raise));
};

/** The first durable write of a change. */
export const writeOpening = (
  { world, paths }: Home,
  kind: Kind,
  raise: Raise,
  before: InstanceState | undefined,
): void => {
  mkdirSync(paths.journal, { recursive: true });
  const opening = {
    entry: 'open',
    at: world.now().toISOString(),
    kind,
    process: identify(process.pid),
    raise,
    before: before ?? null,
    after: { generation: raise.generation },
  };
  writeFileSync(paths.openJournal, `${writeLine(opening)}\n`);
};

export const finish = async (home: Home): Promise<void> => {
  const { raise } = opened(home);
  await repeated(home, () => recordAnswer(home.world, home.paths, raise));
  close(home);
};

export const undo = async (home: Home): Promise<void> => {
  const { raise, before } = opened(home);
  if (before === null) rmSync(home.paths.state, { force: true });
  else writeState(home.paths, { ...before, generation: raise.generation, key: raise.key });
  await repeated(home, () => voidGeneration(home.world, home.paths, raise));
  close(home);
};

const repeated = async (home: Home, operation: () => Promise<{ problem: string | null }>): Promise<void> => {
  for (let count = home.twice ? 2 : 1; count > 0; count -= 1) {
    const { problem } = await operation();
    if (problem !== null) throw new Error(problem);
  }
};

const opened = ({ paths }: Home): { raise: Raise; before: InstanceState | null } =>
  JSON.parse(readFileSync(paths.openJournal, 'utf8').slice(17));

const close = ({ paths }: Home): void => renameSync(paths.openJournal, join(paths.journal, '000001-closed.jsonl'));

const stateAfter = (home: Home, kind: Kind, raise: Raise, before: InstanceState | undefined): InstanceState => ({
  format: 1,
  name: home.paths.name,
  product: sure(asProductName('maildev')),
  title: 'MailDev',
  urls: {},
  installed: kind !== 'uninstall',
  generation: raise.generation,
  key: raise.key,
  release: {
    product: sure(asProductName('maildev')),
    version: sure(asVersion(raise.version ?? '')),
    digest: '0123456789ab',
  },
  noticeId: raise.noticeId,
  settings: before?.settings ?? {},
  supervisor: 'process',
  account: home.account,
  veto: null,
  running: kind !== 'uninstall',
  previous: null,
  manifest: null,
  installedAt: before?.installedAt ?? home.world.now().toISOString(),
  changedAt: home.world.now().toISOString(),
});

/** Keeps a copy of record and log under a name. */
export const keepCopy = (home: Home, name: string): void => {
  const folder = join(home.copies, name);
  mkdirSync(folder, { recursive: true });
  for (const file of [home.paths.consent, home.paths.consentLog])
    cpSync(file, join(folder, file.slice(home.paths.folder.length + 1)));
};
