/**
 * Colours and symbols. Colour carries no meaning that words do not carry too, and only the terminal's own sixteen are used, for
 * they are readable on dark and on light. chalk is loaded only where something is going to be coloured.
 */

export interface Paint {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly caution: (text: string) => string;
  readonly accent: (text: string) => string;
}

export interface Symbols {
  readonly done: string;
  readonly failed: string;
  readonly caution: string;
  readonly dot: string;
  readonly undo: string;
  readonly more: string;
  /** What bars are drawn with. */
  readonly bar: string;
  readonly spinner: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const same = (text: string): string => text;
export const noPaint: Paint = { strong: same, faint: same, good: same, bad: same, caution: same, accent: same };

/** Colours where they are wanted: `--no-color`, then NO_COLOR, then FORCE_COLOR, then whether a person looks at it. */
export const wantsColour = (environment: Environment, flag: boolean, terminal: boolean): boolean => {
  if (!flag || (environment['NO_COLOR'] ?? '') !== '') return false;
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined) return !['0', 'false'].includes(forced);
  return terminal && environment['TERM'] !== 'dumb';
};

export const loadPaint = async (colour: boolean): Promise<Paint> => {
  if (!colour) return noPaint;
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  // Wrapped, since chalk joins all arguments that it gets, and callbacks are called with more than the text.
  return {
    strong: (text) => chalk.bold(text),
    faint: (text) => chalk.dim(text),
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red(text),
    caution: (text) => chalk.yellow(text),
    accent: (text) => chalk.cyan(text),
  };
};

/** Symbols that the terminal can show: ASCII unless its locale says UTF-8. */
export const symbolsFor = (environment: Environment): Symbols => {
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '';
  return /utf-?8/i.test(locale) && environment['TERM'] !== 'linux' ? unicode : ascii;
};

const unicode: Symbols = {
  done: '✔',
  failed: '✖',
  caution: '!',
  dot: '·',
  undo: '↩',
  more: '…',
  bar: '█',
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
};

const ascii: Symbols = {
  done: '+',
  failed: 'x',
  caution: '!',
  dot: '-',
  undo: '<',
  more: '...',
  bar: '#',
  spinner: ['-', '\\', '|', '/'],
};
