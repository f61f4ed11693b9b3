/**
 * The asker of a change: who answers its questions. At a terminal a person, in this order: settings, consent apart, the
 * plan with its dangers, one last question. Elsewhere nobody, and nothing is ever asked.
 */

import type { ChangeKind, Plan } from '../change/plan.ts';
import type { Asker } from '../change/request.ts';
import type { Notice } from '../consent/notice.ts';
import { keyMeans, mayAsk, question } from '../consent/question.ts';
import type { Setting } from '../product/settings.ts';
import { portHolder } from '../system/net.ts';
import { write } from '../system/terminal.ts';
import type { World } from '../system/world.ts';
import { paragraph, printable } from './layout.ts';
import type { Look } from './look.ts';
import { askData, askSetting, askYesNo, askYesNoOr } from './prompts.ts';
import { noticeLines } from './views/notice.ts';
import { dangerLines, planLines } from './views/plan.ts';
import { helpLines } from './views/setting-help.ts';

/** Whether somebody sits there: both streams are terminals, no CI, and nobody wants a document instead. */
export const isInteractive = (world: World, json: boolean): boolean => !json && mayAsk(world);

export interface AskerOptions {
  readonly look: Look;
  readonly interactive: boolean;
  /** True where the instance is there already: the ports it has are taken by itself. */
  readonly keepsPorts: boolean;
  /** True where the rendering has shown the plan already. */
  readonly planShown: boolean;
}

export const askerFor = ({ look, interactive, keepsPorts, planShown }: AskerOptions): Asker => ({
  interactive,
  settings: (_product, settings, defaults) => {
    show(['']);
    return askAll(look, settings, defaults, keepsPorts);
  },
  consent: (notice, version, reference) => {
    show([...noticeLines(notice, look), '']);
    return askConsent(look, () => exampleLines(look, notice, version, reference));
  },
  data: (choices, standard) => {
    show(['']);
    return askData(look, choices, standard);
  },
  offer: (kind, reason) => {
    show(['', ...paragraph(printable(reason), { indent: 2, columns: look.columns })]);
    return askYesNo(look, offers[kind], false);
  },
  confirm: (plan, dangers, yes) => {
    show([...(planShown ? [] : planLines(plan, look)), '']);
    return confirm(look, dangers, yes);
  },
});

const askConsent = async (look: Look, example: () => Promise<string[]>): Promise<'yes' | 'no'> => {
  const aside = { hint: question.hint, word: 'Preview', isKey: (key: string) => keyMeans(key) === 'preview' };
  for (;;) {
    const answer = await askYesNoOr(look, question.text, aside);
    if (answer !== 'aside') return answer ? 'yes' : 'no';
    show(['', ...(await example()), '']);
  }
};

/** Few lines of the bytes, so that the bars stay on the screen. */
const exampleLines = async (look: Look, notice: Notice, version: string, reference: string): Promise<string[]> => {
  const { examplePreview } = await import('../telemetry/preview.ts');
  const { previewLines } = await import('./views/preview.ts');
  const all = `assent telemetry preview ${reference} --raw`;
  return previewLines(examplePreview(notice, version), look, { lines: 5, all });
};

const askAll = async (
  look: Look,
  settings: readonly Setting[],
  defaults: Readonly<Record<string, string>>,
  keepsPorts: boolean,
): Promise<Record<string, string>> => {
  const answers: Record<string, string> = {};
  for (const setting of settings) {
    const object = (value: string | number | boolean) =>
      objectionTo(setting, value, { settings, defaults, answers, keepsPorts });
    show(helpLines(setting, look, 2));
    answers[setting.name] = await askSetting(look, setting, defaults[setting.name], object);
  }
  return answers;
};

interface Asked {
  readonly settings: readonly Setting[];
  readonly defaults: Readonly<Record<string, string>>;
  readonly answers: Readonly<Record<string, string>>;
  readonly keepsPorts: boolean;
}

/** What speaks against a port: another question got it already, or somebody listens there. */
export const objectionTo = async (
  setting: Setting,
  value: string | number | boolean,
  asked: Asked,
): Promise<string | undefined> => {
  if (setting.type !== 'port') return undefined;
  const twin = asked.settings.find(({ name, type }) => type === 'port' && Number(asked.answers[name]) === value);
  if (twin !== undefined && twin.name !== setting.name) return `${value} is the ${twin.title} already.`;
  if (asked.keepsPorts && asked.defaults[setting.name] === String(value)) return undefined;
  const state = await portHolder(asked.answers['listen'] ?? asked.defaults['listen'] ?? '127.0.0.1', Number(value));
  if (state.free || state.why === 'no-such-address') return undefined;
  if (state.why === 'not-permitted') return `${value} is for root only: take one above 1023.`;
  return printable(`${value} is taken${state.by === undefined ? '' : ` by ${state.by}`}.`);
};

const offers: Readonly<Record<ChangeKind, string>> = {
  install: 'Install it?',
  reinstall: 'Install the same release anew, with these settings?',
  upgrade: 'Upgrade it?',
  rollback: 'Go back to the release before?',
  uninstall: 'Uninstall it?',
};

const confirm = async (look: Look, dangers: Plan['dangers'], yes: boolean): Promise<boolean> => {
  for (const danger of dangers) {
    show(dangerLines(danger, look));
    if (!(await askYesNo(look, `Accept "${printable(danger.id)}"?`, false))) return false;
  }
  return yes || askYesNo(look, 'Go ahead?', true);
};

const show = (lines: readonly string[]): void => write('out', lines.map((line) => `${line}\n`).join(''));
