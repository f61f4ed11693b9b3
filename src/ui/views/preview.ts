/**
 * The preview of a report in the terminal: whether it is an example, where it would go, bars, and the bytes. The bytes are the encoder's, line by
 * line as they are; everything else is wrapped to the width, and says the same without colours.
 */

import { type Chart, chartsOf } from '../../telemetry/charts.ts';
import type { Preview } from '../../telemetry/preview.ts';
import { amount, labelled, printable, several, widthOf, wrap } from '../layout.ts';
import type { Look } from '../look.ts';

/** The whole preview; with `most`, only so many lines of the bytes, and the last line says how to see all. */
export const previewLines = (preview: Preview, look: Look, most?: { lines: number; all: string }): string[] => {
  const { report } = preview;
  return [
    ...headLines(preview, look),
    ...(report === undefined ? [] : chartsOf(report).flatMap((chart) => ['', ...chartLines(chart, look)])),
    ...asideLines(preview, look),
    ...(report === undefined ? [] : ['', ...bytesLines(preview, look, most)]),
  ];
};

const headLines = ({ example, notice, version, report, waiting }: Preview, look: Look): string[] => {
  const row = (label: string, text: string) =>
    labelled(look.paint.faint(label), printable(text), { indent: 4, label: 10, columns: look.columns });
  return [
    `  ${look.paint.strong(printable(`A report of ${notice.title} ${version}`))}`,
    ...(example ? marked(exampleText, look) : []),
    ...row('goes to', destination(notice.recipient)),
    ...(report === undefined
      ? row('holds', 'nothing yet: there is no number of a whole day with consent that was not reported')
      : row(
          'holds',
          `${several(report.numbers, 'number')} of ${report.from === report.to ? report.from : `${report.from} to ${report.to}`} (UTC)`,
        )),
    ...(waiting === null ? [] : row('waits', waitingText(waiting))),
  ];
};

export const waitingText = ({ since, failures }: NonNullable<Preview['waiting']>): string =>
  `since ${since}: it is made, and goes next as it is${failures === 0 ? '' : `; ${several(failures, 'attempt')} to deliver it failed`}`;

export const exampleText =
  'EXAMPLE: nothing is counted, so these numbers are made up. Everything else is as it would be sent.';

export const destination = (recipient: Preview['notice']['recipient']): string =>
  recipient === null
    ? 'nobody: this is what a report would hold, and nobody is sent one'
    : `${recipient.name}, at ${recipient.endpoint}`;

const marked = (text: string, { paint, symbols, columns }: Look): string[] =>
  wrap(text, columns - 4).map(
    (line, at) => `  ${at === 0 ? paint.caution(symbols.caution) : ' '} ${paint.strong(line)}`,
  );

/** Numbers stand behind the labels, before the bars: they are what counts, and the bars end where they end. */
const chartLines = ({ title, bars }: Chart, { paint, symbols, columns }: Look): string[] => {
  const labels = Math.min(30, Math.max(...bars.map(({ label }) => widthOf(printable(label)))));
  const numbers = Math.max(...bars.map(({ count }) => String(count).length));
  const most = Math.max(...bars.map(({ count }) => count));
  const room = Math.max(4, columns - 4 - labels - 2 - numbers - 2);
  const lines = bars.flatMap(({ label, count }) => {
    const bar = symbols.bar.repeat(Math.max(1, Math.round((count / most) * room)));
    const wrapped = wrap(printable(label), labels);
    const first = `${padded(wrapped[0] ?? '', labels)}  ${String(count).padStart(numbers)}  ${paint.accent(bar)}`;
    return [first, ...wrapped.slice(1)].map((line) => `    ${line}`);
  });
  return [`  ${paint.strong(title)}`, ...lines];
};

const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));

export const asideTexts = ({ aside: { unfinished, never, later } }: Preview): string[] => [
  ...(unfinished > 0
    ? [`${several(unfinished, 'number')} of a day that is not over: reported later, if consent lasts.`]
    : []),
  ...(never > 0
    ? [
        `${several(never, 'number')} of days that are never reported: consent was not in force all day, or the day was reported already.`,
      ]
    : []),
  ...(later > 0 ? [`${several(later, 'number')} of later days, for a report of their own.`] : []),
];

const asideLines = (preview: Preview, look: Look): string[] => {
  const texts = asideTexts(preview);
  const title = `  ${look.paint.strong('Not in this report')}`;
  const lines = texts.flatMap((text) => wrap(text, look.columns - 4).map((line) => `    ${line}`));
  return texts.length === 0 ? [] : ['', title, ...lines];
};

const bytesLines = (preview: Preview, { paint, columns }: Look, most?: { lines: number; all: string }): string[] => {
  const lines = textLines(preview);
  const size = `${amount(preview.report?.bytes.length ?? 0)}, ${several(lines.length, 'line')}`;
  const title = wrap(`The bytes, exactly (${size}, OTLP/HTTP JSON):`, columns - 2).map(
    (line) => `  ${paint.strong(line)}`,
  );
  if (most === undefined || lines.length <= most.lines) return [...title, '', ...lines];
  const more = `  ... and ${lines.length - most.lines} more lines. All of them:`;
  return [...title, '', ...lines.slice(0, most.lines), paint.faint(more), `    ${printable(most.all)}`];
};

/** The bytes as lines, without the line end that closes the last one. */
export const textLines = ({ report }: Preview): string[] =>
  report === undefined ? [] : Buffer.from(report.bytes).toString('utf8').replace(/\n$/, '').split('\n');
