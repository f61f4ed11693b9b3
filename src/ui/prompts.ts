/**
 * The questions at a terminal. Whoever asks gets an answer or the failure 'cancelled': Ctrl-C, end of input, a closed terminal and a
 * signal all end the command with nothing changed.
 *
 * Questions that decide something (consent, the data of a rollback, dangers, the last one) throw away keys that were typed before they were drawn.
 * The libraries are loaded with the first question.
 */

import type { DataChoice, DataOf } from '../change/request.ts';
import { Failure } from '../errors.ts';
import type { Setting } from '../product/settings.ts';
import { parseSetting } from '../product/settings.ts';
import { onEndingSignal } from '../system/signals.ts';
import { discardTypedAhead, onInputEnd, promptStreams, switchColourOff } from '../system/terminal.ts';
import { wrap } from './layout.ts';
import type { Look } from './look.ts';
import { noPaint } from './paint.ts';
import type { Aside, YesNo } from './yes-no.ts';

/** What a prompt of the library takes beside its question. */
export interface PromptContext {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

/** Says what is wrong with a valid value, or nothing: a port that is taken, say. */
export type Objection = (value: string | number | boolean) => Promise<string | undefined>;

/** Asks one setting; the answer is text, as a flag would give it. */
export const askSetting = async (
  look: Look,
  setting: Setting,
  before: string | undefined,
  objection: Objection,
): Promise<string> => {
  const kit = await import('@inquirer/prompts');
  const question = { message: setting.title, theme: themeOf(look) };
  const validate = (text: string | undefined) => objectionTo(setting, text ?? '', objection);
  return asking(look, async (context) => {
    if (setting.type === 'choice') {
      const choices = (setting.choices ?? []).map((value) => ({ value, name: value }));
      return kit.select({ ...question, choices, ...(before === undefined ? {} : { default: before }) }, context);
    }
    if (setting.type === 'secret') return kit.password({ ...question, mask: '*', validate }, context);
    if (setting.type === 'boolean')
      return String(await (await yesNoPrompt())({ message: setting.title, default: before === 'true', look }, context));
    return kit.input({ ...question, validate, ...(before === undefined ? {} : { default: before }) }, context);
  });
};

/** Whose data a rollback takes, as a choice with its default marked; keys typed too early don't count. */
export const askData = async (look: Look, all: readonly DataChoice[], standard: DataOf): Promise<DataOf> => {
  const { select } = await import('@inquirer/prompts');
  const choices = all.map(({ of, meaning }) => ({ value: of, name: `the data of ${of}`, description: meaning }));
  return asking(look, async (context) => {
    await dropTypedAhead();
    return select({ message: 'With which data?', choices, default: standard, theme: themeOf(look) }, context);
  });
};

/** A yes or a no that decides something; keys typed too early don't count. */
export const askYesNo = async (look: Look, message: string, standard: boolean): Promise<boolean> =>
  (await askDeciding({ message, default: standard, look })) === true;

/** The same, a no by default, with a key that leads aside: whoever asks comes back to the question. */
export const askYesNoOr = (look: Look, message: string, aside: Aside): Promise<boolean | 'aside'> =>
  askDeciding({ message, default: false, look, aside });

const askDeciding = async (question: YesNo): Promise<boolean | 'aside'> => {
  const { look } = question;
  const ask = await yesNoPrompt();
  return asking(look, async (context) => {
    await dropTypedAhead();
    return ask(question, context);
  });
};

const dropTypedAhead = async (): Promise<void> => {
  if ((await discardTypedAhead()).interrupted) throw cancelled();
};

export const cancelled = (): Failure =>
  new Failure('cancelled', 'Cancelled.', 'Nothing was changed. Run the same command again when you are ready.');

const yesNoPrompt = async () => (await import('./yes-no.ts')).yesNo;

const asking = async <Answer>(look: Look, ask: (context: PromptContext) => Promise<Answer>): Promise<Answer> => {
  if (look.paint === noPaint) switchColourOff();
  const ended = new AbortController();
  const end = () => ended.abort();
  const listeners = [onInputEnd(end), onEndingSignal(end)];
  try {
    return await ask({ ...promptStreams(), signal: ended.signal });
  } catch (error) {
    throw isEndOfPrompt(error) ? cancelled() : error;
  } finally {
    for (const off of listeners) off();
  }
};

const isEndOfPrompt = (error: unknown): boolean =>
  error instanceof Error && ['ExitPromptError', 'AbortPromptError', 'CancelPromptError'].includes(error.name);

const objectionTo = async (setting: Setting, text: string, objection: Objection): Promise<string | true> => {
  if (text === '' && (setting.type === 'secret' || !setting.required)) return true;
  try {
    return (await objection(parseSetting(setting, text))) ?? true;
  } catch (error) {
    if (error instanceof Failure) return error.message.replace(`${setting.name} (${setting.title}): `, '');
    throw error;
  }
};

const themeOf = ({ paint, symbols, columns }: Look) => ({
  prefix: { idle: paint.accent('?'), done: paint.accent('?') },
  icon: { cursor: '>' },
  spinner: { interval: 100, frames: [...symbols.spinner] },
  style: {
    answer: paint.accent,
    message: paint.strong,
    error: (text: string) =>
      wrap(text, columns - 4)
        .map((line) => paint.bad(`  ${line}`))
        .join('\n'),
    defaultAnswer: (text: string) => paint.faint(text),
    help: paint.faint,
    highlight: paint.accent,
    key: paint.accent,
  },
});
