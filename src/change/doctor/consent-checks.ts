/** Checks of consent: whether the record can be trusted, and whether the log's chain holds. */

import { faultText } from '../../consent/explain.ts';
import { consentOf } from '../../consent/gather.ts';
import { historyOf } from '../../consent/history.ts';
import type { InstancePaths } from '../../instance/paths.ts';
import type { World } from '../../system/world.ts';
import type { Found } from './finding.ts';
import { problem } from './finding.ts';

export interface Consenting {
  readonly world: World;
  readonly paths: InstancePaths;
}

const consentRecord = ({ world, paths }: Consenting): Found[] => {
  const { state, fault } = consentOf(world, paths);
  if (state !== 'invalid') return [];
  const why = fault === null ? '' : `: ${faultText(fault)}`;
  return [
    problem(
      'consent-invalid',
      `The record about telemetry can't be trusted${why}. It counts as a no.`,
      `To be asked anew: assent reinstall ${paths.name}`,
    ),
  ];
};

const consentChain = ({ paths }: Consenting): Found[] => {
  const { fault } = historyOf(paths);
  if (fault === null) return [];
  return [
    problem(
      'history-altered',
      `${paths.consentLog} was altered: ${fault}.`,
      `Look at it: assent telemetry history ${paths.name}`,
    ),
  ];
};

export const consentChecks = [consentRecord, consentChain] as const;
