/**
 * The plan for people: a numbered list of what is done, with the bytes, then what it needs, how long the server will be
 * away, what can be undone, dangers with their ids, and warnings.
 */

import type { Danger, Plan, SpaceNeed, Step, Warning } from '../../change/plan.ts';
import { amount, printable, several, widthOf, wrap } from '../layout.ts';
import type { Look } from '../look.ts';

export const planLines = (plan: Plan, look: Look): string[] => [
  '',
  `  ${look.paint.strong(`The plan for ${plan.instance}.`)} ${look.paint.faint('Nothing of it has been done yet.')}`,
  ...plan.steps.flatMap((step, at) => stepLines(step, at + 1, look)),
  ...summaryLines(plan, look),
  ...plan.dangers.flatMap((danger) => dangerLines(danger, look)),
  ...plan.warnings.flatMap((warning) => warningLines(warning, look)),
];

/** The first line of a change: what it is about, and at the right where more is to be found. */
export const titleLine = (title: string, summary: string, { paint, symbols, columns }: Look): string => {
  const left = printable(`${title} ${symbols.dot} ${summary}`);
  const more = 'more: assent products';
  const gap = columns - 4 - widthOf(left) - more.length;
  const head = `  ${wrap(left, columns - 2).join('\n  ')}`.replace(printable(title), (text) => paint.strong(text));
  return gap < 2 ? head : `${head}${' '.repeat(gap)}${paint.faint(more)}`;
};

export const dangerLines = ({ id, message, remedy }: Danger, look: Look): string[] =>
  marked(look, look.paint.bad('danger'), 'danger', joined(message, remedy, `Accept it: --ack ${id}`));

export const warningLines = ({ message, remedy }: Warning, look: Look): string[] =>
  marked(look, look.paint.caution('note'), 'note', joined(message, remedy));

const joined = (...sentences: string[]): string => sentences.filter((sentence) => sentence !== '').join(' ');

const stepLines = (step: Step, number: number, { paint, columns }: Look): string[] => {
  const bytes = step.bytes > 0 ? amount(step.bytes) : '';
  const room = columns - 19 - (bytes === '' ? 0 : bytes.length + 2);
  const [first = '', ...rest] = wrap(printable(step.title), Math.max(20, room));
  const gap = ' '.repeat(Math.max(2, room - widthOf(first) + 2));
  const line = `${String(number).padStart(5)}  ${paint.accent(step.step.padEnd(11))}${' '}${first}`;
  const head = bytes === '' ? line : `${line}${gap}${paint.faint(bytes)}`;
  return [head, ...rest.map((more) => `${' '.repeat(19)}${more}`)];
};

const summaryLines = (plan: Plan, look: Look): string[] => {
  const rows: [string, string][] = [
    [
      'needs',
      plan.space
        .filter((need) => need.bytes > 0)
        .map(spaceText)
        .join('; '),
    ],
    [
      'downtime',
      plan.downtimeSeconds > 0 ? `about ${Math.ceil(plan.downtimeSeconds)} s` : 'none: no server is running',
    ],
    ['undo', undoText(plan)],
  ];
  return [
    '',
    ...rows
      .filter(([, text]) => text !== '')
      .flatMap(([label, text]) => marked(look, look.paint.faint(label), label, text)),
  ];
};

const spaceText = ({ mount, bytes, inodes, freeBytes }: SpaceNeed): string =>
  `${amount(bytes)} and ${several(inodes, 'file')} on ${mount}, where ${amount(freeBytes)} are free`;

const undoText = ({ kind, steps }: Plan): string => {
  if (steps.some((step) => step.step === 'purge')) return 'not after the purge: what it deletes is gone';
  return kind === 'uninstall'
    ? 'install it again: data, configuration and secrets are kept'
    : 'whatever fails, everything is put back as it is now';
};

const marked = (look: Look, label: string, plain: string, text: string): string[] => {
  const lines = wrap(printable(text), look.columns - 19);
  return lines.map((line, at) =>
    at === 0 ? `       ${label}${' '.repeat(Math.max(1, 12 - plain.length))}${line}` : `${' '.repeat(19)}${line}`,
  );
};
