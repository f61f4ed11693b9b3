/**
 * The notice as lines of plain text, wrapped to a width: what people see above the question, and what `telemetry notice` prints.
 * The words come from the notice itself; only line breaks are made here.
 */

import type { Notice } from './notice.ts';

const indent = '  ';
const labelWidth = 10;
const narrowest = 30;

/** The whole notice. With `routes`, also by which requests each counter is fed. */
export const renderNotice = (notice: Notice, width: number, options: { routes?: boolean } = {}): string[] => {
  const { heading, rows, closing } = notice.words;
  const at = Math.max(width, narrowest);
  return [
    ...wrapped(heading, at, indent, indent),
    ...rows.flatMap(({ label, text }) => row(label, text, at)),
    ...(options.routes ? routesOf(notice).flatMap((text, index) => row(index === 0 ? 'requests' : '', text, at)) : []),
    ...wrapped(closing, at, indent, indent),
  ];
};

/** The whole text in one, as the JSON document has it. */
export const noticeText = (notice: Notice): string => renderNotice(notice, 100, { routes: true }).join('\n');

const routesOf = ({ counters }: Notice): string[] =>
  counters.map(({ title, routes }) => `${title}: ${routes.join(', ')}`);

const row = (label: string, text: string, width: number): string[] => {
  const hanging = indent + indent + ' '.repeat(labelWidth);
  return wrapped(text, width, indent + indent + label.padEnd(labelWidth), hanging);
};

/** Words longer than a line stay whole: an address that is broken can't be copied. */
const wrapped = (text: string, width: number, first: string, hanging: string): string[] => {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = hanging;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
};
