/**
 * Watches what consent says, from within somebody else's event loop: a few stats each time it is asked, the resolver itself only where those have
 * changed, and every 30 seconds in any case. It never waits. Where the server is another process, its veto is looked up as well, and more often.
 *
 * While files are being written, one look is not enough to tell a no from a line half written. Such an answer is `unsettled`: nothing may be
 * counted, nothing is forgotten yet. Several of them in a row are a no.
 */

import { consentFingerprint, mayCountNow } from '../../consent/gather.ts';
import type { InstancePaths } from '../../instance/paths.ts';
import type { World } from '../../system/world.ts';
import { asNoticeId, type NoticeId } from '../../values.ts';

export interface Yes {
  readonly noticeId: NoticeId;
  /** Tells this yes from any other one. */
  readonly consent: string;
}

export type View = Yes | 'no' | 'unsettled';

export interface Watch {
  /** What stands now. `anew`: ask in full whatever the stats say, as before something is written. */
  look(anew?: 'anew'): View;
}

const askAgainMs = { ownVeto: 30_000, serverVeto: 2_000 };
/** At four looks a second this is less than a second. */
const unsettledLooks = 3;

/** `serverVeto` looks up DO_NOT_TRACK of a server that we are not: nothing of ours tells when that one changes. */
export const makeWatch = (
  world: Pick<World, 'now' | 'machineId' | 'env'>,
  paths: InstancePaths,
  serverVeto?: () => string | undefined,
): Watch => {
  const againMs = serverVeto === undefined ? askAgainMs.ownVeto : askAgainMs.serverVeto;
  let seen: string | undefined;
  let view: View = 'no';
  let askedAt = 0;
  let unsettled = 0;
  return {
    look: (anew) => {
      const fingerprint = consentFingerprint(paths);
      const isSame = fingerprint === seen && performance.now() - askedAt < againMs;
      if (isSame && view !== 'unsettled' && anew === undefined) return view;
      seen = fingerprint;
      askedAt = performance.now();
      const { answer, settled, generation } = mayCountNow(world, paths, serverVeto?.());
      unsettled = settled ? 0 : unsettled + 1;
      const noticeId = asNoticeId(answer.noticeId ?? '');
      if (answer.collecting && noticeId !== undefined) view = { noticeId, consent: `${noticeId} ${generation}` };
      else view = unsettled > 0 && unsettled <= unsettledLooks ? 'unsettled' : 'no';
      return view;
    },
  };
};
