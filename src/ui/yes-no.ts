/**
 * The question that takes a yes or a no: `(y/N)`. Enter alone is the default, `y` or `yes` and Enter is a yes, `n` or `no` and
 * Enter a no. Any other key leaves the question standing: it does not even appear. A question may have one key more that leads aside at
 * once, without Enter, and as the first key only. After any other key Enter is no yes: the line is dropped, and the question stands.
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
  const [typed, setTyped] = useState<Typed>(nothing);
  const [answer, setAnswer] = useState<boolean | 'aside' | undefined>(undefined);
  const { paint } = look;

  useKeypress((key, line) => {
    if (answer !== undefined) return;
    if (isEnterKey(key)) {
      const said = answerOf(typed, standard);
      if (said !== undefined) {
        setAnswer(said);
        return done(said);
      }
      const left = typed.stray ? nothing : typed;
      line.write(left.word);
      return setTyped(left);
    }
    if (typed.word === '' && aside?.isKey(line.line) === true) {
      setAnswer('aside');
      return done('aside');
    }
    const now = isBackspaceKey(key) ? { word: typed.word.slice(0, -1), stray: false } : typedAfter(typed, line.line);
    line.clearLine(0);
    line.write(now.word);
    setTyped(now);
  });

  const question = `${paint.accent('?')} ${paint.strong(message)}`;
  if (answer !== undefined)
    return `${question} ${paint.accent(answer === 'aside' ? (aside?.word ?? '') : answer ? 'Yes' : 'No')}`;
  return `${question} ${paint.faint(`(${aside?.hint ?? (standard ? 'Y/n' : 'y/N')})`)} ${typed.word}`;
});

/** What stands at the question. `stray` tells that a key fell among it which is no part of an answer. */
export interface Typed {
  readonly word: string;
  readonly stray: boolean;
}

const nothing: Typed = { word: '', stray: false };

/** `line` is the word of before with one key more. An `n` replaces what stands there: whoever has typed a yes may still say no. */
export const typedAfter = (before: Typed, line: string): Typed => {
  const text = line.toLowerCase();
  if (['yes', 'no'].some((word) => word.startsWith(text))) return { ...before, word: text };
  return text === `${before.word}n` ? { ...before, word: 'n' } : { ...before, stray: true };
};

/**
 * What Enter means, or undefined where the question stays: for the beginning of a word, and for a yes among stray keys. A line that was
 * pasted into the wrong window ("systemctl restart", "apt-get -y") has the letters of a yes in it, and is none.
 */
export const answerOf = ({ word, stray }: Typed, standard: boolean): boolean | undefined => {
  const said = meaningOf(word, standard);
  return said === true && stray ? undefined : said;
};

const meaningOf = (word: string, standard: boolean): boolean | undefined => {
  if (word === '') return standard;
  if (word === 'y' || word === 'yes') return true;
  return word === 'n' || word === 'no' ? false : undefined;
};
