/**
 * A decision about telemetry for a copy of an instance: a new generation with a yes or a no, put on record by the code that every change
 * uses. The copy stands where the real instance does (scratch.ts), so the binding of its record is a valid one, there and nowhere else: with
 * the copy the key and the record are gone.
 */

import { beginGeneration, type Raise, recordAnswer } from '../../consent/decide.ts';
import { askedNow, loadLog } from '../../consent/log.ts';
import { makeNotice } from '../../consent/notice.ts';
import { storeNotice } from '../../consent/notice-file.ts';
import { openTelemetry } from '../../consent/telemetry-folder.ts';
import { writeWindow } from '../../consent/window.ts';
import { Failure } from '../../errors.ts';
import type { InstancePaths } from '../../instance/paths.ts';
import { type InstanceState, writeState } from '../../instance/state.ts';
import type { StoredRelease } from '../../release/store.ts';
import type { World } from '../../system/world.ts';
import { asGenerationKey, endpointSetting } from '../../values.ts';

/** The copy's state with the answer in force. A yes is to what would be asked if the admin had named `endpoint` as the recipient. */
export const answerInCopy = async (
  world: World,
  paths: InstancePaths,
  state: InstanceState,
  stored: StoredRelease,
  answer: { readonly say: 'no' } | { readonly say: 'yes'; readonly endpoint: string },
): Promise<InstanceState> => {
  const key = asGenerationKey(world.random(32).toString('hex'));
  if (key === undefined) throw new Error('a key of 32 bytes is none');
  const yes = answer.say === 'yes';
  const settings = yes ? { ...state.settings, [endpointSetting]: answer.endpoint } : state.settings;
  const notice = yes ? makeNotice(stored.product, stored.release, settings) : null;
  const noticeId = notice === null ? state.noticeId : storeNotice(world, paths, notice, state.account);
  const next: InstanceState = {
    ...state,
    generation: Math.max(state.generation, loadLog(paths).generation?.generation ?? 0) + 1,
    key,
    noticeId,
    settings,
    supervisor: 'none',
    // A yes is to be seen at work; a no keeps whatever else is in its way.
    veto: yes ? null : state.veto,
  };
  writeState(paths, next);
  const raise: Raise = {
    generation: next.generation,
    key,
    change: 'reinstall',
    version: state.release.version,
    noticeId,
    account: state.account,
    answer: yes && noticeId !== null ? { say: 'yes', by: 'flag', noticeId } : { say: 'no', by: 'flag' },
    ...askedNow(paths),
  };
  for (const record of [beginGeneration, recordAnswer]) {
    const { problem } = await record(world, paths, raise);
    if (problem !== null) throw new Failure('refused-check', problem, 'That was in a copy. Nothing was changed.');
  }
  if (yes) openFor(world, paths, next);
  return next;
};

/** As a change does it; but the window is opened days ago, so that what is counted today can be reported as soon as today is over. */
const openFor = (world: World, paths: InstancePaths, { account, generation }: InstanceState): void => {
  openTelemetry(paths, account);
  writeWindow(paths, { generation, since: new Date(world.now().getTime() - 2 * dayMs).toISOString() });
};

export const dayMs = 24 * 60 * 60 * 1000;
