/**
 * The one question about telemetry: when it is put, what a key means, and what was answered where it is not put.
 *
 * A flag's yes counts only with the id of the very notice; without it a terminal gets the question, and automation goes on
 * without collecting. Enter is a no. A veto (DO_NOT_TRACK) asks nothing. Nothing here ever makes a change fail or wait.
 */

import type { InstancePaths } from '../instance/paths.ts';
import type { Account } from '../instance/state.ts';
import type { World } from '../system/world.ts';
import type { NoticeId } from '../values.ts';
import type { GivenAnswer } from './decide.ts';
import { withConsentLock } from './guard.ts';
import { type Asked, appendLines, askedNow, userDigest } from './log.ts';
import { sharingOf } from './sharing.ts';
import { isVeto } from './veto.ts';

/** What flags or an answers file say; null where they say nothing. */
export type Said =
  | { readonly say: 'off'; readonly by: 'flag' | 'answers' }
  | { readonly say: 'on'; readonly by: 'flag' | 'answers'; readonly noticeId?: string };

export type Hearing =
  | { readonly ask: true }
  /** `note` names the line that people get; null where there is nothing to say. */
  | { readonly ask: false; readonly answer: GivenAnswer; readonly note: HearingNote | null };

export type HearingNote = 'nobody-asked' | 'vetoed' | 'notice-not-confirmed';

/** The question's own words. The notice stands above it. */
export const question = { text: 'Count them?', hint: 'y/N, p to preview' } as const;

/** Whether to ask, or what the answer is. `noticeId` is that of the release that will run; null where there is nothing to consent to. */
export const hear = (
  said: Said | null,
  noticeId: NoticeId | null,
  { interactive, vetoed }: { interactive: boolean; vetoed: boolean },
): Hearing => {
  if (said?.say === 'off') return { ask: false, answer: { say: 'no', by: said.by }, note: null };
  if (noticeId === null) return { ask: false, answer: { say: 'none', reason: 'not-asked' }, note: null };
  if (said?.say === 'on' && said.noticeId === noticeId) {
    return { ask: false, answer: { say: 'yes', by: said.by, noticeId }, note: vetoed ? 'vetoed' : null };
  }
  if (interactive && !vetoed) return { ask: true };
  if (said?.say === 'on') {
    return { ask: false, answer: { say: 'none', reason: 'notice-not-confirmed' }, note: 'notice-not-confirmed' };
  }
  return { ask: false, answer: { say: 'none', reason: 'not-asked' }, note: vetoed ? 'vetoed' : 'nobody-asked' };
};

/** The line for people that goes with a note. `reading` is the command that prints this very notice. */
export const noteText = (note: HearingNote, noticeId: NoticeId | null, reading: string): string =>
  ({
    'nobody-asked': 'Telemetry: nobody was asked, so nothing is counted.',
    vetoed: 'Telemetry: DO_NOT_TRACK is set, so nothing is asked and nothing is counted; the server gets it too.',
    'notice-not-confirmed': `Telemetry: on was not confirmed with the id of this notice, so nothing is counted. Read it with: ${reading}. Then: --telemetry=on --telemetry-notice=${noticeId ?? 'ID'}`,
  })[note];

/**
 * What a key pressed at the question means. Enter takes the default, which is a no; `p` shows a report and comes back; any other key leaves the
 * question standing.
 */
export const keyMeans = (key: string): 'yes' | 'no' | 'preview' | 'again' => {
  if (key === 'y' || key === 'Y') return 'yes';
  if (key === 'p' || key === 'P') return 'preview';
  return key === 'n' || key === 'N' || key === '\r' || key === '\n' ? 'no' : 'again';
};

/** True where the question may be put at all: both ends are a terminal, and it is no CI. */
export const mayAsk = (world: Pick<World, 'env' | 'terminal'>): boolean =>
  world.terminal.stdin && world.terminal.stdout && ['', '0', 'false'].includes((world.env.CI ?? '').toLowerCase());

/** Whether this very process was told not to track. */
export const callerVetoes = (world: Pick<World, 'env'>): boolean => isVeto(world.env.DO_NOT_TRACK);

/**
 * Writes down that the question was put, where the instance exists already: looking at a question makes no log. Returns what there is
 * then: a withdrawal behind it beats the answer. Never throws: a question that can't be logged is put all the same.
 */
export const logQuestion = async (
  world: World,
  paths: InstancePaths,
  asked: { noticeId: NoticeId; version: string | null; account: Account | null },
): Promise<Asked> => {
  const before = askedNow(paths);
  try {
    return await withConsentLock(world, paths, 'log the question', async () => {
      const sharing = sharingOf(world, paths, asked.account);
      const user = userDigest(world, paths, world.user.login, sharing);
      const { noticeId, version } = asked;
      const log = appendLines(world, paths, [{ kind: 'question', noticeId, version, user }], sharing);
      return { ...before, since: log.length, head: log.head };
    });
  } catch {
    return before;
  }
};
