/**
 * Fitting text into columns: widths, wrapping, tables, amounts. Pure. Colour codes take no room.
 *
 * What comes from outside (a server's message, a path) is made printable first, so that it can't move the cursor.
 */

import { stripVTControlCharacters } from 'node:util';

/** Columns that a text takes; our own texts use narrow characters only. */
export const widthOf = (text: string): number => [...stripVTControlCharacters(text)].length;

/** The text without control characters, line ends kept. */
export const printable = (text: string): string =>
  stripVTControlCharacters(text).replace(/[^\P{Cc}\n]/gu, (character) => (character === '\t' ? '  ' : ''));

/** Cuts a text without colours to so many columns. */
export const cut = (text: string, columns: number, more: string): string => {
  const characters = [...text];
  if (characters.length <= columns) return text;
  return columns <= more.length
    ? characters.slice(0, Math.max(0, columns)).join('')
    : `${characters.slice(0, columns - more.length).join('')}${more}`;
};

/** The same, but what is left out is the middle: for paths, whose ends tell most. */
export const withoutMiddle = (text: string, columns: number, more: string): string => {
  const characters = [...text];
  const kept = columns - more.length;
  if (characters.length <= columns || kept < 2) return text;
  const head = Math.floor(kept / 2);
  return `${characters.slice(0, head).join('')}${more}${characters.slice(head - kept).join('')}`;
};

/** Breaks a text at spaces into lines of at most so many columns; a longer word (a path, a URL) keeps a line of its own. */
export const wrap = (text: string, columns: number): string[] =>
  text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && widthOf(line) + 1 + widthOf(word) > columns) {
        lines.push(line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    return [...lines, line];
  });

/** A text in lines of their own, below one another. */
export const paragraph = (text: string, { indent, columns }: { indent: number; columns: number }): string[] =>
  wrap(text, Math.max(20, columns - indent)).map((line) => `${' '.repeat(indent)}${line}`);

/** A text and the command that it ends with; where they don't fit into a line the command has its own, whole: a broken one can't be copied. */
export const withCommand = (text: string, command: string, columns: number): string[] =>
  fitting(
    columns,
    () => [`${text} ${command}`],
    () => [...wrap(text, columns), `  ${command}`],
  );

/** The first of several layouts that fits, or else the last one. */
export const fitting = (columns: number, ...layouts: readonly (() => string[])[]): string[] => {
  const made = layouts.map((layout) => layout());
  return made.find((lines) => lines.every((line) => widthOf(line) <= columns)) ?? made.at(-1) ?? [];
};

/** A label and its text, the text wrapped beside the label: `  counted   mailbox opened, ...`. */
export const labelled = (
  label: string,
  text: string,
  options: { indent: number; label: number; columns: number },
): string[] => {
  const start = options.indent + options.label;
  const lines = wrap(text, Math.max(20, options.columns - start));
  return lines.map(
    (line, at) =>
      `${' '.repeat(options.indent)}${at === 0 ? label : ''}${' '.repeat(Math.max(0, options.label - (at === 0 ? widthOf(label) : 0)))}${line}`,
  );
};

/** Rows of cells in columns, two spaces apart; the last column is never padded. */
export const table = (rows: readonly (readonly string[])[], indent = 2): string[] => {
  const widths = widthsOf(rows);
  return rows.map((row) =>
    `${' '.repeat(indent)}${row.map((cell, at) => (at === row.length - 1 ? cell : cell + ' '.repeat((widths[at] ?? 0) - widthOf(cell)))).join('  ')}`.trimEnd(),
  );
};

/** The same, with the cells of one column wrapped to what the others leave of the width; `below` gives the lines that stand below a row. */
export const fittedTable = (
  rows: readonly (readonly string[])[],
  { indent, columns, wrapped }: { indent: number; columns: number; wrapped: number },
  below: (row: number) => readonly string[] = () => [],
): string[] => {
  const others = widthsOf(rows).reduce((sum, width, column) => (column === wrapped ? sum : sum + width + 2), indent);
  const groups = rows.map((row) =>
    wrap(row[wrapped] ?? '', Math.max(8, columns - others)).map((line, at) =>
      row.map((cell, column) => (column === wrapped ? line : at === 0 ? cell : '')),
    ),
  );
  const lines = table(groups.flat(), indent);
  return groups.flatMap((group, row) => [...lines.splice(0, group.length), ...below(row)]);
};

const widthsOf = (rows: readonly (readonly string[])[]): number[] => {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, widthOf(cell));
    });
  return widths;
};

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes for people, in powers of 1000: `8.1 MB`, `112 MB`. */
export const amount = (bytes: number): string => {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
};

/** So many of a thing: `1 release`, `2 releases`. */
export const several = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;

/** Milliseconds for people: `0.4 s`, `12 s`, `3 min 5 s`. */
export const duration = (milliseconds: number): string => {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
};
