/**
 * A failure for people: what happened, what state the machine is in, and what to type next. A stack is shown to those who ask
 * for it (`--verbose`), and only for what is no Failure: a bug.
 */

import { exits, Failure } from '../../errors.ts';
import { printable, wrap } from '../layout.ts';
import type { Look } from '../look.ts';

export const failureLines = (error: unknown, look: Look, verbose: boolean): string[] => {
  const { message, advice, state } = describe(error);
  const block = (text: string) => wrap(printable(text), look.columns - 4).map((line) => `    ${line}`.trimEnd());
  const [first = '', ...rest] = block(message);
  return [
    '',
    `  ${look.paint.bad(look.symbols.failed)} ${look.paint.strong(first.trim())}`,
    ...rest,
    ...(state === '' ? [] : block(state)),
    ...block(advice),
    ...(verbose ? causeLines(error).map((line) => look.paint.faint(`    ${line}`)) : []),
  ];
};

/** The error of the JSON document. */
export const failureView = (error: unknown): { code: string; message: string; advice: string; exit: number } => {
  const { code, message, advice } = describe(error);
  return { code, message, advice, exit: exitOf(error) };
};

export const exitOf = (error: unknown): number => (error instanceof Failure ? error.exit : exits.bug);

interface Described {
  readonly code: string;
  readonly message: string;
  readonly advice: string;
  /** One sentence about the machine, where neither message nor advice tells it. */
  readonly state: string;
}

const describe = (error: unknown): Described => {
  if (!(error instanceof Failure)) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { code: 'bug', message: `This is a bug in Assent. ${message}`, advice: reporting, state: '' };
  }
  const { code, message, advice, exit } = error;
  const told = /nothing (but consent )?(was|has been) changed|unchanged/i.test(`${message} ${advice}`);
  return { code, message, advice, state: told || exit === exits.cancelled ? '' : (machineAfter[exit] ?? '') };
};

/** What the contract promises about the machine after an exit code. */
const machineAfter: Readonly<Record<number, string>> = {
  [exits.usage]: 'Nothing was changed.',
  [exits.refused]: 'Nothing was changed.',
  [exits.answerNeeded]: 'Nothing was changed.',
  [exits.download]: 'Nothing was changed.',
  [exits.busy]: 'Nothing was changed.',
  [exits.unknown]: 'Nothing was changed.',
};

const reporting =
  'Run the same command with --verbose and report what it prints at the project\'s issue tracker. If a change was under way, "assent status" says so and "assent recover" ends it.';

const causeLines = (error: unknown): string[] => {
  const lines: string[] = [];
  for (let at: unknown = error; at instanceof Error && lines.length < 60; at = at.cause) {
    const text =
      at instanceof Failure && at !== error ? at.message : at instanceof Failure ? '' : (at.stack ?? at.message);
    if (text !== '') lines.push(...printable(text).split('\n'));
  }
  return lines;
};
