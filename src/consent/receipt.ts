/**
 * `telemetry receipt`: the current decision as one JSON document that an auditor can keep: the answer, the text that was agreed to, and the
 * head of the log that it can be checked against later. No name of a user, no key, no digest of the machine is in it.
 */

import type { InstancePaths } from '../instance/paths.ts';
import { readState } from '../instance/state.ts';
import type { World } from '../system/world.ts';
import { asNoticeId } from '../values.ts';
import { explain } from './explain.ts';
import { consentOf } from './gather.ts';
import { faultOf } from './history.ts';
import { loadLog } from './log.ts';
import type { Notice } from './notice.ts';
import { readNotice } from './notice-file.ts';
import { noticeText } from './notice-text.ts';
import type { Answer } from './resolver.ts';

export interface Receipt {
  readonly schema: 'assent-receipt/1';
  /** When the receipt was made, not when the decision was. ISO 8601, UTC. */
  readonly madeAt: string;
  readonly instance: string;
  readonly product: string | null;
  readonly version: string | null;
  readonly generation: number | null;
  readonly decision: Omit<Answer, 'running'>;
  readonly meaning: string;
  /** The stored notice and its text; null where the product has none or the copy can't be trusted. */
  readonly notice: { readonly id: string; readonly text: string; readonly content: Notice } | null;
  readonly log: {
    readonly lines: number;
    readonly head: string;
    readonly whole: boolean;
    readonly line: number | null;
  };
}

/** Throws 'refused-state-damaged' where the instance's state can't be read. */
export const receiptOf = (world: World, paths: InstancePaths, serverVeto?: string): Receipt => {
  const state = readState(paths);
  const { running: _, ...decision } = consentOf(world, paths, serverVeto);
  const log = loadLog(paths);
  return {
    schema: 'assent-receipt/1',
    madeAt: world.now().toISOString(),
    instance: paths.name,
    product: state?.product ?? null,
    version: state?.release.version ?? null,
    generation: state?.generation ?? null,
    decision,
    meaning: explain({ ...decision, running: null }, paths.name),
    notice: noticeOf(paths, decision.noticeId),
    log: { lines: log.length, head: log.head, whole: faultOf(paths, log) === null, line: log.standing?.n ?? null },
  };
};

const noticeOf = (paths: InstancePaths, id: string | null): Receipt['notice'] => {
  const known = id === null ? undefined : asNoticeId(id);
  const content = known === undefined ? undefined : readNotice(paths, known);
  return known === undefined || content === undefined ? null : { id: known, text: noticeText(content), content };
};
