/**
 * The rendering on a terminal: finished steps are lines that stay; the step under way is one line at the bottom that is redrawn
 * in place, with a spinner, the bytes and the seconds.
 *
 * Only that one line is ever rewritten, and it is cut to the screen's width of that moment, so nothing can wrap and leave garbage
 * behind. Everything that is printed meanwhile goes through here, above that line.
 */

import { messageOf } from '../errors.ts';
import { screenSize, write } from '../system/terminal.ts';
import type { Progress, Rendering, StepLabel } from './events.ts';
import { amount, cut, duration, printable, wrap } from './layout.ts';
import type { Look } from './look.ts';
import { labelOf } from './plain.ts';
import { planLines, titleLine } from './views/plan.ts';

const clearLine = '\r\u001b[2K';
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const frameMs = 100;

interface Live {
  readonly step: StepLabel;
  readonly since: number;
  progress: Progress | undefined;
  /** Bytes that the step has loaded or written so far. */
  bytes: number;
}

export const terminalRendering = (look: Look, now: () => number): Rendering => {
  const { paint, symbols } = look;
  let live: Live | undefined;
  let timer: NodeJS.Timeout | undefined;
  let frame = 0;
  /** An empty line parts the plan from the first step. */
  let belowPlan = false;

  const draw = () => {
    if (live === undefined) return;
    const spinner = symbols.spinner[frame % symbols.spinner.length] ?? '';
    const text = cut(liveText(live, now()), Math.max(10, screenSize('out').columns - 5), symbols.more);
    write('out', `${clearLine}  ${paint.accent(spinner)} ${text}`);
  };
  const tick = () => {
    frame += 1;
    draw();
  };
  const rest = () => {
    clearInterval(timer);
    timer = undefined;
    if (live !== undefined) write('out', `${clearLine}${showCursor}`);
    live = undefined;
  };
  const above = (lines: string[]) => {
    write('out', `${live === undefined ? '' : clearLine}${lines.join('\n')}\n`);
    draw();
  };
  const marked = (mark: string, text: string) =>
    wrap(printable(text), look.columns - 4).map((line, at) => (at === 0 ? `  ${mark} ${line}` : `    ${line}`));

  return {
    title: (text, summary) => above([titleLine(text, summary, look)]),
    plan: (plan) => {
      above(planLines(plan, look));
      belowPlan = true;
    },
    stepStarted: (step) => {
      rest();
      if (belowPlan) above(['']);
      belowPlan = false;
      live = { step, since: now(), progress: undefined, bytes: 0 };
      write('out', hideCursor);
      draw();
      timer = setInterval(tick, frameMs);
      timer.unref();
    },
    stepProgress: (step, progress) => {
      if (live?.step.id !== step.id) return;
      live.progress = progress;
      if (progress.unit === 'bytes') live.bytes = progress.done;
    },
    stepDone: (step, milliseconds) => {
      const bytes = live?.step.id === step.id ? live.bytes : 0;
      rest();
      write('out', `  ${paint.good(symbols.done)} ${labelOf(step)}${paint.faint(tally(bytes, milliseconds))}\n`);
    },
    stepFailed: (step, error) => {
      rest();
      above(marked(paint.bad(symbols.failed), `${labelOf(step)}${messageOf(error)}`));
    },
    stepUndone: (step) => {
      rest();
      above(marked(symbols.undo, `${labelOf(step)}undone`));
    },
    warn: (warning) => above(marked(paint.caution(symbols.caution), `${warning.message} ${warning.remedy}`)),
    note: (text) => above(marked(' ', text)),
    end: rest,
  };
};

const liveText = ({ step, since, progress }: Live, time: number): string => {
  const parts = [progress === undefined ? printable(step.title) : howFar(progress)];
  if (time - since >= 1000) parts.push(duration(time - since));
  return `${labelOf(step)}${parts.join('  ')}`;
};

const howFar = ({ done, total, unit }: Progress): string => {
  const known = total > 0;
  if (unit === 'files') return known ? `${done} of ${Math.max(done, total)} files` : `${done} files`;
  return known ? `${amount(done)} of ${amount(Math.max(done, total))}` : amount(done);
};

const tally = (bytes: number, milliseconds: number): string =>
  bytes === 0 ? duration(milliseconds) : `${duration(milliseconds)}  ${amount(bytes)}`;
