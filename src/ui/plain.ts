/**
 * The rendering without a terminal: a line when a step ends, none while it runs. What a log file or a CI job wants.
 * Quiet, it says nothing but warnings; those go to standard error, as does everything where standard output holds a JSON document.
 */

import { messageOf } from '../errors.ts';
import type { Stream } from '../system/terminal.ts';
import { write } from '../system/terminal.ts';
import type { Rendering, StepLabel } from './events.ts';
import { duration, printable } from './layout.ts';
import type { Look } from './look.ts';
import { planLines, titleLine } from './views/plan.ts';

export interface PlainOptions {
  readonly look: Look;
  readonly stream: Stream;
  readonly quiet: boolean;
  /** Also says when a step begins and what it is. */
  readonly verbose: boolean;
}

export const plainRendering = ({ look, stream, quiet, verbose }: PlainOptions): Rendering => {
  const { paint, symbols } = look;
  /** An empty line parts the plan from the first step. */
  let belowPlan = false;
  const say = (line: string) => {
    if (!quiet) write(stream, `${line}\n`);
  };
  return {
    title: (text, summary) => say(titleLine(text, summary, look)),
    plan: (plan) => {
      say(planLines(plan, look).join('\n'));
      belowPlan = true;
    },
    stepStarted: (step) => {
      if (belowPlan) say('');
      belowPlan = false;
      if (verbose) say(`  ${symbols.dot} ${labelOf(step)}${printable(step.title)}`);
    },
    stepProgress: () => {},
    stepDone: (step, milliseconds) => say(`  ${paint.good(symbols.done)} ${labelOf(step)}${duration(milliseconds)}`),
    stepFailed: (step, error) =>
      write('err', `  ${paint.bad(symbols.failed)} ${labelOf(step)}${printable(messageOf(error))}\n`),
    stepUndone: (step) => say(`  ${symbols.undo} ${labelOf(step)}undone`),
    warn: (warning) =>
      write('err', `  ${paint.caution(symbols.caution)} ${printable(warning.message)} ${printable(warning.remedy)}\n`),
    note: (text) => say(`  ${printable(text)}`),
    end: () => {},
  };
};

/** The step's kind, padded so that what follows stands in a column. */
export const labelOf = (step: StepLabel): string => `${step.step.padEnd(11)} `;
