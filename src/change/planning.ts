/** From what was resolved, answered and found, to the facts that a plan is assembled from. No effects but reading sizes of filesystems. */

import type { Heard } from './ask.ts';
import { dangersOf, warningsOf } from './forebode.ts';
import { nextGeneration } from './generation.ts';
import type { Danger, Facts, Plan, Warning } from './plan.ts';
import { assemblePlan } from './plan.ts';
import { noRehearsal } from './rehearsal/eligibility.ts';
import type { ChangeRequest, Ports } from './request.ts';
import { amountsOf, isEnough, spaceNeeds } from './space.ts';
import type { Survey } from './survey.ts';
import type { Target } from './target.ts';

/** What a small server needs to stop and to start, in seconds; the last screen tells what it really was. */
const usual = { stop: 0.5, start: 2 } as const;

export const makePlan = (ports: Ports, request: ChangeRequest, target: Target, found: Survey, heard: Heard): Plan =>
  assemblePlan(factsOf(ports, request, target, found, heard));

const factsOf = (ports: Ports, request: ChangeRequest, target: Target, found: Survey, heard: Heard): Facts => {
  const { kind, paths, product, release, before, from, to } = target;
  const uninstall = kind === 'uninstall';
  const fetches = !uninstall && found.stored === undefined;
  const dangers: Danger[] = dangersOf(ports, request, target, found);
  const rehearses = canRehearse(ports, target, found);
  const warnings: Warning[] = [...warningsOf(ports, target, found), ...noRehearsal(target, found.rehearsal, rehearses)];
  const staysRunning = found.supervisor !== 'none' && (from === null || found.running || before?.running === true);
  return {
    kind,
    instance: paths.name,
    productTitle: product.title,
    from,
    to: uninstall ? null : to,
    generation: nextGeneration(paths, before),
    stateDigest: target.stateDigest,
    dangers,
    warnings,
    space: spaceNeeds(amountsOf(ports.home, target, found, rehearses)),
    fetch: fetches ? { ...release.size, packages: found.packages } : null,
    runtime:
      uninstall || found.runtimeThere || release.runtime === undefined
        ? null
        : { version: release.runtime, bytes: 55_000_000 },
    program: !found.programThere || !found.recoveryThere,
    data:
      found.data === null
        ? null
        : { from: found.data.from, bytes: found.data.size.bytes, files: found.data.size.files },
    rehearses,
    account: found.account?.made && from === null ? found.account.name : null,
    // In doubt it is stopped: that does nothing to one that is down.
    wasRunning: found.mayRun,
    staysRunning,
    supervised: found.supervisor !== 'none' && (!uninstall || from !== null),
    configFiles: release.config.length,
    asksConsent: heard.noticeId !== null && heard.answer.say !== 'none',
    purge: request.purge === true,
    keepsBackup: from !== null && (kind === 'upgrade' || kind === 'rollback'),
    trialMinutes: kind === 'upgrade' && staysRunning ? (release.probation ?? 0) : 0,
    stopSeconds: usual.stop,
    startSeconds: usual.start,
  };
};

/** Room that only the rehearsal lacks is no reason to refuse the change. */
const canRehearse = ({ home }: Ports, target: Target, found: Survey): boolean => {
  if (found.rehearsal === null || !('copy' in found.rehearsal)) return false;
  const enough = (rehearses: boolean): boolean => isEnough(spaceNeeds(amountsOf(home, target, found, rehearses)));
  return enough(true) || !enough(false);
};
