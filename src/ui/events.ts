/**
 * The renderings of what happens while a change is planned and done: a live list on a terminal, a plain line per step
 * elsewhere, nothing but warnings when told to be quiet. None of them decides anything.
 */

import type { Step } from '../change/plan.ts';
import type { Events } from '../change/request.ts';

export type Progress = Parameters<Events['stepProgress']>[1];
/** What a rendering shows of a step. */
export type StepLabel = Pick<Step, 'id' | 'step' | 'title'>;

/** An events port that owns a piece of the screen and has to give it back. */
export interface Rendering extends Events {
  /** Leaves the screen clean; the next event may take it again. */
  end(): void;
}
