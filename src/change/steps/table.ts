/**
 * The closed table of all steps that a transaction does and undoes.
 *
 * Both directions are idempotent and decide from what is on disk: either may be repeated after a crash at any point of
 * itself. A step never looks into the journal; the transaction does.
 */

import type { ChangeContext } from '../context.ts';
import type { ChangeStepKind } from '../plan.ts';
import { accountStep } from './account.ts';
import { consentStep, generationStep } from './consent.ts';
import { configStep, dataStep, secondCopyStep } from './parts.ts';
import { healthStep, restStep, serviceStep, startStep, stopStep } from './service.ts';
import { currentStep, stateStep } from './state.ts';

export interface StepWork {
  readonly do: (ctx: ChangeContext) => Promise<void>;
  readonly undo: (ctx: ChangeContext) => Promise<void>;
}

export const steps = {
  generation: generationStep,
  account: accountStep,
  stop: stopStep,
  'second-copy': secondCopyStep,
  data: dataStep,
  config: configStep,
  current: currentStep,
  state: stateStep,
  service: serviceStep,
  consent: consentStep,
  start: startStep,
  health: healthStep,
  rest: restStep,
} as const satisfies Record<ChangeStepKind, StepWork>;
