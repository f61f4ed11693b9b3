/**
 * The JSON rendering: one document of the contract's schema `assent/1`, made of the same result that people see a screen of.
 * What a command has nothing for is left out.
 */

import { exits, Failure } from '../errors.ts';
import type { Outcome, Result } from './result.ts';
import { failureView } from './views/failure.ts';

/** The document, with a line end. `failure` is undefined for a command that did what it was asked. */
export const documentOf = (command: string, result: Result | undefined, failure: unknown): string => {
  const { outcome, changed, ...rest } = result ?? { changed: false };
  const ended = failure === undefined ? outcome : (outcome ?? outcomeOf(failure));
  return `${JSON.stringify({
    schema: 'assent/1',
    command,
    ok: failure === undefined,
    ...(ended === undefined ? {} : { outcome: ended }),
    changed: changed || changedBy(failure),
    ...rest,
    ...(failure === undefined ? {} : { error: failureView(failure) }),
  })}\n`;
};

const outcomeOf = (failure: unknown): Outcome => {
  if (!(failure instanceof Failure) || failure.exit === exits.stuck || failure.isOpen) return 'failed';
  return failure.exit === exits.undone ? 'undone' : 'refused';
};

/** A change that could be neither finished nor undone has left its mark. What was undone has not; nor has what is refused because such a change waits. */
const changedBy = (failure: unknown): boolean => failure instanceof Failure && failure.isOpen;
