/**
 * The question that takes a yes or a no: `(y/N)`. Enter alone is the default, `y` or `yes` and Enter is a yes, `n` or `no` and
 * Enter a no. Any other key leaves the question standing: it does not even appear. A question may have one key more that leads aside at
 * once, without Enter, and as the first key only.
 *
 * Our own, since a library's confirm takes what it does not understand for typed text, and a key pressed by mistake must not become an answer.
 */

import { createPrompt, isBackspaceKey, isEnterKey, useKeypress, useState } from '@inquirer/core';
import type { Look } from './look.ts';

export interface YesNo {
  readonly message: string;
  readonly default: boolean;
  readonly look: Look;
  readonly aside?: Aside;
}

export interface Aside {
  /** Stands in the brackets behind the question: `y/N, p to preview`. */
  readonly hint: string;
  /** What the line says once the key was pressed. */
  readonly word: string;
  isKey(key: string): boolean;
}

export const yesNo = createPrompt<boolean | 'aside', YesNo>(({ message, default: standard, look, aside }, done) => {
  const [typed, setTyped] = useState('');
  const [answer, setAnswer] = useState<boolean | 'aside' | undefined>(undefined);
  const { paint } = look;

  useKeypress((key, line) => {
    if (answer !== undefined) return;
    if (isEnterKey(key)) {
      const said = meaningOf(typed, standard);
      if (said === undefined) return line.write(typed);
      setAnswer(said);
      return done(said);
    }
    if (typed === '' && aside?.isKey(line.line) === true) {
      setAnswer('aside');
      return done('aside');
    }
    const text = isBackspaceKey(key) ? typed.slice(0, -1) : line.line.toLowerCase();
    const kept = ['yes', 'no'].some((word) => word.startsWith(text)) ? text : typed;
    line.clearLine(0);
    line.write(kept);
    setTyped(kept);
  });

  const question = `${paint.accent('?')} ${paint.strong(message)}`;
  if (answer !== undefined)
    return `${question} ${paint.accent(answer === 'aside' ? (aside?.word ?? '') : answer ? 'Yes' : 'No')}`;
  return `${question} ${paint.faint(`(${aside?.hint ?? (standard ? 'Y/n' : 'y/N')})`)} ${typed}`;
});

/** What a word and Enter mean, or undefined for the beginning of a word, which is no answer yet. */
const meaningOf = (typed: string, standard: boolean): boolean | undefined => {
  if (typed === '') return standard;
  if (typed === 'y' || typed === 'yes') return true;
  return typed === 'n' || typed === 'no' ? false : undefined;
};
